#include "controller/definition/reads.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "controller/definition/render.h"
#include "controller/ecs/ecs_error.h"
#include "controller/ecs/paging.h"
#include "controller/ecs/requests.h"
#include "controller/state/lookup.h"

namespace davit::controller::definition {
namespace {

using state::Family;
using state::State;

// Keys of ListTaskDefinitions: they sort by family, then by revision.
std::string KeyOf(const std::string& family, int revision) {
  return absl::StrFormat("%s:%010d", family, revision);
}

// A cursor over all revisions, in one of the two orders.
class Revisions {
 public:
  Revisions(const State::Families& families, const v1::ListTaskDefinitionsRequest& request)
      : families_(families), request_(request), is_descending_(request.sort() == "DESC") {}

  // Calls `visit` with key and revision for those after the key `after`, until it is false.
  template <typename Visit>
  void ForEachAfter(const std::string& after, Visit visit) const {
    const std::string first_family = after.substr(0, after.rfind(':'));
    const auto visit_family = [&](const std::string& name, const Family& family) {
      if (request_.has_family_prefix() && name != request_.family_prefix()) return true;
      const auto visit_one = [&](const auto& entry) {
        const std::string key = KeyOf(name, entry.first);
        if (!after.empty() && (is_descending_ ? key >= after : key <= after)) return true;
        return visit(key, entry.second);
      };
      const auto& revisions = family.revisions;
      return is_descending_ ? std::all_of(revisions.rbegin(), revisions.rend(), visit_one)
                            : std::all_of(revisions.begin(), revisions.end(), visit_one);
    };
    if (is_descending_) {
      auto begin = std::make_reverse_iterator(after.empty() ? families_.end()
                                                            : families_.upper_bound(first_family));
      for (; begin != families_.rend(); ++begin) {
        if (!visit_family(begin->first, begin->second)) return;
      }
      return;
    }
    for (auto entry = families_.lower_bound(first_family); entry != families_.end(); ++entry) {
      if (!visit_family(entry->first, entry->second)) return;
    }
  }

 private:
  const State::Families& families_;
  const v1::ListTaskDefinitionsRequest& request_;
  const bool is_descending_;
};

bool HasActive(const Family& family) {
  return std::any_of(family.revisions.begin(), family.revisions.end(), [](const auto& entry) {
    return entry.second.record->status() == v1::ObjectStatus::ACTIVE;
  });
}

// INACTIVE: families without any ACTIVE revision.
bool IsListed(const Family& family, const v1::ListTaskDefinitionFamiliesRequest& request) {
  if (request.status() == "ALL") return true;
  return HasActive(family) != (request.status() == "INACTIVE");
}

}  // namespace

absl::StatusOr<v1::DescribeTaskDefinitionResponse> Read(
    const v1::DescribeTaskDefinitionRequest& request, const state::View& view) {
  ASSIGN_OR_RETURN(const state::TaskDefinitionName name,
                   state::ParseTaskDefinitionName(request.task_definition()));
  state::Ref<v1::StoredTaskDefinition> record;
  view.Look([&](const State& state) {
    const state::Revision* revision = state::FindRevision(state, name);
    if (revision != nullptr) record = revision->record;
  });
  if (record == nullptr) return ecs::ClientException("Unable to describe task definition.");
  v1::DescribeTaskDefinitionResponse response;
  *response.mutable_task_definition() = Render(view.place(), *record);
  if (ecs::Contains(request.include(), "TAGS")) *response.mutable_tags() = record->tags();
  return response;
}

absl::StatusOr<v1::ListTaskDefinitionsResponse> Read(const v1::ListTaskDefinitionsRequest& request,
                                                     const state::View& view) {
  RETURN_IF_ERROR(
      ecs::CheckOneOf("status", request.status(), {"ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS"}));
  RETURN_IF_ERROR(ecs::CheckOneOf("sort", request.sort(), {"ASC", "DESC"}));
  ASSIGN_OR_RETURN(ecs::Page page, ecs::PageOf(request, "ListTaskDefinitions"));
  v1::ObjectStatus::Value status = v1::ObjectStatus::ACTIVE;
  v1::ObjectStatus::Value_Parse(request.status(), &status);
  ecs::PageFiller filler("ListTaskDefinitions", std::move(page));
  v1::ListTaskDefinitionsResponse response;
  view.Look([&](const State& state) {
    Revisions(state.families(), request)
        .ForEachAfter(filler.after(), [&](const std::string& key, const state::Revision& revision) {
          if (revision.record->status() != status) return true;
          if (!filler.Take(key)) return false;
          response.add_task_definition_arns(state::ArnOf(view.place(), *revision.record));
          return true;
        });
  });
  filler.SetNextToken(&response);
  return response;
}

absl::StatusOr<v1::ListTaskDefinitionFamiliesResponse> Read(
    const v1::ListTaskDefinitionFamiliesRequest& request, const state::View& view) {
  RETURN_IF_ERROR(ecs::CheckOneOf("status", request.status(), {"ACTIVE", "INACTIVE", "ALL"}));
  ASSIGN_OR_RETURN(ecs::Page page, ecs::PageOf(request, "ListTaskDefinitionFamilies"));
  ecs::PageFiller filler("ListTaskDefinitionFamilies", std::move(page));
  v1::ListTaskDefinitionFamiliesResponse response;
  view.Look([&](const State& state) {
    for (auto entry = state.families().upper_bound(filler.after()); entry != state.families().end();
         ++entry) {
      if (!absl::StartsWith(entry->first, request.family_prefix())) continue;
      if (!IsListed(entry->second, request)) continue;
      if (!filler.Take(entry->first)) break;
      response.add_families(entry->first);
    }
  });
  filler.SetNextToken(&response);
  return response;
}

}  // namespace davit::controller::definition
