#ifndef DAVIT_CONTROLLER_ECS_REQUESTS_H_
#define DAVIT_CONTROLLER_ECS_REQUESTS_H_

#include <algorithm>
#include <initializer_list>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace davit::controller::ecs {

// What the requests of reads have in common.

// InvalidParameterException: `value` is none of `allowed`. An empty one stands for an absent
// member.
absl::Status CheckOneOf(absl::string_view member, absl::string_view value,
                        std::initializer_list<absl::string_view> allowed);
// InvalidParameterException: a Describe operation names none, or more than 100.
absl::Status CheckBatch(int size, absl::string_view member);

template <typename List>
bool Contains(const List& list, absl::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// Adds the failure of an object that a Describe operation does not know.
template <typename Response>
void AddMissing(std::string arn, Response* response) {
  auto* failure = response->add_failures();
  failure->set_arn(std::move(arn));
  failure->set_reason("MISSING");
}

}  // namespace davit::controller::ecs

#endif  // DAVIT_CONTROLLER_ECS_REQUESTS_H_
