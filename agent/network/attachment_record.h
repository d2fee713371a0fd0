#ifndef DAVIT_AGENT_NETWORK_ATTACHMENT_RECORD_H_
#define DAVIT_AGENT_NETWORK_ATTACHMENT_RECORD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/network/network.h"

namespace davit::network {

// What is known on disk of one container's network. Written before anything is made (`is_complete`
// false) and again when all is there, so that half an attachment can be undone.
struct AttachmentRecord {
  std::string container_id;
  NetworkMode mode = NetworkMode::kBridge;
  std::string boot_id;  // of the boot that made it; nothing but this file outlives one
  bool is_complete = false;
  std::string ip_address;
  std::vector<PortBinding> bindings;
  std::string cni_result;  // JSON of the last plugin; goes back as prevResult
  friend bool operator==(const AttachmentRecord&, const AttachmentRecord&) = default;
};

std::string ToJson(const AttachmentRecord& record);
// InvalidArgument: not such a record.
absl::StatusOr<AttachmentRecord> ParseAttachmentRecord(absl::string_view json);

}  // namespace davit::network

#endif  // DAVIT_AGENT_NETWORK_ATTACHMENT_RECORD_H_
