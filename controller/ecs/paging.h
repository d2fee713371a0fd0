#ifndef DAVIT_CONTROLLER_ECS_PAGING_H_
#define DAVIT_CONTROLLER_ECS_PAGING_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace davit::controller::ecs {

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

// Fills one page with items whose keys come in order, from the first one after page.after.
class PageFiller {
 public:
  PageFiller(absl::string_view operation, Page page)
      : operation_(operation), page_(std::move(page)) {}
  const std::string& after() const { return page_.after; }
  // False when the page is full: the item belongs to the next one.
  bool Take(absl::string_view key) {
    if (taken_ == page_.size) {
      next_token_ = MakeToken(operation_, last_);
      return false;
    }
    ++taken_;
    last_ = std::string(key);
    return true;
  }
  template <typename Response>
  void SetNextToken(Response* response) const {
    if (!next_token_.empty()) response->set_next_token(next_token_);
  }

 private:
  const std::string operation_;
  const Page page_;
  size_t taken_ = 0;
  std::string last_;
  std::string next_token_;
};

}  // namespace davit::controller::ecs

#endif  // DAVIT_CONTROLLER_ECS_PAGING_H_
