#ifndef DAVIT_AGENT_CONTAINERD_TYPES_H_
#define DAVIT_AGENT_CONTAINERD_TYPES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace davit::containerd {

using Labels = std::map<std::string, std::string>;

// Identifies a blob. Source: OCI image-spec descriptor.md.
struct Descriptor {
  std::string media_type;
  std::string digest;  // "sha256:<64 hex>"
  int64_t size = 0;    // bytes
  Labels annotations;
  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

// The arguments of one mount(2), from a snapshotter.
struct Mount {
  std::string type;  // "overlay", "bind"
  std::string source;
  std::string target;
  std::vector<std::string> options;  // "lowerdir=/a:/b", "upperdir=/c", "rw"
  friend bool operator==(const Mount&, const Mount&) = default;
};

}  // namespace davit::containerd

#endif  // DAVIT_AGENT_CONTAINERD_TYPES_H_
