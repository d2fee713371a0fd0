#ifndef DAVIT_CONTROLLER_CAPACITY_HOST_H_
#define DAVIT_CONTROLLER_CAPACITY_HOST_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/definition/reservation.h"
#include "davit/v1/ecs.pb.h"

namespace davit::controller::capacity {

// Whether an attribute says what an agent can do, by ECS's names.
bool IsCapability(absl::string_view attribute);

// What many hosts have in common: their attributes. Immutable and shared.
struct Traits {
  std::map<std::string, std::string> attributes;
  // Whether any attribute is a capability. An agent that states none is asked for none.
  bool states_capabilities = false;

  bool operator==(const Traits& other) const = default;
};

// Gives equal traits the same address. Not thread-safe.
class TraitsPool {
 public:
  std::shared_ptr<const Traits> Intern(
      const google::protobuf::RepeatedPtrField<v1::Attribute>& attributes);

 private:
  absl::flat_hash_map<std::string, std::weak_ptr<const Traits>> pool_;
};

// One container instance, as far as placing tasks is concerned. A value.
struct Host {
  std::string arn;
  bool is_active = true;      // status ACTIVE: takes new tasks
  bool is_connected = false;  // its agent has a session and its container runtime answers
  int64_t cpu_units = 0;      // registered
  int64_t memory_mib = 0;
  int64_t free_cpu_units = 0;  // registered less what its tasks reserve
  int64_t free_memory_mib = 0;
  int task_count = 0;                // tasks that are not STOPPED
  std::vector<int> taken_tcp_ports;  // the host's own reserved ones included; sorted, may repeat
  std::vector<int> taken_udp_ports;
  std::vector<std::string> gpus;        // ids, as registered; sorted
  std::vector<std::string> taken_gpus;  // what its tasks hold; sorted
  std::shared_ptr<const Traits> traits = std::make_shared<Traits>();

  // Takes and gives back. Release() of what was reserved restores the host exactly.
  void Reserve(const Reservation& needs);
  void Release(const Reservation& needs);
  // Ids that no task holds; sorted. A GPU that a task holds but the host no longer has is ignored.
  std::vector<std::string> FreeGpus() const;
};

// Sets what the host has in total, with nothing running on it. Other members stay as they are.
void SetRegistered(const google::protobuf::RepeatedPtrField<v1::Resource>& resources, Host* host);

}  // namespace davit::controller::capacity

#endif  // DAVIT_CONTROLLER_CAPACITY_HOST_H_
