#ifndef DAVIT_BASE_CONFIG_READER_H_
#define DAVIT_BASE_CONFIG_READER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit {

// Fills configuration structs from a TOML file of [section] tables. Each Read() names one key; an
// absent key keeps the default. Nothing fails early: Finish() returns every wrong value and every
// unknown key at once, so that an operator can fix the file in one go. Not thread-safe.
class ConfigReader {
 public:
  // NotFound or PermissionDenied: the file cannot be read. InvalidArgument: not TOML (with line and
  // column).
  static absl::StatusOr<ConfigReader> FromFile(const std::string& path);
  static absl::StatusOr<ConfigReader> FromText(absl::string_view text, absl::string_view name);
  ConfigReader(ConfigReader&&) noexcept;
  ~ConfigReader();

  void Read(absl::string_view section, absl::string_view key, std::string* value);
  void Read(absl::string_view section, absl::string_view key, bool* value);
  void Read(absl::string_view section, absl::string_view key, int* value, int min, int max);
  // A string with a unit: "500ms", "30s", "3h".
  void Read(absl::string_view section, absl::string_view key, absl::Duration* value,
            absl::Duration min, absl::Duration max);
  void Read(absl::string_view section, absl::string_view key, std::vector<std::string>* value);
  void Read(absl::string_view section, absl::string_view key, std::vector<int>* value, int min,
            int max);
  // A sub-table of strings, or of lists of strings.
  void Read(absl::string_view section, absl::string_view key,
            std::map<std::string, std::string>* value);
  void Read(absl::string_view section, absl::string_view key,
            std::map<std::string, std::vector<std::string>>* value);

  // Adds an error to Finish(), for checks across keys.
  void AddError(absl::string_view section, absl::string_view key, absl::string_view problem);
  // OK, or InvalidArgument with one line per problem.
  absl::Status Finish();

 private:
  struct Document;
  bool IsKnownSection(absl::string_view section) const;
  explicit ConfigReader(std::unique_ptr<Document> document);
  std::unique_ptr<Document> document_;
  std::set<std::string> known_;  // "section.key"
  std::vector<std::string> errors_;
};

}  // namespace davit

#endif  // DAVIT_BASE_CONFIG_READER_H_
