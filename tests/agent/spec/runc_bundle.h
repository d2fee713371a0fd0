#ifndef DAVIT_TESTS_AGENT_SPEC_RUNC_BUNDLE_H_
#define DAVIT_TESTS_AGENT_SPEC_RUNC_BUNDLE_H_

#include <string>

#include "base/subprocess.h"
#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {

// An OCI bundle in a temporary folder, with busybox and the probe in its root file system. Has its
// own network namespace, cgroup parent and runc state folder. The destructor removes everything.
// Needs root, runc and busybox; skips the test program if one is missing.
class RuncBundle {
 public:
  RuncBundle();
  ~RuncBundle();
  RuncBundle(const RuncBundle&) = delete;
  RuncBundle& operator=(const RuncBundle&) = delete;

  // A fixture with this bundle's ContainerPlace and this host's facts, for a container with the
  // members in `container_json`.
  Fixture MakeFixture(const std::string& container_json = "{}") const;
  // Runs `script` with the shell of a container made from `fixture`, waits for it, deletes it.
  CommandResult Run(Fixture fixture, const std::string& script) const;
  // The trimmed standard output of Run(). Fails the test if the script fails.
  std::string Output(const Fixture& fixture, const std::string& script) const;

  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::string cgroup_parent_;
};

}  // namespace davit::spec

#endif  // DAVIT_TESTS_AGENT_SPEC_RUNC_BUNDLE_H_
