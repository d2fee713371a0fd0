#include "base/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/sha256.h"
#include "base/status.h"

namespace davit {
namespace {

struct Transfer {
  const HttpRequest* request;
  CURL* curl;
  HttpResponse response;
  absl::Status sink_status;
  bool answered = false;  // on_answer was called
};

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const absl::string_view line(data, size * count);
  if (absl::StartsWith(line, "HTTP/")) transfer->response.headers.clear();  // a new response begins
  const size_t colon = line.find(':');
  if (colon != absl::string_view::npos) {
    transfer->response.headers[absl::AsciiStrToLower(line.substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return size * count;
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const absl::string_view piece(data, size * count);
  long code = 0;
  curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &code);
  if (transfer->request->on_body && code >= 200 && code < 300) {
    if (!transfer->answered && transfer->request->on_answer) {
      transfer->sink_status =
          transfer->request->on_answer(static_cast<int>(code), transfer->response.headers);
      if (!transfer->sink_status.ok()) return 0;
    }
    transfer->answered = true;
    transfer->sink_status = transfer->request->on_body(piece);
    return transfer->sink_status.ok() ? piece.size() : 0;
  }
  if (transfer->response.body.size() + piece.size() > transfer->request->max_body_bytes) {
    transfer->sink_status = absl::ResourceExhaustedError(
        absl::StrCat("response is larger than ", transfer->request->max_body_bytes, " bytes"));
    return 0;
  }
  transfer->response.body.append(piece.data(), piece.size());
  return piece.size();
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* transfer = static_cast<Transfer*>(user);
  return transfer->request->is_cancelled && transfer->request->is_cancelled() ? 1 : 0;
}

absl::StatusCode CodeOf(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::StatusCode::kDeadlineExceeded;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_TOO_MANY_REDIRECTS:
      return absl::StatusCode::kInvalidArgument;
    case CURLE_PEER_FAILED_VERIFICATION:
      return absl::StatusCode::kUnauthenticated;
    case CURLE_ABORTED_BY_CALLBACK:
      return absl::StatusCode::kCancelled;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

void SetSignature(const HttpSigV4& sigv4, CURL* curl) {
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4,
                   absl::StrCat("aws:amz:", sigv4.region, ":", sigv4.service).c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, sigv4.access_key_id.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, sigv4.secret_access_key.c_str());
}

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void Append(absl::string_view name, absl::string_view value, List* headers) {
  curl_slist* longer = curl_slist_append(headers->get(), absl::StrCat(name, ": ", value).c_str());
  static_cast<void>(headers->release());
  headers->reset(longer);
}

List HeadersOf(const HttpRequest& request) {
  List headers(nullptr, &curl_slist_free_all);
  for (const auto& [name, value] : request.headers) Append(name, value, &headers);
  if (request.sigv4 && !request.sigv4->session_token.empty()) {
    Append("X-Amz-Security-Token", request.sigv4->session_token, &headers);
  }
  // S3 requires this header; libcurl adds it only from version 8.2.
  if (request.sigv4 && request.sigv4->service == "s3")
    Append("x-amz-content-sha256", Sha256Hex(request.body), &headers);
  return headers;
}

void SetOptions(const HttpRequest& request, const curl_slist* headers, char* error_text,
                Transfer* transfer) {
  CURL* curl = transfer->curl;
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, static_cast<long>(request.max_redirects));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(request.connect_timeout)));
  if (request.timeout != absl::InfiniteDuration()) {
    // 0 would mean no timeout.
    const int64_t milliseconds = std::max<int64_t>(absl::ToInt64Milliseconds(request.timeout), 1);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
  }
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT,
                   static_cast<long>(request.stall_bytes_per_second));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(absl::ToInt64Seconds(request.stall_timeout)));
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L * 1024L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, request.is_cancelled ? 0L : 1L);
  if (request.sigv4) SetSignature(*request.sigv4, curl);
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
}

}  // namespace

std::string RedactUrl(absl::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const size_t scheme = url.find("://");
  const size_t host = scheme == absl::string_view::npos ? 0 : scheme + 3;
  const absl::string_view authority = url.substr(host, url.substr(host).find('/'));
  const size_t at = authority.rfind('@');
  if (at == absl::string_view::npos) return std::string(url);
  return absl::StrCat(url.substr(0, host), url.substr(host + at + 1));
}

absl::StatusOr<HttpResponse> Fetch(const HttpRequest& request) {
  static const bool initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  thread_local const Handle handle(curl_easy_init(), &curl_easy_cleanup);
  if (!initialised || handle == nullptr) return absl::InternalError("cannot initialise libcurl");
  curl_easy_reset(handle.get());  // keeps the connections
  const List headers = HeadersOf(request);
  Transfer transfer{&request, handle.get(), {}, absl::OkStatus(), false};
  char error_text[CURL_ERROR_SIZE] = "";
  SetOptions(request, headers.get(), error_text, &transfer);
  const CURLcode code = curl_easy_perform(handle.get());
  const std::string what = absl::StrCat(request.method, " ", RedactUrl(request.url));
  if (!transfer.sink_status.ok()) return Annotate(transfer.sink_status, what);
  if (code != CURLE_OK) {
    return absl::Status(
        CodeOf(code),
        absl::StrCat(what, ": ", *error_text ? error_text : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  const char* effective = nullptr;
  curl_easy_getinfo(handle.get(), CURLINFO_EFFECTIVE_URL, &effective);
  if (effective != nullptr) transfer.response.effective_url = effective;
  return std::move(transfer.response);
}

}  // namespace davit
