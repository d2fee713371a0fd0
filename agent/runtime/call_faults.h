#ifndef DAVIT_AGENT_RUNTIME_CALL_FAULTS_H_
#define DAVIT_AGENT_RUNTIME_CALL_FAULTS_H_

#include <deque>
#include <map>
#include <set>

#include "absl/status/status.h"
#include "base/mutex.h"

namespace davit::runtime {

// Runtime's calls.
enum class RuntimeVerb {
  kCreateLease,
  kRemoveLease,
  kListLeases,
  kPrepareRootfs,
  kCreate,
  kStart,
  kSignal,
  kInspect,
  kReset,
  kExec,
  kRemove,
  kList,
  kVersion
};

// How calls of a fake runtime fare, as a test orders it. Thread-safe. Only Enter() blocks.
class CallFaults {
 public:
  // The next `count` calls of `verb` fail with `status` and do nothing.
  void FailNext(RuntimeVerb verb, const absl::Status& status, int count);
  // The next call of `verb` does its work and fails with Unavailable all the same: its answer is
  // lost.
  void LoseNextAnswer(RuntimeVerb verb);
  // The next `count` calls of `verb` block, before they do anything, until Release(). Only for
  // callers on pools.
  void Hold(RuntimeVerb verb, int count);
  void Release(RuntimeVerb verb);
  // How many calls wait in Hold().
  int HeldCalls() const;
  // How many calls of `verb` have been made.
  int CallCount(RuntimeVerb verb) const;

  // At a call's begin, without locks: waits while `verb` is held; then the failure that was ordered
  // for this call, if any.
  absl::Status Enter(RuntimeVerb verb);
  // The answer of a call that did its work.
  absl::Status Leave(RuntimeVerb verb);

 private:
  mutable Mutex mu_;
  CondVar released_;
  std::map<RuntimeVerb, std::deque<absl::Status>> failures_ ABSL_GUARDED_BY(mu_);
  std::set<RuntimeVerb> lost_answers_ ABSL_GUARDED_BY(mu_);
  std::map<RuntimeVerb, int> held_ ABSL_GUARDED_BY(mu_);  // how many more calls are to wait
  std::map<RuntimeVerb, int> calls_ ABSL_GUARDED_BY(mu_);
  int held_calls_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace davit::runtime

#endif  // DAVIT_AGENT_RUNTIME_CALL_FAULTS_H_
