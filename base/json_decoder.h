#ifndef DAVIT_BASE_JSON_DECODER_H_
#define DAVIT_BASE_JSON_DECODER_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace davit {

// Reads a JSON object into a message by the message's JSON names. Strict: members that the message
// does not have and values of the wrong type are problems, and all of them are found at once:
//   "containerDefinitions[0].cpu: must be a whole number, is a string"
// null is the same as an absent member. Returns the problems; `message` is complete only if there
// are none. Text that is not JSON, or not an object, is one problem with an empty path ("not JSON:
// ..."). Pure.
std::vector<std::string> DecodeJson(absl::string_view text, google::protobuf::Message* message);

}  // namespace davit

#endif  // DAVIT_BASE_JSON_DECODER_H_
