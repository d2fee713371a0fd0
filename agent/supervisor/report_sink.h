#ifndef DAVIT_AGENT_SUPERVISOR_REPORT_SINK_H_
#define DAVIT_AGENT_SUPERVISOR_REPORT_SINK_H_

#include "davit/v1/agent.pb.h"

namespace davit::supervisor {

// Where the states of tasks go: the session with the controller. Thread-safe; never blocks.
class ReportSink {
 public:
  virtual ~ReportSink() = default;
  // The latest state of a task. A terminal one is durable already, and is given again after each
  // reconnect until Supervisor::NoteAcked().
  virtual void Report(v1::TaskState state) = 0;
  // Supervisor::runtime_available() or stuck_calls() has another value than before: whoever places
  // tasks here should know at once.
  virtual void HealthChanged() {}
  // Tasks run here that nobody knows, and did not at the last look: whoever assigns tasks should be
  // asked whose they are.
  virtual void OrphansFound() {}
};

}  // namespace davit::supervisor

#endif  // DAVIT_AGENT_SUPERVISOR_REPORT_SINK_H_
