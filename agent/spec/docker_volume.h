#ifndef DAVIT_AGENT_SPEC_DOCKER_VOLUME_H_
#define DAVIT_AGENT_SPEC_DOCKER_VOLUME_H_

#include <string>

#include "absl/status/statusor.h"
#include "davit/v1/task.pb.h"

namespace davit::spec {

// The volume that a dockerVolumeConfiguration describes.
struct DockerVolume {
  enum class Kind {
    kFolder,  // a folder that the agent creates
    kTmpfs,   // memory; lives as long as the task
    kBind,    // a folder of the host, which must exist
  };
  Kind kind = Kind::kFolder;
  bool is_shared = false;      // scope "shared": outlives the task, one per name and host
  bool autoprovision = false;  // create a missing shared volume
  std::string tmpfs_options;   // kTmpfs: "size=16m,mode=1777", for mount(2)
  std::string device;          // kBind: absolute path
};

// InvalidArgument: a driver other than "local", or driverOpts other than
//   {"type": "tmpfs", "device": "tmpfs", "o": "size=16m,uid=1000,gid=1000,mode=700,nr_inodes=1k"}
//   {"type": "none", "device": "/srv/data", "o": "bind"}
// (the first works without `o`; a tmpfs requires scope task). Source: ECS data type
// DockerVolumeConfiguration; options of Docker's local volume driver.
absl::StatusOr<DockerVolume> ParseDockerVolume(const v1::DockerVolumeConfiguration& configuration);

}  // namespace davit::spec

#endif  // DAVIT_AGENT_SPEC_DOCKER_VOLUME_H_
