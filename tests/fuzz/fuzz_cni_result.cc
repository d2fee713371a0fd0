#include "agent/network/attachment_record.h"
#include "agent/network/cni_plugins.h"
#include "agent/network/port_ledger.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzCniResult(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto address = network::AddressOfResult(text);
  Must(!address.ok() || address->find('/') == std::string::npos);
  const auto record = network::ParseAttachmentRecord(text);
  if (record.ok()) {
    const auto again = network::ParseAttachmentRecord(network::ToJson(*record));
    Must(again.ok() && *again == *record);
  }
  const auto range = network::ParsePortRange(text);
  Must(!range.ok() || (range->first >= 1 && range->first <= range->last && range->last <= 65535));
  return 0;
}

}  // namespace davit::fuzz
