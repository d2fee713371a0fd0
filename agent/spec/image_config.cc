#include "agent/spec/image_config.h"

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace davit::spec {
namespace {

using Json = nlohmann::json;

// Go writes absent lists and maps as null, which means "none".
const Json* Find(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

absl::Status Wrong(absl::string_view member, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("image configuration: '", member, "' must be ", expected));
}

absl::Status Read(const Json& object, const char* name, std::string* value) {
  const Json* found = Find(object, name);
  if (found == nullptr) return absl::OkStatus();
  if (!found->is_string()) return Wrong(name, "a string");
  *value = found->get_ref<const std::string&>();
  return absl::OkStatus();
}

absl::Status Read(const Json& object, const char* name, std::vector<std::string>* value) {
  const Json* found = Find(object, name);
  if (found == nullptr) return absl::OkStatus();
  if (!found->is_array()) return Wrong(name, "a list of strings");
  for (const Json& element : *found) {
    if (!element.is_string()) return Wrong(name, "a list of strings");
    value->push_back(element.get_ref<const std::string&>());
  }
  return absl::OkStatus();
}

// Old builders wrote a single string instead of a list. Docker accepts both (strslice.StrSlice).
absl::Status ReadWords(const Json& object, const char* name, std::vector<std::string>* value) {
  const Json* found = Find(object, name);
  if (found == nullptr || !found->is_string()) return Read(object, name, value);
  value->push_back(found->get_ref<const std::string&>());
  return absl::OkStatus();
}

absl::Status ReadLabels(const Json& object, std::map<std::string, std::string>* labels) {
  const Json* found = Find(object, "Labels");
  if (found == nullptr) return absl::OkStatus();
  if (!found->is_object()) return Wrong("Labels", "an object of strings");
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) return Wrong("Labels", "an object of strings");
    labels->emplace(name, value.get_ref<const std::string&>());
  }
  return absl::OkStatus();
}

absl::Status ReadVolumes(const Json& object, std::vector<std::string>* volumes) {
  const Json* found = Find(object, "Volumes");
  if (found == nullptr) return absl::OkStatus();
  if (!found->is_object()) return Wrong("Volumes", "an object whose names are paths");
  for (const auto& entry : found->items()) volumes->push_back(entry.key());
  return absl::OkStatus();
}

absl::Status ReadExecution(const Json& execution, ImageConfig* image) {
  RETURN_IF_ERROR(ReadWords(execution, "Entrypoint", &image->entrypoint));
  RETURN_IF_ERROR(ReadWords(execution, "Cmd", &image->command));
  RETURN_IF_ERROR(Read(execution, "Env", &image->environment));
  RETURN_IF_ERROR(Read(execution, "User", &image->user));
  RETURN_IF_ERROR(Read(execution, "WorkingDir", &image->working_directory));
  RETURN_IF_ERROR(Read(execution, "StopSignal", &image->stop_signal));
  RETURN_IF_ERROR(ReadVolumes(execution, &image->volumes));
  return ReadLabels(execution, &image->labels);
}

}  // namespace

absl::StatusOr<ImageConfig> ParseImageConfig(absl::string_view json) {
  const Json document = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) {
    return absl::InvalidArgumentError("image configuration: not JSON");
  }
  if (!document.is_object()) {
    return absl::InvalidArgumentError("image configuration: must be an object");
  }
  ImageConfig image;
  RETURN_IF_ERROR(Read(document, "architecture", &image.architecture));
  RETURN_IF_ERROR(Read(document, "os", &image.os));
  if (const Json* execution = Find(document, "config")) {
    if (!execution->is_object()) return Wrong("config", "an object");
    RETURN_IF_ERROR(ReadExecution(*execution, &image));
  }
  const Json* rootfs = Find(document, "rootfs");
  if (rootfs == nullptr || !rootfs->is_object()) return Wrong("rootfs", "an object");
  std::string type;
  RETURN_IF_ERROR(Read(*rootfs, "type", &type));
  if (type != "layers") return Wrong("rootfs.type", "\"layers\"");
  RETURN_IF_ERROR(Read(*rootfs, "diff_ids", &image.diff_ids));
  return image;
}

}  // namespace davit::spec
