#ifndef DAVIT_TESTS_SIM_FLEET_HOST_H_
#define DAVIT_TESTS_SIM_FLEET_HOST_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/session/assignment_reader.h"
#include "controller/loop/agent_sessions.h"
#include "tests/sim/random.h"

namespace davit::sim {

// A host of the fleet: what an agent does, without containers. Single-threaded.
class FleetHost {
 public:
  static constexpr int kCpuUnits = 2048;
  static constexpr int kMemoryMib = 2000;

  explicit FleetHost(int number);

  // Dials the controller: Hello. An earlier stream, if there is one, is left as it is.
  void Connect(controller::loop::AgentSessions* sessions);
  // The stream breaks.
  void Disconnect();
  // The controller's program is gone, and the stream with it.
  void DropStream();
  bool is_connected() const { return stream_ != nullptr; }
  // Takes in the next message of the controller; false: none has come.
  bool ReceiveOne();
  // One of its tasks comes further, or ends by itself if `ends`; the controller is told.
  void Progress(Random* random, bool ends);
  void Beat();
  // Tells the controller everything again that it may not know.
  void ReportAll();
  void LoseNextMessage() { loses_next_ = true; }

  // The first thing that must not be; empty: nothing.
  const std::string& violation() const { return violation_; }
  // Tasks that are not STOPPED here.
  std::set<std::string> Unfinished() const;
  // Tasks whose end the controller has acknowledged.
  const std::set<std::string>& acknowledged_ends() const { return acknowledged_ends_; }
  int64_t memory_in_use() const;

 private:
  struct Task {
    davit::v1::TaskStatus::Value status = davit::v1::TaskStatus::PENDING;
    bool must_stop = false;
    int64_t memory_mib = 0;
    uint64_t sequence = 0;
  };
  class Stream;

  void Handle(const v1::ControllerMessage& message);
  void HandleSet(const v1::AssignmentSet& set);
  void Send(v1::AgentMessage message);
  void Report(const std::vector<std::string>& arns);

  const int number_;
  std::string arn_;
  controller::loop::AgentSessions* sessions_ = nullptr;
  std::shared_ptr<Stream> stream_;
  std::string session_id_;  // empty: not welcomed
  session::AssignmentReader reader_;
  std::optional<uint64_t> results_in_;  // nullopt: no COMPLETE set yet
  std::set<std::string> listed_;
  std::map<std::string, Task> tasks_;
  std::map<uint64_t, std::vector<std::string>> reported_ends_;  // by report id, of this session
  std::set<std::string> acknowledged_ends_;
  uint64_t reports_ = 0;
  uint64_t beats_ = 0;
  uint64_t sequence_ = 0;
  bool loses_next_ = false;
  std::string violation_;
};

}  // namespace davit::sim

#endif  // DAVIT_TESTS_SIM_FLEET_HOST_H_
