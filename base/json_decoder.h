#ifndef DAVIT_BASE_JSON_DECODER_H_
#define DAVIT_BASE_JSON_DECODER_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace davit {

// Reads a JSON object into a message by the message's JSON names. Strict: unknown members and
// values of the wrong type are problems. It returns all of them at once:
//   "containerDefinitions[0].cpu: must be a whole number, is a string"
// null means an absent member. `message` is complete only if there are no problems. Text that is
// not a JSON object is one problem without a path ("not JSON: ..."). Pure.
std::vector<std::string> DecodeJson(absl::string_view text, google::protobuf::Message* message);

}  // namespace davit

#endif  // DAVIT_BASE_JSON_DECODER_H_
