#include "controller/store/store.h"

#include "absl/container/flat_hash_map.h"

namespace davit::controller::store {

std::vector<const rows::Mutation*> LastOfEachKey(const std::vector<CommandRows>& commands) {
  std::vector<const rows::Mutation*> last;
  absl::flat_hash_map<absl::string_view, size_t> places;
  for (const CommandRows& command : commands) {
    for (const rows::Mutation& mutation : command) {
      const auto [place, is_new] = places.try_emplace(mutation.key, last.size());
      if (is_new) {
        last.push_back(&mutation);
      } else {
        last[place->second] = &mutation;
      }
    }
  }
  return last;
}

}  // namespace davit::controller::store
