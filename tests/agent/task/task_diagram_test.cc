// This test tries every event in every reachable state of a one-container task and compares the
// result with docs/task-states.md. DAVIT_UPDATE_DOCS=1 rewrites that page.

#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "tests/agent/task/task_driver.h"

namespace davit::task {
namespace {

struct NamedEvent {
  std::string name;
  decltype(Event::what) what;
};

std::vector<NamedEvent> Events(const TaskSnapshot& task) {
  const ContainerSnapshot& web = task.containers[0];
  const Outcome done;
  const Outcome retry{Outcome::Kind::kRetry, "AnError: later"};
  const Outcome failed{Outcome::Kind::kFailed, "AnError: never"};
  const absl::Time at = absl::FromUnixSeconds(10);
  const auto seen = [&](Sighting::State state) {
    return Observed{{{"web", web.attempt, state, 7, 0, false, at}}, true};
  };
  return {{"assigned", GoalChanged{Goal::kRun, "", {}}},
          {"stop asked for", GoalChanged{Goal::kStop, "stop", v1::StopCode::UserInitiated}},
          {"admitted", Admitted{done}},
          {"never fits", Admitted{failed}},
          {"provisioned", Provisioned{task.attempt, done}},
          {"cannot provision", Provisioned{task.attempt, failed}},
          {"pulled", Pulled{"web", web.attempt, done, "sha256:1"}},
          {"cannot pull", Pulled{"web", web.attempt, failed, ""}},
          {"created", Created{"web", web.attempt, done, {}}},
          {"cannot create", Created{"web", web.attempt, failed, {}}},
          {"started", Started{"web", web.attempt, done, 7}},
          {"cannot start", Started{"web", web.attempt, failed, 0}},
          {"start unanswered", Started{"web", web.attempt, retry, 0}},
          {"exited", Exited{"web", 0, false, at}},
          {"removed from the host", Deprovisioned{task.attempt, done}},
          {"removal failed", Deprovisioned{task.attempt, retry}},
          {"timer", TimerFired{{TimerKey::Kind::kRetry, "", task.attempt}}},
          {"timer", TimerFired{{TimerKey::Kind::kRetry, "web", web.attempt}}},
          {"stop timer", TimerFired{{TimerKey::Kind::kStop, "web", web.stop_signals}}},
          {"seen running", seen(Sighting::State::kRunning)},
          {"seen stopped", seen(Sighting::State::kStopped)},
          {"seen gone", seen(Sighting::State::kAbsent)}};
}

// The name of a state in the diagram.
std::string NameOf(const TaskSnapshot& task) {
  const ContainerSnapshot& web = task.containers[0];
  std::string name =
      absl::StrCat(v1::TaskStatus::Value_Name(task.last_status), "_", ToString(web.phase));
  const Work work = web.work != Work::kNothing ? web.work : task.work;
  if (work != Work::kNothing) absl::StrAppend(&name, "_", ToString(work));
  if (task.goal == Goal::kStop && !task.finished)
    absl::StrAppend(&name, web.stop_signals > 1 ? "_killed" : "_stopping");
  return name;
}

// Attempts and times would make endlessly many snapshots of one state.
std::string KeyOf(const TaskSnapshot& task) {
  return absl::StrCat(NameOf(task), task.observed, task.admitted, task.owns_host_state,
                      task.provisioned);
}

std::string Diagram() {
  std::set<std::string> edges;
  std::set<std::string> seen;
  std::deque<TaskSnapshot> queue = {OneContainer()};
  while (!queue.empty()) {
    const TaskSnapshot task = queue.front();
    queue.pop_front();
    for (const NamedEvent& event : Events(task)) {
      const Step step = Advance(task, Event{absl::FromUnixSeconds(20), event.what});
      if (step.next == task) continue;
      if (NameOf(step.next) != NameOf(task)) {
        edges.insert(
            absl::StrCat("    ", NameOf(task), " --> ", NameOf(step.next), ": ", event.name, "\n"));
      }
      if (seen.insert(KeyOf(step.next)).second) queue.push_back(step.next);
    }
  }
  std::string text =
      "# The states of a task\n\nFound by trying every event in every reachable state of a task "
      "with one essential "
      "container\n(`tests/agent/task/task_diagram_test.cc`; `DAVIT_UPDATE_DOCS=1` rewrites this "
      "page). A state is the "
      "task's status,\nwhat is known of its container, and the work that is under way; what is not "
      "shown changes "
      "nothing.\n\n```mermaid\nstateDiagram-v2\n    [*] --> PENDING_none\n";
  for (const std::string& edge : edges) text += edge;
  return text + "    STOPPED_stopped --> [*]\n```\n";
}

TEST_CASE("docs/task-states.md matches the state machine", "[task][docs]") {
  const std::string path = absl::StrCat(DAVIT_SOURCE_DIR, "/docs/task-states.md");
  if (std::getenv("DAVIT_UPDATE_DOCS") != nullptr)
    REQUIRE(WriteFileAtomically(path, Diagram()).ok());
  const auto page = ReadFile(path);
  REQUIRE(page.ok());
  CHECK(*page == Diagram());
}

}  // namespace
}  // namespace davit::task
