#include "agent/image/blob_transfer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace davit::image {
namespace {

// The first byte of "bytes 100-199/200".
std::optional<int64_t> RangeStart(const std::map<std::string, std::string>& headers) {
  const auto found = headers.find("content-range");
  if (found == headers.end()) return std::nullopt;
  absl::string_view range = found->second;
  int64_t start = 0;
  if (!absl::ConsumePrefix(&range, "bytes ") ||
      !absl::SimpleAtoi(range.substr(0, range.find('-')), &start)) {
    return std::nullopt;
  }
  return start;
}

}  // namespace

BlobTransfer::BlobTransfer(const Descriptor& blob, int64_t offset, const Sink* sink)
    : blob_(blob), sink_(sink), position_(offset) {}

HttpRequest BlobTransfer::Begin(HttpRequest request) {
  to_skip_ = position_;  // a 2xx other than 206 starts at byte 0
  if (position_ > 0) {
    request.headers.emplace_back("Range", absl::StrCat("bytes=", position_, "-"));
  }
  request.on_answer = [this](int status, const auto& headers) { return OnAnswer(status, headers); };
  request.on_body = [this](absl::string_view bytes) { return OnBytes(bytes); };
  return request;
}

absl::Status BlobTransfer::OnAnswer(int status, const std::map<std::string, std::string>& headers) {
  to_skip_ = position_;
  if (status != 206) return absl::OkStatus();
  const std::optional<int64_t> start = RangeStart(headers);
  if (!start.has_value() || *start < 0 || *start > position_) {
    return absl::InvalidArgumentError(
        absl::StrCat("the registry returned a wrong range: expected bytes from ", position_));
  }
  to_skip_ = position_ - *start;
  return absl::OkStatus();
}

absl::Status BlobTransfer::OnBytes(absl::string_view bytes) {
  const auto skipped = std::min(to_skip_, static_cast<int64_t>(bytes.size()));
  to_skip_ -= skipped;
  bytes.remove_prefix(static_cast<size_t>(skipped));
  if (bytes.empty()) return absl::OkStatus();
  const auto size = static_cast<int64_t>(bytes.size());
  if (size > blob_.size - position_) {
    return absl::DataLossError(
        absl::StrCat("blob ", blob_.digest, " exceeds the ", blob_.size, " bytes of its manifest"));
  }
  sink_status_ = (*sink_)(bytes);
  if (sink_status_.ok()) position_ += size;
  return sink_status_;
}

absl::Status BlobTransfer::Finish() const {
  if (IsComplete()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("blob ", blob_.digest, " ended after ", position_,
                                             " of ", blob_.size, " bytes"));
}

}  // namespace davit::image
