#ifndef DAVIT_CONTROLLER_SCHEDULE_SCHEDULE_H_
#define DAVIT_CONTROLLER_SCHEDULE_SCHEDULE_H_

#include <string>
#include <vector>

#include "controller/change/change.h"

namespace davit::controller::schedule {

// What shall run, and where it came from: the one shape behind every way to start tasks.
struct TaskSpec {
  const state::Cluster* cluster = nullptr;    // borrowed, as is `revision`
  const state::Revision* revision = nullptr;  // ACTIVE
  v1::TaskOverride overrides;                 // cpu and memory as plain numbers
  std::string group;
  std::string started_by;
  google::protobuf::RepeatedPtrField<v1::Tag> tags;
  std::string client_token;
  std::string request_digest;  // with client_token
};

struct Scheduled {
  std::vector<const state::Task*> tasks;
  // Why instances refused the first task that found no place: the first kMaxFailures of them, by
  // id. Empty if all tasks were placed, or there is no instance.
  std::vector<v1::Failure> failures;
};
inline constexpr size_t kMaxFailures = 100;

// Writes up to `count` tasks of `spec`, each with the host that placement chooses for it. Each
// takes into account what the ones before it took.
Scheduled Schedule(const TaskSpec& spec, int count, change::Change* change);

}  // namespace davit::controller::schedule

#endif  // DAVIT_CONTROLLER_SCHEDULE_SCHEDULE_H_
