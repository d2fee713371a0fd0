#ifndef DAVIT_AGENT_NETWORK_ATTACHMENT_RECORD_H_
#define DAVIT_AGENT_NETWORK_ATTACHMENT_RECORD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/network/network.h"

namespace davit::network {

// The record on disk of one container's network. Written before anything is created (`is_complete`
// false) and again at the end, so that an incomplete attachment can be undone.
struct AttachmentRecord {
  std::string container_id;
  NetworkMode mode = NetworkMode::kBridge;
  std::string boot_id;  // the boot in which it was created; only this file survives a reboot
  bool is_complete = false;
  std::string ip_address;
  std::vector<PortBinding> bindings;
  std::string cni_result;  // JSON result of the last plugin; passed back as prevResult
  friend bool operator==(const AttachmentRecord&, const AttachmentRecord&) = default;
};

std::string ToJson(const AttachmentRecord& record);
// InvalidArgument: not an attachment record.
absl::StatusOr<AttachmentRecord> ParseAttachmentRecord(absl::string_view json);

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_ATTACHMENT_RECORD_H_
