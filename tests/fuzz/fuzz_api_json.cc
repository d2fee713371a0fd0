#include <google/protobuf/message.h>

#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/json_decoder.h"
#include "base/json_encoder.h"
#include "davit/v1/ecs.pb.h"
#include "tests/fuzz/byte_source.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

// A letter that chooses a request, then its body. What was read can be written, and what was
// written is read as the same.
int FuzzApiJson(const uint8_t* data, size_t size) {
  const google::protobuf::Message* const kRequests[] = {
      &v1::RegisterTaskDefinitionRequest::default_instance(),
      &v1::RunTaskRequest::default_instance(),
      &v1::CreateClusterRequest::default_instance(),
      &v1::DescribeTasksRequest::default_instance(),
      &v1::ListTasksRequest::default_instance(),
      &v1::DescribeTasksResponse::default_instance(),
      &v1::DescribeContainerInstancesResponse::default_instance(),
      &v1::StopTaskRequest::default_instance(),
  };
  ByteSource bytes(data, size);
  const google::protobuf::Message* const prototype =
      kRequests[static_cast<size_t>(bytes.Letter("abcdefgh") - 'a') % std::size(kRequests)];
  const std::string text(reinterpret_cast<const char*>(data) + (size > 0), size - (size > 0));
  const auto decode = [prototype](const std::string& json) {
    std::unique_ptr<google::protobuf::Message> message(prototype->New());
    return DecodeJson(json, message.get()).empty() ? std::move(message) : nullptr;
  };
  const auto message = decode(text);
  if (message == nullptr) return 0;
  const std::string once = EncodeJson(*message);
  Must(nlohmann::json::accept(once));
  const auto again = decode(once);
  Must(again != nullptr);
  const std::string twice = EncodeJson(*again);
  // -0, written without a fraction, is read as the whole number that it is.
  Must(twice == once || once.find("-0") != std::string::npos);
  Must(EncodeJson(*decode(twice)) == twice);
  return 0;
}

}  // namespace davit::fuzz
