#include "agent/resource/oom_ledger.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace davit::resource {
namespace {

bool IsBelow(const std::string& path, const std::string& ancestor) {
  return absl::StartsWith(path, absl::StrCat(ancestor, "/"));
}

}  // namespace

void OomLedger::Observe(const std::string& path, const std::map<std::string, int64_t>& kills) {
  for (auto& [known, count] : counts_) {
    const bool vanished = (known == path || IsBelow(known, path)) && kills.count(known) == 0;
    if (!vanished) continue;
    count.retired += count.last;
    count.last = 0;
  }
  for (const auto& [seen, kill_count] : kills) {
    Count& count = counts_[seen];
    if (kill_count < count.last) count.retired += count.last;  // removed and created again since
    count.last = kill_count;
  }
}

int64_t OomLedger::Total(const std::string& path) const {
  int64_t total = 0;
  for (const auto& [known, count] : counts_) {
    if (known == path) total += count.last;
    if (IsBelow(known, path)) total += count.retired + count.last;
  }
  return total;
}

void OomLedger::Forget(const std::string& path) {
  for (auto it = counts_.begin(); it != counts_.end();) {
    it = it->first == path || IsBelow(it->first, path) ? counts_.erase(it) : std::next(it);
  }
}

}  // namespace davit::resource
