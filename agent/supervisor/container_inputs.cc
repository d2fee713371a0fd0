#include "agent/supervisor/container_inputs.h"

#include <csignal>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "agent/supervisor/outcome.h"
#include "base/definition/overrides.h"
#include "base/status.h"

namespace davit::supervisor {
namespace {

int StopSignalOf(const spec::ImageConfig& config) {
  absl::string_view name = config.stop_signal;
  int number = 0;
  if (absl::SimpleAtoi(name, &number) && number > 0 && number < NSIG) return number;
  if (absl::StartsWith(name, "SIG")) name.remove_prefix(3);
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* known = sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  return SIGTERM;
}

}  // namespace

task::Pulled ContainerInputs::Pull(Task* task, const std::string& container, int attempt) const {
  const std::shared_ptr<std::atomic<bool>> cancelled = task->CancelFlag(container);
  absl::StatusOr<image::PulledImage> image =
      deps_.puller->Pull(task->Definition(container).image(), task->Lease(),
                         [cancelled] { return cancelled->load(); });
  if (!image.ok()) {
    task::Outcome outcome = ToOutcome(image.status(), "CannotPullContainerError");
    // The puller has tried again already, unless containerd is away.
    outcome.kind = absl::IsAborted(image.status()) ? task::Outcome::Kind::kRetry
                                                   : task::Outcome::Kind::kFailed;
    return {container, attempt, std::move(outcome), "", SIGTERM};
  }
  task::Pulled pulled{container, attempt, {}, image->manifest_digest, StopSignalOf(image->config)};
  task->SetImage(container, std::move(*image));
  return pulled;
}

bool ContainerInputs::HasValues(const Task& task, const std::string& container) const {
  return secret::ValueResolver::IsNeeded(task.Definition(container),
                                         OverrideOf(task.assignment().overrides(), container));
}

absl::StatusOr<secret::ResolvedValues> ContainerInputs::Resolve(
    const Task& task, const std::string& container) const {
  if (deps_.values == nullptr) {
    return absl::FailedPreconditionError(
        "the agent has no source of secrets and environment files");
  }
  return deps_.values->Resolve(task.Definition(container),
                               OverrideOf(task.assignment().overrides(), container));
}

}  // namespace davit::supervisor
