#ifndef DAVIT_AGENT_SPEC_SPEC_INPUT_H_
#define DAVIT_AGENT_SPEC_SPEC_INPUT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "agent/spec/oci_spec.h"

namespace davit::spec {

// What every part of a spec is made from. Borrows all of it for the length of one BuildOciSpec().
struct SpecInput {
  const v1::TaskDefinition& task;
  const v1::ContainerDefinition& container;
  const v1::ContainerOverride& overrides;  // this container's; empty when there is none
  const ImageConfig& image;
  const HostFacts& host;
  const ContainerPlace& place;
};

// Whether the container has a network namespace apart from the host's.
bool HasOwnNetwork(const SpecInput& input);
// Whether the container shares the host's IPC namespace, and with it /dev/shm.
bool SharesHostIpc(const SpecInput& input);

// Whether the container's first process is the host's init program, bound to this path: asked for
// by initProcessEnabled, and of use in a PID namespace of its own only: the others have one
// already. Both as Docker does.
inline constexpr char kInitInContainer[] = "/sbin/docker-init";
bool RunsUnderInit(const SpecInput& input);

// "/a/b" for "/a/./x/../b/": absolute, without ".", "..", doubled or trailing slashes.
// InvalidArgument: not absolute, or holds a NUL byte; the text names `member`.
absl::StatusOr<std::string> CleanAbsolutePath(absl::string_view path, absl::string_view member);

// Texts that end at a NUL byte in the kernel would mean something else there than here.
// InvalidArgument: `text` holds one; the text names `member`.
absl::Status CheckNoNul(absl::string_view text, absl::string_view member);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_SPEC_INPUT_H_
