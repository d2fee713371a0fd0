#ifndef DAVIT_AGENT_IMAGE_REGISTRY_ERROR_H_
#define DAVIT_AGENT_IMAGE_REGISTRY_ERROR_H_

#include <string>

#include "absl/strings/string_view.h"
#include "agent/image/retry.h"
#include "base/http_client.h"

namespace davit::image {

// The text of a registry's error response: "manifest unknown (MANIFEST_UNKNOWN)"; empty if the body
// does not follow the specification. Printable, at most 300 bytes. Pure; accepts any bytes. Source:
// OCI distribution-spec, "Error Codes".
std::string RegistryErrorText(absl::string_view body);

// Turns a response other than 2xx into a failed attempt: "GET http://host/v2/...: 404 manifest
// unknown (MANIFEST_UNKNOWN)".
Failure FailureOf(const HttpRequest& request, const HttpResponse& response, absl::Time now);

// A sentence that tells the user what to do about a registry's failure.
absl::string_view AdviceFor(absl::StatusCode code);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_REGISTRY_ERROR_H_
