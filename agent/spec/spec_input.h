#ifndef DAVIT_AGENT_SPEC_SPEC_INPUT_H_
#define DAVIT_AGENT_SPEC_SPEC_INPUT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "agent/spec/oci_spec.h"

namespace davit::spec {

// The input of every part of a spec. Borrows all of it during one BuildOciSpec().
struct SpecInput {
  const v1::TaskDefinition& task;
  const v1::ContainerDefinition& container;
  const v1::ContainerOverride& overrides;  // this container's; empty when there is none
  const ImageConfig& image;
  const HostFacts& host;
  const ContainerPlace& place;
};

// Whether the container's network namespace is not the host's.
bool HasOwnNetwork(const SpecInput& input);
// Whether the container shares the host's IPC namespace, and with it /dev/shm.
bool SharesHostIpc(const SpecInput& input);

// The host's init program is bind-mounted on this path, as in Docker. It is the container's first
// process if initProcessEnabled is set and the container has its own PID namespace; other PID
// namespaces already have an init.
inline constexpr char kInitInContainer[] = "/sbin/docker-init";
bool RunsUnderInit(const SpecInput& input);

// Normalizes an absolute path: "/a/b" for "/a/./x/../b/", without ".", "..", double or trailing
// slashes. InvalidArgument: not absolute, or contains a NUL byte; the message names `member`.
absl::StatusOr<std::string> CleanAbsolutePath(absl::string_view path, absl::string_view member);

// Refuses NUL bytes, because the kernel would cut the text there. InvalidArgument: `text` contains
// one; the message names `member`.
absl::Status CheckNoNul(absl::string_view text, absl::string_view member);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_SPEC_INPUT_H_
