#ifndef DAVIT_AGENT_RESOURCE_OOM_LEDGER_H_
#define DAVIT_AGENT_RESOURCE_OOM_LEDGER_H_

#include <cstdint>
#include <map>
#include <string>

namespace davit::resource {

// Remembers the OOM kills of removed cgroups. On v1 the counter is in the victim's own cgroup,
// which runc removes with the container, but the task must still report the kill. Kills between the
// last Observe() and the removal are lost. Not thread-safe.
class OomLedger {
 public:
  // `kills`: the kernel's current counts for `path` and every cgroup below it, by path.
  void Observe(const std::string& path, const std::map<std::string, int64_t>& kills);
  // The last observed kills of `path` itself, plus all kills ever observed below it. The count of
  // `path` itself restarts when its cgroup is created again, so a restarted container is not blamed
  // for its earlier life.
  int64_t Total(const std::string& path) const;
  // Forgets `path` and everything below it.
  void Forget(const std::string& path);

 private:
  struct Count {
    int64_t retired = 0;  // kills of earlier cgroups of this name
    int64_t last = 0;     // kills of the current one
  };
  std::map<std::string, Count> counts_;
};

}  // namespace davit::resource

#endif  // DAVIT_AGENT_RESOURCE_OOM_LEDGER_H_
