#ifndef DAVIT_BENCH_CONTROLLER_API_CLIENT_H_
#define DAVIT_BENCH_CONTROLLER_API_CLIENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::bench {

// One keep-alive connection to the controller's API. It costs as little CPU as possible, because
// client and controller share the machine: a plain socket, one send and few receives per call.
// Not thread-safe: one per thread. Calls block.
class ApiClient {
 public:
  explicit ApiClient(int port) : port_(port) {}
  ~ApiClient();
  ApiClient(ApiClient&& other) noexcept : port_(other.port_), fd_(other.fd_) { other.fd_ = -1; }
  ApiClient& operator=(ApiClient&&) = delete;

  // The body of the answer. FailedPrecondition: the API refused, and the text is its answer.
  // Unavailable: the connection failed; the next call makes a new one.
  absl::StatusOr<std::string> Call(absl::string_view operation, absl::string_view body);

 private:
  absl::Status Connect();
  void Disconnect();
  absl::StatusOr<std::string> Exchange(const std::string& request, bool* is_stale);

  const int port_;
  int fd_ = -1;
};

// Every value of the member "taskArn" in an answer of RunTask or StopTask, each once.
std::vector<std::string> TaskArnsOf(absl::string_view json);

}  // namespace davit::bench

#endif  // DAVIT_BENCH_CONTROLLER_API_CLIENT_H_
