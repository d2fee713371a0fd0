#include "controller/api/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/sha256.h"
#include "base/status.h"
#include "controller/ecs/ecs_error.h"

namespace davit::controller::api {
namespace {

constexpr char kAlgorithm[] = "AWS4-HMAC-SHA256";
constexpr absl::Duration kMaxSkew = absl::Minutes(5);

struct Authorization {
  std::string access_key;
  std::string date;  // yyyymmdd
  std::string region;
  std::string service;
  std::vector<std::string> signed_headers;
  std::string signature;  // hexadecimal

  std::string Scope() const {
    return absl::StrCat(date, "/", region, "/", service, "/aws4_request");
  }
};

std::string Hmac(absl::string_view key, absl::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return std::string(reinterpret_cast<char*>(digest), size);
}

std::string Header(const HttpServerRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

absl::Status Incomplete(absl::string_view what) {
  return ecs::EcsError("IncompleteSignatureException",
                       absl::StrCat("Authorization header: ", what));
}

absl::Status InvalidSignature(absl::string_view what) {
  return ecs::EcsError("InvalidSignatureException", what);
}

// AWS4-HMAC-SHA256 Credential=KEY/yyyymmdd/region/service/aws4_request, SignedHeaders=a;b,
// Signature=hex
absl::StatusOr<Authorization> ParseAuthorization(absl::string_view text) {
  if (text.empty()) {
    return ecs::EcsError("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  if (!absl::ConsumePrefix(&text, kAlgorithm))
    return Incomplete(absl::StrCat("does not begin with ", kAlgorithm));
  Authorization out;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (absl::ConsumePrefix(&part, "Credential=")) {
      const std::vector<std::string> scope = absl::StrSplit(part, '/');
      if (scope.size() != 5 || scope[4] != "aws4_request")
        return Incomplete("malformed Credential");
      out.access_key = scope[0];
      out.date = scope[1];
      out.region = scope[2];
      out.service = scope[3];
    } else if (absl::ConsumePrefix(&part, "SignedHeaders=")) {
      out.signed_headers = absl::StrSplit(part, ';');
    } else if (absl::ConsumePrefix(&part, "Signature=")) {
      out.signature = std::string(part);
    }
  }
  if (out.access_key.empty()) return Incomplete("Credential is missing");
  if (out.signature.empty()) return Incomplete("Signature is missing");
  for (const char* needed : {"host", "x-amz-date", "x-amz-target"}) {
    if (std::find(out.signed_headers.begin(), out.signed_headers.end(), needed) ==
        out.signed_headers.end()) {
      return InvalidSignature(absl::StrCat("'", needed, "' must be a signed header"));
    }
  }
  return out;
}

absl::Status CheckScope(const Authorization& authorization, const std::string& date,
                        absl::Time now) {
  absl::Time signed_at;
  std::string error;
  // %Y alone would take all the digits.
  if (!absl::ParseTime("%E4Y%m%dT%H%M%SZ", date, &signed_at, &error)) {
    return InvalidSignature("X-Amz-Date is not of the form yyyymmddThhmmssZ");
  }
  if (authorization.date != date.substr(0, 8))
    return InvalidSignature("Credential is of another day than X-Amz-Date");
  if (authorization.service != "ecs") {
    return InvalidSignature(
        absl::StrCat("Credential is for service '", authorization.service, "', not 'ecs'"));
  }
  if (signed_at < now - kMaxSkew)
    return InvalidSignature(absl::StrCat("Signature expired: ", date));
  if (signed_at > now + kMaxSkew)
    return InvalidSignature(absl::StrCat("Signature not yet current: ", date));
  return absl::OkStatus();
}

std::string CanonicalRequest(const HttpServerRequest& request, const Authorization& authorization) {
  std::string text = absl::StrCat(request.method, "\n", request.path, "\n\n");
  for (const std::string& name : authorization.signed_headers) {
    std::string value = Header(request, name);
    absl::RemoveExtraAsciiWhitespace(&value);
    absl::StrAppend(&text, name, ":", value, "\n");
  }
  absl::StrAppend(&text, "\n", absl::StrJoin(authorization.signed_headers, ";"), "\n",
                  Sha256Hex(request.body));
  return text;
}

std::string Sign(const HttpServerRequest& request, const Authorization& authorization,
                 const std::string& secret) {
  const std::string to_sign =
      absl::StrCat(kAlgorithm, "\n", Header(request, "x-amz-date"), "\n", authorization.Scope(),
                   "\n", Sha256Hex(CanonicalRequest(request, authorization)));
  std::string key = Hmac("AWS4" + secret, authorization.date);
  for (const std::string& part :
       {authorization.region, authorization.service, std::string("aws4_request")}) {
    key = Hmac(key, part);
  }
  return absl::BytesToHexString(Hmac(key, to_sign));
}

}  // namespace

absl::Status VerifySignature(const HttpServerRequest& request, const AccessKeys& keys,
                             absl::Time now) {
  ASSIGN_OR_RETURN(const Authorization authorization,
                   ParseAuthorization(Header(request, "authorization")));
  const auto key = keys.find(authorization.access_key);
  if (key == keys.end()) {
    return ecs::EcsError("UnrecognizedClientException",
                         "The security token included in the request is invalid.");
  }
  RETURN_IF_ERROR(CheckScope(authorization, Header(request, "x-amz-date"), now));
  const std::string claimed_hash = Header(request, "x-amz-content-sha256");
  if (!claimed_hash.empty() && claimed_hash != Sha256Hex(request.body)) {
    return InvalidSignature("X-Amz-Content-SHA256 is not the body's");
  }
  const std::string expected = Sign(request, authorization, key->second);
  const bool is_same =
      expected.size() == authorization.signature.size() &&
      CRYPTO_memcmp(expected.data(), authorization.signature.data(), expected.size()) == 0;
  if (is_same) return absl::OkStatus();
  return InvalidSignature(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key "
      "and signing method.");
}

}  // namespace davit::controller::api
