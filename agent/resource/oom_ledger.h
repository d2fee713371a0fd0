#ifndef DAVIT_AGENT_RESOURCE_OOM_LEDGER_H_
#define DAVIT_AGENT_RESOURCE_OOM_LEDGER_H_

#include <cstdint>
#include <map>
#include <string>

namespace davit::resource {

// Remembers the OOM kills of removed cgroups. On v1 the counter dies with the victim's own cgroup,
// which runc removes when the container is deleted; the task above it must still be able to say
// that it had one. Knows only what it was shown: kills between the last Observe() and the removal
// are lost. Not thread-safe.
class OomLedger {
 public:
  // `kills`: what the kernel counts now for `path` and every cgroup below it (path -> count).
  void Observe(const std::string& path, const std::map<std::string, int64_t>& kills);
  // Kills of `path` itself as seen last, plus all those ever seen below it. `path` itself starts
  // anew when it is made anew: a restarted container is not blamed for its predecessor's end.
  int64_t Total(const std::string& path) const;
  // Drops `path` and all below it.
  void Forget(const std::string& path);

 private:
  struct Count {
    int64_t retired = 0;  // of earlier cgroups of this name
    int64_t last = 0;     // of the present one
  };
  std::map<std::string, Count> counts_;
};

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_OOM_LEDGER_H_
