#ifndef DAVIT_BASE_DEFINITION_RESERVATION_H_
#define DAVIT_BASE_DEFINITION_RESERVATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "davit/v1/task.pb.h"

namespace davit {

// What a task reserves on its host until it is STOPPED.
struct Reservation {
  int64_t cpu_units = 0;  // 1024 = one core
  int64_t memory_mib = 0;
  std::vector<int> tcp_ports;  // static host ports; sorted
  std::vector<int> udp_ports;
  int gpus = 0;                           // count
  std::vector<std::string> gpu_ids = {};  // the host's GPUs that it has, once it is placed

  bool operator==(const Reservation& other) const = default;
};

// Computes the reservation as ECS does. cpu: the task's, else the sum over its containers. memory:
// the task's, else the sum of each container's memoryReservation or, without one, memory. Ports:
// static host ports in bridge and host mode. GPUs: the sum over its containers. An override
// replaces the definition's value. `definition` must be registered, so that its cpu and memory are
// decimal numbers.
Reservation ReservationOf(const v1::TaskDefinition& definition, const v1::TaskOverride& overrides);

// The number of GPUs that a container requires, from its override if that has resourceRequirements,
// else from its definition.
int GpusOf(const v1::ContainerDefinition& container, const v1::ContainerOverride& replaced);

}  // namespace davit

#endif  // DAVIT_BASE_DEFINITION_RESERVATION_H_
