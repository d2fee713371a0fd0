#ifndef DAVIT_BASE_DEFINITION_RESERVATION_H_
#define DAVIT_BASE_DEFINITION_RESERVATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "davit/v1/task.pb.h"

namespace davit {

// What a task takes from its host for as long as it is not STOPPED.
struct Reservation {
  int64_t cpu_units = 0;  // 1024 = one core
  int64_t memory_mib = 0;
  std::vector<int> tcp_ports;  // static host ports; sorted
  std::vector<int> udp_ports;
  int gpus = 0;                           // how many
  std::vector<std::string> gpu_ids = {};  // which ones of its host, once it is placed

  bool operator==(const Reservation& other) const = default;
};

// By ECS's arithmetic: cpu = the task's, else the sum of its containers'; memory = the task's, else
// the sum of memoryReservation, or memory where there is none; ports = host ports other than 0, in
// bridge and host mode; GPUs = the sum of its containers'. An override wins over the definition's
// value. `definition` is a registered one: its cpu and memory are decimal numbers.
Reservation ReservationOf(const v1::TaskDefinition& definition, const v1::TaskOverride& overrides);

// How many GPUs a container asks for: by its override if that has resourceRequirements, else by its
// definition.
int GpusOf(const v1::ContainerDefinition& container, const v1::ContainerOverride& replaced);

}  // namespace davit

#endif  // DAVIT_BASE_DEFINITION_RESERVATION_H_
