#include "agent/task/container_id.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace davit::task {
namespace {

constexpr size_t kTaskIdLength = 32;
constexpr size_t kMaxNameLength = 76 - kTaskIdLength - 1;

bool IsFitForContainerd(absl::string_view name) {
  if (name.empty() || name.size() > kMaxNameLength) return false;
  bool may_separate = false;  // the character before is a letter or digit
  for (const char c : name) {
    const bool is_alphanumeric = absl::ascii_isalnum(static_cast<unsigned char>(c));
    if (!is_alphanumeric && !(may_separate && (c == '-' || c == '_' || c == '.'))) return false;
    may_separate = is_alphanumeric;
  }
  return may_separate;
}

// FNV-1a. Must not change between versions, or existing containers are not found.
uint64_t Hash(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

std::string ContainerIdOf(absl::string_view task_id, absl::string_view name) {
  if (IsFitForContainerd(name)) return absl::StrCat(task_id, "-", name);
  return absl::StrCat(task_id, "-", absl::Hex(Hash(name), absl::kZeroPad16));
}

std::string FileNameOf(absl::string_view name) {
  if (name.size() <= kMaxFileName) return std::string(name);
  return absl::StrCat(name.substr(0, kMaxFileName - 17), "~",
                      absl::Hex(Hash(name), absl::kZeroPad16));
}

bool SplitContainerId(absl::string_view container_id, std::string* task_id, std::string* name) {
  if (container_id.size() <= kTaskIdLength + 1 || container_id[kTaskIdLength] != '-') return false;
  if (!IsTaskId(container_id.substr(0, kTaskIdLength))) return false;
  *task_id = std::string(container_id.substr(0, kTaskIdLength));
  *name = std::string(container_id.substr(kTaskIdLength + 1));
  return true;
}

bool IsTaskId(absl::string_view text) {
  return text.size() == kTaskIdLength &&
         std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

}  // namespace davit::task
