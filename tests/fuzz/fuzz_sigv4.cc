#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "controller/api/sigv4.h"
#include "controller/ecs/ecs_error.h"
#include "tests/fuzz/byte_source.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

// A request as text: method and path in the first line, "name: value" lines, an empty line, the
// body. The seeds are signed with the key below.
int FuzzSigv4(const uint8_t* data, size_t size) {
  static constexpr char kSecret[] = "secret";
  ByteSource bytes(data, size);
  HttpServerRequest request;
  const std::vector<std::string> first = absl::StrSplit(bytes.Until('\n'), absl::MaxSplits(' ', 1));
  request.method = first[0];
  if (first.size() > 1) request.path = first[1];
  for (std::string line = bytes.Until('\n'); !line.empty(); line = bytes.Until('\n')) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(": ", 1));
    request.headers[absl::AsciiStrToLower(parts[0])] = parts.size() > 1 ? parts[1] : "";
  }
  request.body = bytes.Until('\0');
  const absl::Time now =
      absl::FromCivil(absl::CivilSecond(2026, 11, 23, 6, 20, 0), absl::UTCTimeZone());
  const absl::Status good = controller::api::VerifySignature(request, {{"AKID", kSecret}}, now);
  const absl::Status bad = controller::api::VerifySignature(request, {{"AKID", "another"}}, now);
  Must(!bad.ok());  // whatever the request, it cannot be signed with a key that nobody has
  Must(!controller::api::VerifySignature(request, {}, now).ok());
  Must(!controller::api::VerifySignature(request, {{"AKID", kSecret}}, now + absl::Minutes(15))
            .ok());
  Must(good.message().find(kSecret) == std::string::npos ||
       std::string(reinterpret_cast<const char*>(data), size).find(kSecret) != std::string::npos);
  for (const absl::Status& status : {good, bad}) {
    if (!status.ok()) Must(controller::ecs::ExceptionName(status) != "ServerException");
  }
  if (!good.ok()) return 0;
  // The body is signed, always.
  request.body += "x";
  Must(!controller::api::VerifySignature(request, {{"AKID", kSecret}}, now).ok());
  return 0;
}

}  // namespace davit::fuzz
