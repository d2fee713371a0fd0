#include "base/config_reader.h"

#include <toml++/toml.h>

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/file.h"
#include "base/status.h"

namespace davit {
namespace {

// nullopt: not a list of strings.
std::optional<std::vector<std::string>> StringsOf(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::vector<std::string> strings;
  for (const toml::node& item : *array) {
    const auto text = item.value_exact<std::string>();
    if (!text) return std::nullopt;
    strings.push_back(*text);
  }
  return strings;
}

}  // namespace

struct ConfigReader::Document {
  toml::table table;
  std::string name;

  const toml::node* Find(absl::string_view section, absl::string_view key) const {
    const toml::table* part = table[std::string_view(section.data(), section.size())].as_table();
    return part == nullptr ? nullptr : part->get(std::string_view(key.data(), key.size()));
  }
};

ConfigReader::ConfigReader(std::unique_ptr<Document> document) : document_(std::move(document)) {}
ConfigReader::ConfigReader(ConfigReader&&) noexcept = default;
ConfigReader::~ConfigReader() = default;

absl::StatusOr<ConfigReader> ConfigReader::FromFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path), "configuration");
  return FromText(text, path);
}

absl::StatusOr<ConfigReader> ConfigReader::FromText(absl::string_view text,
                                                    absl::string_view name) {
  try {
    auto document = std::make_unique<Document>();
    document->table = toml::parse(std::string_view(text.data(), text.size()));
    document->name = std::string(name);
    return ConfigReader(std::move(document));
  } catch (const toml::parse_error& error) {
    const std::string_view what = error.description();
    return absl::InvalidArgumentError(absl::StrCat(name, ":", error.source().begin.line, ":",
                                                   error.source().begin.column, ": ",
                                                   absl::string_view(what.data(), what.size())));
  }
}

void ConfigReader::AddError(absl::string_view section, absl::string_view key,
                            absl::string_view problem) {
  errors_.push_back(absl::StrCat(document_->name, ": ", section, ".", key, " ", problem));
}

// The node of a key. Marks the key as known.
#define DAVIT_FIND_OR_RETURN(node)                        \
  known_.insert(absl::StrCat(section, ".", key));         \
  const toml::node* node = document_->Find(section, key); \
  if (node == nullptr) return

void ConfigReader::Read(absl::string_view section, absl::string_view key, std::string* value) {
  DAVIT_FIND_OR_RETURN(node);
  if (const auto found = node->value_exact<std::string>()) {
    *value = *found;
  } else {
    AddError(section, key, "must be a string");
  }
}

void ConfigReader::Read(absl::string_view section, absl::string_view key, bool* value) {
  DAVIT_FIND_OR_RETURN(node);
  if (const auto found = node->value_exact<bool>()) {
    *value = *found;
  } else {
    AddError(section, key, "must be true or false");
  }
}

void ConfigReader::Read(absl::string_view section, absl::string_view key, int* value, int min,
                        int max) {
  DAVIT_FIND_OR_RETURN(node);
  const auto found = node->value_exact<int64_t>();
  if (!found || *found < min || *found > max) {
    return AddError(section, key, absl::StrCat("must be a whole number from ", min, " to ", max));
  }
  *value = static_cast<int>(*found);
}

void ConfigReader::Read(absl::string_view section, absl::string_view key, absl::Duration* value,
                        absl::Duration min, absl::Duration max) {
  DAVIT_FIND_OR_RETURN(node);
  const auto text = node->value_exact<std::string>();
  absl::Duration found;
  if (!text || !absl::ParseDuration(*text, &found) || found < min || found > max) {
    return AddError(section, key,
                    absl::StrCat("must be a duration with a unit, such as \"30s\", from ",
                                 absl::FormatDuration(min), " to ", absl::FormatDuration(max)));
  }
  *value = found;
}

void ConfigReader::Read(absl::string_view section, absl::string_view key,
                        std::vector<std::string>* value) {
  DAVIT_FIND_OR_RETURN(node);
  std::optional<std::vector<std::string>> found = StringsOf(*node);
  if (!found) return AddError(section, key, "must be a list of strings");
  *value = *std::move(found);
}

void ConfigReader::Read(absl::string_view section, absl::string_view key, std::vector<int>* value,
                        int min, int max) {
  DAVIT_FIND_OR_RETURN(node);
  const std::string expected =
      absl::StrCat("must be a list of whole numbers from ", min, " to ", max);
  const toml::array* array = node->as_array();
  if (array == nullptr) return AddError(section, key, expected);
  std::vector<int> found;
  for (const toml::node& item : *array) {
    const auto number = item.value_exact<int64_t>();
    if (!number || *number < min || *number > max) return AddError(section, key, expected);
    found.push_back(static_cast<int>(*number));
  }
  *value = std::move(found);
}

void ConfigReader::Read(absl::string_view section, absl::string_view key,
                        std::map<std::string, std::string>* value) {
  DAVIT_FIND_OR_RETURN(node);
  const toml::table* table = node->as_table();
  if (table == nullptr) return AddError(section, key, "must be a table of strings");
  std::map<std::string, std::string> found;
  for (const auto& [name, item] : *table) {
    const auto text = item.value_exact<std::string>();
    if (!text) return AddError(section, key, "must be a table of strings");
    found.emplace(std::string(name.str()), *text);
  }
  *value = std::move(found);
}

void ConfigReader::Read(absl::string_view section, absl::string_view key,
                        std::map<std::string, std::vector<std::string>>* value) {
  DAVIT_FIND_OR_RETURN(node);
  const toml::table* table = node->as_table();
  if (table == nullptr) return AddError(section, key, "must be a table of lists of strings");
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& [name, item] : *table) {
    std::optional<std::vector<std::string>> strings = StringsOf(item);
    if (!strings) return AddError(section, key, "must be a table of lists of strings");
    found.emplace(std::string(name.str()), *std::move(strings));
  }
  *value = std::move(found);
}

#undef DAVIT_FIND_OR_RETURN

bool ConfigReader::IsKnownSection(absl::string_view section) const {
  const std::string prefix = absl::StrCat(section, ".");
  const auto key = known_.lower_bound(prefix);
  return key != known_.end() && absl::StartsWith(*key, prefix);
}

absl::Status ConfigReader::Finish() {
  for (const auto& [section, node] : document_->table) {
    const std::string section_name(section.str());
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      errors_.push_back(absl::StrCat(document_->name, ":", node.source().begin.line, ": ",
                                     section_name, " is outside of any [section]"));
      continue;
    }
    if (!IsKnownSection(section_name)) {
      errors_.push_back(absl::StrCat(document_->name, ":", node.source().begin.line,
                                     ": unknown section [", section_name, "]"));
      continue;
    }
    for (const auto& [key, unused] : *table) {
      const std::string full = absl::StrCat(section_name, ".", std::string(key.str()));
      if (known_.count(full) == 0) {
        errors_.push_back(
            absl::StrCat(document_->name, ":", unused.source().begin.line, ": unknown key ", full));
      }
    }
  }
  return errors_.empty() ? absl::OkStatus()
                         : absl::InvalidArgumentError(absl::StrJoin(errors_, "\n"));
}

}  // namespace davit
