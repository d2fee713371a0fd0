#include "agent/resource/instance_identity.h"

#include <openssl/sha.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/http_client.h"
#include "base/status.h"

namespace davit::resource {
namespace {

// A series of requests to IMDS with one deadline.
class Imds {
 public:
  explicit Imds(const InstanceIdentityOptions& options)
      : endpoint_(absl::StripSuffix(options.imds_endpoint, "/")),
        connect_timeout_(options.connect_timeout),
        deadline_(Clock::Real()->Monotonic() + options.timeout) {}

  // False: this is not IMDS.
  bool FetchToken() {
    const absl::StatusOr<HttpResponse> response =
        Exchange("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds", "60"});
    if (!response.ok() || response->status != 200 || response->body.empty()) return false;
    token_ = std::string(absl::StripAsciiWhitespace(response->body));
    return true;
  }

  absl::StatusOr<std::string> Get(const std::string& path) {
    ASSIGN_OR_RETURN(const HttpResponse response,
                     Exchange("GET", path, {"X-aws-ec2-metadata-token", token_}));
    if (response.status == 404) return absl::NotFoundError(absl::StrCat("IMDS has no ", path));
    if (response.status != 200) {
      return absl::UnavailableError(
          absl::StrCat("IMDS answers ", response.status, " to GET ", path));
    }
    return response.body;
  }

  // For optional values.
  std::string GetOrEmpty(const std::string& path) {
    return std::string(absl::StripAsciiWhitespace(Get(path).value_or("")));
  }

 private:
  absl::StatusOr<HttpResponse> Exchange(const std::string& method, const std::string& path,
                                        std::pair<std::string, std::string> header) const {
    HttpRequest request;
    request.method = method;
    request.url = endpoint_ + path;
    request.headers.push_back(std::move(header));
    request.timeout = deadline_ - Clock::Real()->Monotonic();
    if (request.timeout < absl::Milliseconds(1))
      return absl::DeadlineExceededError("IMDS did not answer in time");
    request.connect_timeout = std::min(connect_timeout_, request.timeout);
    request.max_redirects = 0;
    request.max_body_bytes = 64U << 10;
    return Fetch(request);
  }

  const std::string endpoint_;
  const absl::Duration connect_timeout_;
  const absl::Duration deadline_;
  std::string token_;
};

absl::StatusOr<InstanceIdentity> ParseDocument(const std::string& text) {
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  const auto field = [&document](const char* name) {
    const auto it = document.find(name);
    return it != document.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  InstanceIdentity identity;
  identity.source = InstanceIdentity::Source::kImds;
  if (document.is_object()) {
    identity.ec2_instance_id = field("instanceId");
    identity.region = field("region");
    identity.availability_zone = field("availabilityZone");
    identity.instance_type = field("instanceType");
    identity.ami_id = field("imageId");
    identity.account_id = field("accountId");
  }
  if (!absl::StartsWith(identity.ec2_instance_id, "i-")) {
    return absl::UnavailableError("IMDS's instance identity document has no instanceId");
  }
  return identity;
}

bool IsEc2ByDmi(const std::string& root) {
  return absl::StartsWith(ReadFile(root + "/sys/class/dmi/id/sys_vendor").value_or(""),
                          "Amazon EC2");
}

// nullopt: not on EC2.
absl::StatusOr<std::optional<InstanceIdentity>> AskImds(const InstanceIdentityOptions& options) {
  if (options.imds_endpoint.empty()) return std::nullopt;
  Imds imds(options);
  if (!imds.FetchToken()) {
    if (!IsEc2ByDmi(options.root)) return std::nullopt;
    return absl::UnavailableError(
        "this is an EC2 instance, but its metadata service returns no token");
  }
  const absl::StatusOr<std::string> document =
      imds.Get("/latest/dynamic/instance-identity/document");
  if (!document.ok()) return absl::UnavailableError(document.status().message());
  ASSIGN_OR_RETURN(InstanceIdentity identity, ParseDocument(*document));
  const std::string mac = imds.GetOrEmpty("/latest/meta-data/mac");
  if (!mac.empty()) {
    const std::string interface = absl::StrCat("/latest/meta-data/network/interfaces/macs/", mac);
    identity.vpc_id = imds.GetOrEmpty(interface + "/vpc-id");
    identity.subnet_id = imds.GetOrEmpty(interface + "/subnet-id");
  }
  return identity;
}

}  // namespace

std::string InstanceIdFromMachineId(absl::string_view machine_id) {
  const std::string text = absl::StrCat("davit instance ", machine_id);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  const absl::string_view bytes(reinterpret_cast<const char*>(digest), sizeof(digest));
  return absl::StrCat("i-", absl::BytesToHexString(bytes).substr(0, 17));
}

absl::StatusOr<InstanceIdentity> FindInstanceIdentity(const InstanceIdentityOptions& options) {
  const absl::StatusOr<std::optional<InstanceIdentity>> found = AskImds(options);
  InstanceIdentity identity;
  if (found.ok() && found->has_value()) identity = **found;
  if (!options.configured_id.empty()) {
    // A configured id needs nothing from IMDS, so a failure of IMDS does not matter.
    identity.source = InstanceIdentity::Source::kConfigured;
    identity.ec2_instance_id = options.configured_id;
    return identity;
  }
  RETURN_IF_ERROR(found.status(), "finding the EC2 instance's identity");
  if (found->has_value()) return identity;
  if (options.machine_id.empty()) {
    return absl::FailedPreconditionError(
        "the host is not on EC2 and has no /etc/machine-id: set [instance] id in the "
        "configuration");
  }
  identity.source = InstanceIdentity::Source::kMachineId;
  identity.ec2_instance_id = InstanceIdFromMachineId(options.machine_id);
  return identity;
}

}  // namespace davit::resource
