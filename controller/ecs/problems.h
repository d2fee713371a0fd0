#ifndef DAVIT_CONTROLLER_ECS_PROBLEMS_H_
#define DAVIT_CONTROLLER_ECS_PROBLEMS_H_

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace davit::controller::ecs {

// Collects what is wrong with a request, each thing with the member it is about. Borrows the list.
class Problems {
 public:
  explicit Problems(std::vector<std::string>* list) : list_(list) {}

  template <typename... Text>
  void Add(absl::string_view member, const Text&... text) {
    list_->push_back(absl::StrCat(member, ": ", text...));
  }
  void CheckOneOf(absl::string_view member, absl::string_view value,
                  std::initializer_list<absl::string_view> allowed) {
    if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
    Add(member, "must be one of ", absl::StrJoin(allowed, ", "), "; is '", value, "'.");
  }
  void CheckGiven(absl::string_view member, absl::string_view value) {
    if (value.empty()) Add(member, "must not be empty.");
  }

 private:
  std::vector<std::string>* const list_;
};

}  // namespace davit::controller::ecs

#endif  // DAVIT_CONTROLLER_ECS_PROBLEMS_H_
