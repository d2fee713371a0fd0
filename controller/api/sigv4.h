#ifndef DAVIT_CONTROLLER_API_SIGV4_H_
#define DAVIT_CONTROLLER_API_SIGV4_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/http_server.h"

namespace davit::controller::api {

// Access key id -> secret access key.
using AccessKeys = std::map<std::string, std::string>;

// Whether `request` was signed with one of `keys`, by AWS Signature Version 4 (AWS General
// Reference, "Signature Version 4 signing process") for service ecs, within five minutes of `now`.
// host, x-amz-date and x-amz-target must be signed. Errors are API errors:
// MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException
// (unknown key), InvalidSignatureException. Pure; no text holds a secret.
absl::Status VerifySignature(const HttpServerRequest& request, const AccessKeys& keys,
                             absl::Time now);

}  // namespace davit::controller::api

#endif  // DAVIT_CONTROLLER_API_SIGV4_H_
