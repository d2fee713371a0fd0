#ifndef DAVIT_CONTROLLER_ECS_HASH_H_
#define DAVIT_CONTROLLER_ECS_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace davit::controller::ecs {

// FNV-1a: the same in every process and version, unlike std::hash and Abseil's. Not for secrets.
constexpr uint64_t Hash64(absl::string_view text) {
  uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

}  // namespace davit::controller::ecs

#endif  // DAVIT_CONTROLLER_ECS_HASH_H_
