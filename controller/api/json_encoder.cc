#include "controller/api/json_encoder.h"

#include <google/protobuf/util/json_util.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace davit::controller::api {

std::string EncodeJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;  // empty lists; unset `optional` members stay away
  std::string text;
  // It fails for Any only, and there is none.
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) std::abort();
  return text;
}

std::string EncodeError(absl::string_view exception, absl::string_view message) {
  const nlohmann::ordered_json body = {{"__type", std::string(exception)},
                                       {"message", std::string(message)}};
  // Bytes that are not UTF-8, from a request that is quoted, are replaced.
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace davit::controller::api
