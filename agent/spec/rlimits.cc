#include "agent/spec/rlimits.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace davit::spec {
namespace {

constexpr absl::string_view kNames[] = {"core",    "cpu",      "data",   "fsize",      "locks",
                                        "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                        "rss",     "rtprio",   "rttime", "sigpending", "stack"};
constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();  // RLIM_INFINITY

absl::StatusOr<uint64_t> ParseLimit(int32_t value, absl::string_view member) {
  if (value == -1) return kUnlimited;
  if (value >= 0) return static_cast<uint64_t>(value);
  return absl::InvalidArgumentError(
      absl::StrCat(member, ": ", value, " is not a limit or -1 (unlimited)"));
}

std::string LimitText(uint64_t limit) {
  return limit == kUnlimited ? "unlimited" : absl::StrCat(limit);
}

absl::Status CheckHostAllows(const HostFacts& host, const std::string& type, uint64_t hard,
                             absl::string_view member) {
  const auto own = host.rlimit_hard.find(type);
  if (host.can_raise_rlimits || own == host.rlimit_hard.end() || hard <= own->second) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      member, ": hardLimit ", LimitText(hard), " is above the host's hard limit of ",
      LimitText(own->second), ", which the agent cannot raise without CAP_SYS_RESOURCE"));
}

absl::StatusOr<nlohmann::json> BuildRlimit(const v1::Ulimit& ulimit, const HostFacts& host,
                                           absl::string_view member) {
  if (std::find(std::begin(kNames), std::end(kNames), ulimit.name()) == std::end(kNames)) {
    return absl::InvalidArgumentError(absl::StrCat(
        member, ".name: '", ulimit.name(), "' is not one of ", absl::StrJoin(kNames, ", ")));
  }
  const std::string with_name = absl::StrCat(member, " (", ulimit.name(), ")");
  if (!ulimit.has_soft_limit() || !ulimit.has_hard_limit()) {
    return absl::InvalidArgumentError(
        absl::StrCat(with_name, ": softLimit and hardLimit are required"));
  }
  ASSIGN_OR_RETURN(const uint64_t soft,
                   ParseLimit(ulimit.soft_limit(), absl::StrCat(with_name, ".softLimit")));
  ASSIGN_OR_RETURN(const uint64_t hard,
                   ParseLimit(ulimit.hard_limit(), absl::StrCat(with_name, ".hardLimit")));
  if (soft > hard) {
    return absl::InvalidArgumentError(absl::StrCat(with_name, ": softLimit ", LimitText(soft),
                                                   " is above hardLimit ", LimitText(hard)));
  }
  const std::string type = absl::StrCat("RLIMIT_", absl::AsciiStrToUpper(ulimit.name()));
  RETURN_IF_ERROR(CheckHostAllows(host, type, hard, with_name));
  return nlohmann::json{{"type", type}, {"soft", soft}, {"hard", hard}};
}

}  // namespace

absl::StatusOr<nlohmann::json> BuildRlimits(const SpecInput& input) {
  nlohmann::json rlimits = nlohmann::json::array();
  std::set<std::string> seen;
  for (int i = 0; i < input.container.ulimits_size(); ++i) {
    const std::string member = absl::StrCat("ulimits[", i, "]");
    const v1::Ulimit& ulimit = input.container.ulimits(i);
    ASSIGN_OR_RETURN(nlohmann::json rlimit, BuildRlimit(ulimit, input.host, member));
    if (!seen.insert(ulimit.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(member, ": ", ulimit.name(), " is limited twice"));
    }
    rlimits.push_back(std::move(rlimit));
  }
  return rlimits;
}

}  // namespace davit::spec
