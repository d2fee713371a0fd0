#include "agent/task/task_action.h"

#include "absl/strings/str_cat.h"

namespace davit::task {
namespace {

struct Printer {
  std::string operator()(const Persist&) const { return "persist"; }
  std::string operator()(const Admit&) const { return "admit"; }
  std::string operator()(const Release&) const { return "release"; }
  std::string operator()(const Provision& a) const {
    return absl::StrCat("provision #", a.attempt);
  }
  std::string operator()(const Pull& a) const {
    return absl::StrCat("pull ", a.container, " #", a.attempt);
  }
  std::string operator()(const CancelPull& a) const {
    return absl::StrCat("cancel pull ", a.container);
  }
  std::string operator()(const Create& a) const {
    return absl::StrCat("create ", a.container, " #", a.attempt);
  }
  std::string operator()(const Start& a) const {
    return absl::StrCat("start ", a.container, " #", a.attempt);
  }
  std::string operator()(const Signal& a) const {
    return absl::StrCat("signal ", a.container, " ", a.signal_number,
                        a.whole_cgroup ? " cgroup" : "");
  }
  std::string operator()(const Check& a) const {
    return absl::StrCat("check ", ToString(a.probe), " ", a.container, " #", a.number);
  }
  std::string operator()(const Observe&) const { return "observe"; }
  std::string operator()(const Deprovision& a) const {
    return absl::StrCat("deprovision #", a.attempt);
  }
  std::string operator()(const ArmTimer& a) const {
    static constexpr const char* kKinds[] = {"retry ", "stop ", "start timeout ", "check "};
    const absl::string_view probe =
        a.key.kind == TimerKey::Kind::kCheck ? ToString(a.key.probe) : "";
    return absl::StrCat("timer ", kKinds[static_cast<size_t>(a.key.kind)], probe,
                        probe.empty() ? "" : " ", a.key.container, " #", a.key.attempt, " ",
                        absl::FormatDuration(a.delay));
  }
  std::string operator()(const Report&) const { return "report"; }
};

}  // namespace

std::string ToString(const Action& action) { return std::visit(Printer(), action); }

}  // namespace davit::task
