#include "agent/image/registry_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/image/blob_transfer.h"
#include "agent/image/digest.h"
#include "agent/image/registry_error.h"
#include "base/status.h"

namespace davit::image {
namespace {

constexpr char kUserAgent[] = "davit-agent/" DAVIT_VERSION;
// After this much progress the count of attempts restarts.
constexpr int64_t kProgressBytes = 1 << 20;
// Longest cause in a reason, so that the advice after it fits into ECS's 1024 characters.
constexpr size_t kMaxCauseBytes = 700;

std::string AcceptedTypes() {
  return absl::StrJoin({kOciIndexType, kDockerListType, kOciManifestType, kDockerManifestType},
                       ", ");
}

// "pull image manifest has been retried 3 time(s): GET ...: 503. Check ...". Like ECS, it counts
// the attempts.
absl::Status GivenUp(absl::string_view what, const Retrier& retrier, const absl::Status& status) {
  if (status.code() == absl::StatusCode::kCancelled) return status;
  return absl::Status(status.code(),
                      absl::StrCat(what, " has been retried ", retrier.failures(),
                                   " time(s): ", Shorten(status.message(), kMaxCauseBytes), ". ",
                                   AdviceFor(status.code())));
}

// Verifies a manifest against the requested digest, else against the digest that the registry
// announced.
absl::StatusOr<FetchedManifest> CheckManifest(const ImageReference& reference,
                                              HttpResponse response) {
  FetchedManifest manifest;
  manifest.digest = Sha256Digest(response.body);
  const auto promised = response.headers.find("docker-content-digest");
  const bool is_promised = promised != response.headers.end() && IsSha256Digest(promised->second);
  const std::string& expected = !reference.digest.empty() ? reference.digest
                                : is_promised             ? promised->second
                                                          : manifest.digest;
  if (manifest.digest != expected) {
    return absl::DataLossError(absl::StrCat("the manifest from ", reference.RegistryHost(),
                                            " has digest ", manifest.digest, " instead of ",
                                            expected));
  }
  const auto type = response.headers.find("content-type");
  ASSIGN_OR_RETURN(
      manifest.media_type,
      ManifestMediaType(response.body, type == response.headers.end() ? "" : type->second));
  manifest.body = std::move(response.body);
  return manifest;
}

}  // namespace

RegistryClient::RegistryClient(RegistryOptions options, const Clock* clock)
    : options_(std::move(options)), clock_(clock), auth_(options_.credentials, clock) {}

bool RegistryClient::IsInsecure(absl::string_view host) const {
  // The last ':' begins a port, unless it is inside an IPv6 address.
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port =
      colon != absl::string_view::npos && (bracket == absl::string_view::npos || colon > bracket);
  const absl::string_view name = has_port ? host.substr(0, colon) : host;
  return std::any_of(options_.insecure_registries.begin(), options_.insecure_registries.end(),
                     [&](const std::string& entry) { return entry == host || entry == name; });
}

std::string RegistryClient::Url(const ImageReference& reference, absl::string_view kind,
                                absl::string_view name) const {
  return absl::StrCat(IsInsecure(reference.host) ? "http" : "https", "://",
                      reference.RegistryHost(), "/v2/", reference.repository, "/", kind, "/", name);
}

absl::StatusOr<HttpResponse> RegistryClient::FetchAuthorized(const ImageReference& reference,
                                                             const HttpRequest& request) {
  const RegistryAuth::Repository repository{reference.host, reference.repository,
                                            IsInsecure(reference.host)};
  HttpRequest authorized = request;
  authorized.headers.emplace_back("User-Agent", kUserAgent);
  const std::string header = auth_.HeaderFor(repository);
  if (!header.empty()) authorized.headers.emplace_back("Authorization", header);
  ASSIGN_OR_RETURN(HttpResponse response, Fetch(authorized));
  const auto challenge = response.headers.find("www-authenticate");
  if (response.status != 401 || challenge == response.headers.end()) return response;
  RETURN_IF_ERROR(auth_.Authenticate(repository, challenge->second, header, request.is_cancelled),
                  request.method, " ", RedactUrl(request.url), ": 401");
  if (!header.empty()) authorized.headers.pop_back();
  authorized.headers.emplace_back("Authorization", auth_.HeaderFor(repository));
  return Fetch(authorized);
}

absl::StatusOr<FetchedManifest> RegistryClient::FetchManifest(const ImageReference& reference,
                                                              const CancelCheck& is_cancelled,
                                                              int attempts) {
  HttpRequest request;
  request.url = Url(reference, "manifests", reference.ManifestName());
  request.headers.emplace_back("Accept", AcceptedTypes());
  request.timeout = options_.manifest_timeout;
  request.max_body_bytes = kMaxManifestBytes;
  request.is_cancelled = is_cancelled;
  RetryPolicy policy = options_.retry;
  policy.attempts = std::min(policy.attempts, attempts);
  Retrier retrier(policy, is_cancelled);
  while (true) {
    Failure failure;
    absl::StatusOr<HttpResponse> response = FetchAuthorized(reference, request);
    if (response.status().code() == absl::StatusCode::kResourceExhausted) {
      failure.status =
          absl::InvalidArgumentError(response.status().message());  // the response is too long
    } else if (!response.ok()) {
      failure.status = response.status();
    } else if (response->status / 100 != 2) {
      failure = FailureOf(request, *response, clock_->Now());
    } else {
      return CheckManifest(reference, *std::move(response));
    }
    const absl::Status verdict = retrier.WaitAfter(failure);
    if (!verdict.ok()) return GivenUp("pull image manifest", retrier, verdict);
  }
}

absl::Status RegistryClient::FetchBlob(const ImageReference& repository, const Descriptor& blob,
                                       int64_t offset, const BlobSink& sink,
                                       const CancelCheck& is_cancelled) {
  HttpRequest request;
  request.url = Url(repository, "blobs", blob.digest);
  request.stall_timeout = options_.stall_timeout;
  request.is_cancelled = is_cancelled;
  BlobTransfer transfer(blob, offset, &sink);
  Retrier retrier(options_.retry, is_cancelled);
  int64_t counted_from = offset;
  while (!transfer.IsComplete()) {
    Failure failure;
    const HttpRequest attempt = transfer.Begin(request);
    const absl::StatusOr<HttpResponse> response = FetchAuthorized(repository, attempt);
    if (!response.ok()) {
      failure.status = response.status();
    } else if (response->status / 100 != 2) {
      failure = FailureOf(request, *response, clock_->Now());
    } else {
      failure.status = transfer.Finish();
    }
    if (failure.status.ok()) break;
    if (transfer.HasSinkFailed()) return transfer.sink_status();
    if (transfer.position() - counted_from >= kProgressBytes) {
      counted_from = transfer.position();
      retrier.Reset();
    }
    const absl::Status verdict = retrier.WaitAfter(failure);
    if (!verdict.ok()) return GivenUp("pull image blob", retrier, verdict);
  }
  return absl::OkStatus();
}

}  // namespace davit::image
