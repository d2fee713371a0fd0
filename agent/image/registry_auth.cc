#include "agent/image/registry_auth.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/http_client.h"
#include "base/status.h"

namespace davit::image {
namespace {

constexpr absl::Duration kTokenTimeout = absl::Seconds(30);
constexpr size_t kMaxTokenAnswerBytes = 1U << 20;
// A token is dropped this long before it expires, because the request must arrive in time.
constexpr absl::Duration kExpiryMargin = absl::Seconds(5);

std::string RepositoryKey(const RegistryAuth::Repository& repository) {
  return absl::StrCat(repository.host, "/", repository.name);
}

std::string TokenKey(const AuthChallenge& challenge, const RegistryAuth::Repository& repository) {
  return absl::StrCat(repository.host, " ", challenge.realm, " ", challenge.service, " ",
                      challenge.scope);
}

std::string BasicHeader(const Credentials& login) {
  return absl::StrCat("Basic ",
                      absl::Base64Escape(absl::StrCat(login.username, ":", login.password)));
}

std::string QueryEscape(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || absl::StrContains("-._~:/,", absl::string_view(&c, 1))) {
      escaped.push_back(c);
    } else {
      absl::StrAppendFormat(&escaped, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

std::string TokenUrl(const AuthChallenge& challenge) {
  std::string url = challenge.realm;
  char separator = absl::StrContains(url, '?') ? '&' : '?';
  for (const auto& [name, value] :
       {std::pair("service", challenge.service), std::pair("scope", challenge.scope)}) {
    if (value.empty()) continue;
    absl::StrAppend(&url, std::string(1, separator), name, "=", QueryEscape(value));
    separator = '&';
  }
  return url;
}

}  // namespace

RegistryAuth::RegistryAuth(CredentialsLookup credentials, const Clock* clock)
    : credentials_(std::move(credentials)), clock_(clock) {}

std::string RegistryAuth::HeaderFor(const Repository& repository) {
  {
    MutexLock lock(&mu_);
    const auto challenge = challenges_.find(RepositoryKey(repository));
    if (challenge == challenges_.end()) return "";
    if (challenge->second.scheme == AuthChallenge::Scheme::kBearer) {
      const auto token = tokens_.find(TokenKey(challenge->second, repository));
      if (token == tokens_.end() || clock_->Monotonic() >= token->second.expires_at) return "";
      return absl::StrCat("Bearer ", token->second.token);
    }
  }
  const std::optional<Credentials> login =
      credentials_ ? credentials_(repository.host) : std::nullopt;
  return login.has_value() ? BasicHeader(*login) : "";
}

absl::Status RegistryAuth::Authenticate(const Repository& repository,
                                        absl::string_view www_authenticate,
                                        absl::string_view rejected,
                                        const CancelCheck& is_cancelled) {
  ASSIGN_OR_RETURN(AuthChallenge challenge, ParseAuthChallenge(www_authenticate));
  if (challenge.scheme == AuthChallenge::Scheme::kBearer) {
    if (challenge.scope.empty()) {
      challenge.scope = absl::StrCat("repository:", repository.name, ":pull");
    }
    ASSIGN_OR_RETURN(AuthToken token, FetchToken(challenge, repository, is_cancelled));
    MutexLock lock(&mu_);
    tokens_[TokenKey(challenge, repository)] = {
        std::move(token.token), clock_->Monotonic() + token.lifetime - kExpiryMargin};
    challenges_[RepositoryKey(repository)] = std::move(challenge);
    return absl::OkStatus();
  }
  {
    MutexLock lock(&mu_);
    challenges_[RepositoryKey(repository)] = std::move(challenge);
  }
  const std::string header = HeaderFor(repository);
  if (header.empty()) {
    return absl::UnauthenticatedError(
        absl::StrCat("no basic auth credentials for registry ", repository.host));
  }
  if (header == rejected) {
    return absl::UnauthenticatedError(
        absl::StrCat("registry ", repository.host, " refused the credentials"));
  }
  return absl::OkStatus();
}

absl::StatusOr<AuthToken> RegistryAuth::FetchToken(const AuthChallenge& challenge,
                                                   const Repository& repository,
                                                   const CancelCheck& is_cancelled) {
  // A registry with TLS must not make us send a password unencrypted.
  if (!repository.insecure && !absl::StartsWithIgnoreCase(challenge.realm, "https://")) {
    return absl::UnauthenticatedError(
        absl::StrCat("registry ", repository.host, " has a token service without https"));
  }
  HttpRequest request;
  request.url = TokenUrl(challenge);
  request.timeout = kTokenTimeout;
  request.max_body_bytes = kMaxTokenAnswerBytes;
  request.is_cancelled = is_cancelled;
  if (const auto login = credentials_ ? credentials_(repository.host) : std::nullopt) {
    request.headers.emplace_back("Authorization", BasicHeader(*login));
  }
  ASSIGN_OR_RETURN(const HttpResponse response, Fetch(request), "getting a token");
  const std::string what = absl::StrCat("getting a token: GET ", RedactUrl(request.url), ": ");
  if (response.status / 100 != 2) {
    return absl::Status(CodeOfHttpStatus(response.status), absl::StrCat(what, response.status));
  }
  ASSIGN_OR_RETURN(AuthToken token, ParseAuthToken(response.body), what);
  return token;
}

}  // namespace davit::image
