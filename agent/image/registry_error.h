#ifndef DAVIT_AGENT_IMAGE_REGISTRY_ERROR_H_
#define DAVIT_AGENT_IMAGE_REGISTRY_ERROR_H_

#include <string>

#include "absl/strings/string_view.h"
#include "agent/image/retry.h"
#include "base/http_client.h"

namespace davit::image {

// What a registry says in the body of an error answer: "manifest unknown (MANIFEST_UNKNOWN)"; empty
// if it says nothing that is in the form of the specification. Printable, at most 300 bytes. Pure;
// total on any bytes. Source: OCI distribution-spec, "Error Codes".
std::string RegistryErrorText(absl::string_view body);

// An answer that is not 2xx, as a failed attempt: "GET http://host/v2/...: 404 manifest unknown
// (MANIFEST_UNKNOWN)".
Failure FailureOf(const HttpRequest& request, const HttpResponse& response, absl::Time now);

// What the user can do about a registry's failure, as a sentence.
absl::string_view AdviceFor(absl::StatusCode code);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_REGISTRY_ERROR_H_
