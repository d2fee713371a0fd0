#ifndef DAVIT_TESTS_SUPPORT_BUSYBOX_IMAGE_H_
#define DAVIT_TESTS_SUPPORT_BUSYBOX_IMAGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/containerd/client.h"

namespace davit::test {

// "sha256:<hex>" of `bytes`.
std::string Sha256(const std::string& bytes);

// A layer as an uncompressed tar: the host's static busybox as /bin/busybox and /bin/sh, the usual
// empty folders, /etc/passwd, and the link /etc/account to it. NotFound: no /usr/bin/busybox.
absl::StatusOr<std::string> BusyboxLayer();

// Stores that layer in containerd and unpacks it. Returns its chain id. The lease "busybox"
// protects it permanently.
absl::StatusOr<std::string> ImportBusybox(containerd::Client* client,
                                          const std::string& snapshotter = "overlayfs");

}  // namespace davit::test

#endif  // DAVIT_TESTS_SUPPORT_BUSYBOX_IMAGE_H_
