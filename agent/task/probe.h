#ifndef DAVIT_AGENT_TASK_PROBE_H_
#define DAVIT_AGENT_TASK_PROBE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit::task {

// When a check is made and what its ends amount to. What is run is the effects' business.
struct HealthCheck {
  absl::Duration interval = absl::Seconds(30);
  int retries = 3;              // consecutive failures that are believed
  absl::Duration start_period;  // failures this soon after the start do not count
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

// Numbered for the store: never renumber.
enum class Health { kUnknown = 0, kHealthy = 1, kUnhealthy = 2 };

// What a running container is asked again and again. Numbered for the store: never renumber.
enum class ProbeKind {
  kLiveness = 0,   // ECS's healthCheck: is it alive?
  kReadiness = 1,  // Davit's readiness check: may it have traffic? Comes and goes, and ends nothing
};

// How one check ended.
struct CheckResult {
  std::optional<int> exit_code;          // nullopt: it did not end in time, or could not be started
  std::string output;                    // its last words
  absl::Time at = absl::InfinitePast();  // when it was heard of
  friend bool operator==(const CheckResult&, const CheckResult&) = default;
};

struct Probe {
  HealthCheck check;  // constant: from the task definition

  Health health = Health::kUnknown;  // in this life; for readiness: ready, not ready
  int failures = 0;                  // in a row, counted up to `retries`
  int number = 0;  // of checks begun in all lives, so that late answers count for nothing
  std::vector<CheckResult> results;  // the last few, also of earlier lives; the latest is last
  friend bool operator==(const Probe&, const Probe&) = default;
};

absl::string_view ToString(Health health);   // HEALTHY, UNHEALTHY, UNKNOWN
absl::string_view ToString(ProbeKind kind);  // liveness, readiness

}  // namespace davit::task

#endif  // DAVIT_AGENT_TASK_PROBE_H_
