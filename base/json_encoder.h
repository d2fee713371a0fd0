#ifndef DAVIT_BASE_JSON_ENCODER_H_
#define DAVIT_BASE_JSON_ENCODER_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/strings/string_view.h"

namespace davit {

// A message as one line of JSON, by protobuf's JSON mapping: an `optional` member that is unset is
// absent; lists, maps and scalars that are not `optional` are always there; int64 and uint64 are
// strings; an enum is its name. Optional scalars come last, by number; all others come first, in
// the order of the .proto file. Map keys are sorted.
//
// Byte for byte what protobuf's MessageToJsonString prints with always_print_primitive_fields, but
// for map keys, which that leaves in any order, and for bytes that are not UTF-8: those become
// U+FFFD. It takes a fifth of the time, because it neither serializes the message nor builds a
// tree. Float, bytes, Any, other well-known types and maps with other keys than strings are not in
// our protos: they abort. Pure; thread-safe for messages that nobody changes.
std::string EncodeJson(const google::protobuf::Message& message);

// Appends `text` as a JSON string with its quotes. Control and invisible characters, < and > are
// escaped, as protobuf does.
void AppendJsonString(absl::string_view text, std::string* out);

}  // namespace davit

#endif  // DAVIT_BASE_JSON_ENCODER_H_
