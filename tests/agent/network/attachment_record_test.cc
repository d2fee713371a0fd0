#include "agent/network/attachment_record.h"

#include <catch2/catch.hpp>

namespace davit::network {
namespace {

TEST_CASE("an attachment's record is read back as written", "[network]") {
  AttachmentRecord record;
  record.container_id = "c1";
  record.mode = NetworkMode::kNone;
  record.boot_id = "b";
  record.is_complete = true;
  record.ip_address = "10.0.0.2";
  record.bindings = {{"0.0.0.0", 80, 32768, "tcp"}, {"0.0.0.0", 53, 53, "udp"}};
  record.cni_result = R"({"ips":[]})";
  const absl::StatusOr<AttachmentRecord> parsed = ParseAttachmentRecord(ToJson(record));
  REQUIRE(parsed.ok());
  CHECK(*parsed == record);
}

TEST_CASE("an incomplete record is an error, not a crash", "[network]") {
  const std::string whole = ToJson(AttachmentRecord{});
  for (size_t length = 0; length + 2 < whole.size(); ++length) {
    CHECK_FALSE(ParseAttachmentRecord(whole.substr(0, length)).ok());
  }
  CHECK_FALSE(ParseAttachmentRecord("[]").ok());
  CHECK_FALSE(ParseAttachmentRecord(R"({"containerId":7})").ok());
}

}  // namespace
}  // namespace davit::network
