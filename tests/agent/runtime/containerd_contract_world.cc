#include "tests/agent/runtime/containerd_world.h"

namespace davit::test {

std::unique_ptr<RuntimeWorld> MakeRuntimeWorld() { return std::make_unique<ContainerdWorld>(); }

}  // namespace davit::test
