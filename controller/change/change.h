#ifndef DAVIT_CONTROLLER_CHANGE_CHANGE_H_
#define DAVIT_CONTROLLER_CHANGE_CHANGE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "controller/change/deadlines.h"
#include "controller/change/effect.h"
#include "controller/state/state.h"

namespace davit::controller::change {

using rows::Durability;
using rows::Ref;

// When a command is applied. Operations read no clock of their own.
struct Instant {
  absl::Time wall;           // for people and records
  absl::Duration monotonic;  // for deadlines
};

struct Options {
  state::Place place;
  absl::Duration stopped_retention = absl::Hours(1);  // how long a STOPPED task can be described
  absl::Duration grace = absl::Seconds(60);  // how long an agent may be away before that is noted
  std::function<std::string()> new_id;  // 32 hexadecimal digits, never the same twice; required
};

// What one command does to the state, at one instant. Writes are seen by later reads of the same
// Change, and become real with Finish(); a Change that is destroyed before takes all of them back,
// so that a command that fails leaves nothing. Not thread-safe; one at a time over a state.
//
// Operations are functions over a Change: StatusOr<Response> Apply(const Request&, Change*).
class Change {
 public:
  struct Write {
    rows::Mutation mutation;
    rows::Mutation before;  // what undoes it
  };
  struct Result {
    std::vector<rows::Mutation> mutations;
    std::vector<Effect> effects;
  };

  // Borrowed: all three.
  Change(state::State* state, const Options* options, Deadlines* deadlines, Instant now)
      : state_(state), options_(options), deadlines_(deadlines), now_(now) {}
  ~Change();
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  const state::State& state() const { return *state_; }
  const Options& options() const { return *options_; }
  const state::Place& place() const { return options_->place; }
  const Instant& now() const { return now_; }
  // Milliseconds since 1970, as records hold times.
  int64_t now_ms() const { return absl::ToUnixMillis(now_.wall); }
  std::string NewId() const { return options_->new_id(); }

  // The object exists from now on, and is like this.
  template <typename Record>
  void Put(Record record, Durability durability = Durability::kNow) {
    std::string key = rows::KeyOf(record);
    Stage({std::move(key), std::make_shared<const Record>(std::move(record)), durability});
  }
  void PutFamily(absl::string_view family, v1::StoredFamily record) {
    Stage({rows::FamilyKey(family), std::make_shared<const v1::StoredFamily>(std::move(record)),
           Durability::kNow});
  }
  // The object that `record` describes is gone.
  template <typename Record>
  void Erase(const Record& record, Durability durability = Durability::kNow) {
    Stage({rows::KeyOf(record), Ref<Record>(), durability});
  }
  void PutSession(rows::Session session) { Put(std::move(session), Durability::kNever); }
  void EraseSession(const rows::Session& session) { Erase(session, Durability::kNever); }

  void Send(const std::string& session_id, v1::ControllerMessage message);
  void SendAssignments(const std::string& session_id, Assignments assignments);
  // Says why, then ends the stream.
  void EndSession(const std::string& session_id, v1::Goodbye::Code code, absl::string_view reason);
  void AddNote(Note::Level level, absl::string_view message,
               std::vector<std::pair<std::string, std::string>> fields);

  // Take effect with Finish().
  void SetDeadline(Deadline deadline, absl::Duration delay);
  void ClearDeadline(Deadline deadline);

  // What was written so far, in order.
  const std::vector<Write>& writes() const { return writes_; }
  // How many rows of the store that means.
  size_t CountRows() const;

  Result Finish();

 private:
  struct Timing {
    Deadline deadline;
    std::optional<absl::Duration> when;  // nullopt: cleared
  };
  void Stage(rows::Mutation mutation);

  state::State* const state_;
  const Options* const options_;
  Deadlines* const deadlines_;
  const Instant now_;
  std::vector<Write> writes_;
  std::vector<Effect> effects_;
  std::vector<Timing> timings_;
};

}  // namespace davit::controller::change

#endif  // DAVIT_CONTROLLER_CHANGE_CHANGE_H_
