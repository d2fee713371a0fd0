#ifndef DAVIT_CONTROLLER_API_JSON_ENCODER_H_
#define DAVIT_CONTROLLER_API_JSON_ENCODER_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/strings/string_view.h"

namespace davit::controller::api {

// The message in the API's JSON form: members that are unset are absent, lists and maps are always
// there.
std::string EncodeJson(const google::protobuf::Message& message);

// {"__type":"ClusterNotFoundException","message":"Cluster not found."}
std::string EncodeError(absl::string_view exception, absl::string_view message);

}  // namespace davit::controller::api

#endif  // DAVIT_CONTROLLER_API_JSON_ENCODER_H_
