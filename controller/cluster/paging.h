#ifndef DAVIT_CONTROLLER_CLUSTER_PAGING_H_
#define DAVIT_CONTROLLER_CLUSTER_PAGING_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::cluster {

// One page of a sorted list. The token of the next page is the key of the last item of this one, in
// a form that is opaque and checked: a token of another operation or a mutilated one is refused.
struct Page {
  std::string after;  // items have keys greater than this one; empty: from the start
  size_t size = 100;
};

// `operation` names the list. InvalidParameterException: a bad token, or maxResults not in 1..100.
template <typename Request>
absl::StatusOr<Page> PageOf(const Request& request, absl::string_view operation);

std::string MakeToken(absl::string_view operation, absl::string_view last_key);
absl::StatusOr<Page> ParsePage(absl::string_view operation, bool has_max_results, int max_results,
                               absl::string_view token);

template <typename Request>
absl::StatusOr<Page> PageOf(const Request& request, absl::string_view operation) {
  return ParsePage(operation, request.has_max_results(), request.max_results(),
                   request.next_token());
}

}  // namespace davit::cluster

#endif  // DAVIT_CONTROLLER_CLUSTER_PAGING_H_
