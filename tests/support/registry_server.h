#ifndef DAVIT_TESTS_SUPPORT_REGISTRY_SERVER_H_
#define DAVIT_TESTS_SUPPORT_REGISTRY_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::test {

// A private registry (docker-registry) for a test: temporary storage, a free port of the loopback
// interface, plain HTTP. The destructor ends it and removes the storage. Not thread-safe.
class RegistryServer {
 public:
  // Starts and waits until it answers. NotFound: docker-registry is not installed.
  static absl::StatusOr<std::unique_ptr<RegistryServer>> Start();
  ~RegistryServer();
  RegistryServer(const RegistryServer&) = delete;
  RegistryServer& operator=(const RegistryServer&) = delete;

  // "127.0.0.1:PORT": the first part of an image's name.
  std::string host() const;
  // Where it keeps the blob: for tests that damage it.
  std::string BlobPath(absl::string_view digest) const;
  // How many requests it has served so far whose "METHOD PATH" contains `text`.
  int CountRequests(absl::string_view text) const;

  // Sends SIGKILL. Pushed content stays.
  void Stop();
  // After Stop(): the same content on the same port.
  absl::Status Restart();

 private:
  explicit RegistryServer(std::string folder) : folder_(std::move(folder)) {}
  absl::Status Launch();
  bool IsAnswering() const;

  const std::string folder_;
  int port_ = 0;
  pid_t pid_ = -1;  // -1: not running
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_SUPPORT_REGISTRY_SERVER_H_
