#include "agent/network/attachment_record.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace davit::network {
namespace {
using nlohmann::json;
}

std::string ToJson(const AttachmentRecord& record) {
  json bindings = json::array();
  for (const PortBinding& binding : record.bindings) {
    bindings.push_back({{"hostIp", binding.host_ip},
                        {"hostPort", binding.host_port},
                        {"containerPort", binding.container_port},
                        {"protocol", binding.protocol}});
  }
  const json document = {{"containerId", record.container_id},
                         {"mode", record.mode == NetworkMode::kBridge ? "bridge" : "none"},
                         {"bootId", record.boot_id},
                         {"isComplete", record.is_complete},
                         {"ipAddress", record.ip_address},
                         {"bindings", bindings},
                         {"cniResult", record.cni_result}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

absl::StatusOr<AttachmentRecord> ParseAttachmentRecord(absl::string_view text) {
  try {
    const json document = json::parse(text.begin(), text.end());
    AttachmentRecord record;
    record.container_id = document.at("containerId").get<std::string>();
    record.mode = document.at("mode") == "none" ? NetworkMode::kNone : NetworkMode::kBridge;
    record.boot_id = document.at("bootId").get<std::string>();
    record.is_complete = document.at("isComplete").get<bool>();
    record.ip_address = document.at("ipAddress").get<std::string>();
    record.cni_result = document.at("cniResult").get<std::string>();
    for (const json& binding : document.at("bindings")) {
      record.bindings.push_back(
          {binding.at("hostIp").get<std::string>(), binding.at("containerPort").get<int>(),
           binding.at("hostPort").get<int>(), binding.at("protocol").get<std::string>()});
    }
    return record;
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("not an attachment record: ", error.what()));
  }
}

}  // namespace davit::network
