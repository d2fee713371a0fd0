#include "agent/log/tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/status.h"

namespace davit::log {
namespace {

// Files are read backwards in chunks of this size.
constexpr int64_t kPieceBytes = 64 * 1024;

// Collects lines from the newest to the oldest, until there are enough.
class Collector {
 public:
  explicit Collector(const TailOptions& options) : options_(options) {}

  bool IsFull() const {
    return static_cast<int>(lines_.size()) >= options_.max_lines ||
           bytes_seen_ >= options_.max_bytes;
  }

  // Collects the lines of one open file, from its end.
  void CollectBackwards(int fd, int64_t size) {
    std::string rest;  // from the start of a line that is not known yet, to the start of the lines
                       // that were taken
    int64_t position = size;
    while (position > 0 && !IsFull()) {
      const int64_t length = std::min(position, kPieceBytes);
      std::string piece(static_cast<size_t>(length), '\0');
      position -= length;
      if (pread(fd, piece.data(), piece.size(), position) != length) return;
      rest.insert(0, piece);
      TakeLines(&rest, position == 0);
    }
  }

  std::vector<LogLine> TakeOldestFirst() {
    std::reverse(lines_.begin(), lines_.end());
    return std::move(lines_);
  }

 private:
  // Takes whole lines from the end of `text`. The first line is whole only at the start of the
  // file.
  void TakeLines(std::string* text, bool is_file_start) {
    while (!text->empty() && !IsFull()) {
      const size_t end = text->back() == '\n' ? text->size() - 1 : text->size();
      const size_t newline = end == 0 ? std::string::npos : text->rfind('\n', end - 1);
      if (newline == std::string::npos && !is_file_start) return;
      const size_t start = newline == std::string::npos ? 0 : newline + 1;
      bytes_seen_ += static_cast<int64_t>(text->size() - start);
      absl::StatusOr<LogLine> line =
          ParseLogLine(absl::string_view(*text).substr(start, end - start));
      if (line.ok() && bytes_seen_ <= options_.max_bytes) lines_.push_back(*std::move(line));
      text->resize(start);
    }
  }

  const TailOptions options_;
  std::vector<LogLine> lines_;
  int64_t bytes_seen_ = 0;
};

}  // namespace

absl::StatusOr<LogLine> ParseLogLine(absl::string_view json) {
  const nlohmann::json document = nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  const auto field = [&document](const char* name) {
    const auto it = document.find(name);
    return it != document.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  LogLine line;
  std::string error;
  if (!document.is_object() ||
      !absl::ParseTime(absl::RFC3339_full, field("time"), &line.time, &error)) {
    return absl::InvalidArgumentError("not a json-file line");
  }
  line.text = field("log");
  line.stream = field("stream");
  return line;
}

absl::StatusOr<std::vector<LogLine>> Tail(const std::string& file, const TailOptions& options) {
  Collector collector(options);
  // During the read a rotation may rename a file that was read already to the next number.
  std::set<std::pair<dev_t, ino_t>> seen;
  for (int number = 0; !collector.IsFull(); ++number) {
    const std::string path = number == 0 ? file : absl::StrCat(file, ".", number);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      // During a rotation the current file is missing for a moment.
      if (errno == ENOENT && number == 0) continue;
      if (errno == ENOENT) break;
      return ErrnoStatus(errno, absl::StrCat("open ", path));
    }
    struct stat info {};
    const bool is_new = fstat(fd, &info) == 0 && seen.emplace(info.st_dev, info.st_ino).second;
    if (is_new) collector.CollectBackwards(fd, info.st_size);
    close(fd);
  }
  if (seen.empty() && options.max_lines > 0)
    return absl::NotFoundError(absl::StrCat("no log at ", file));
  return collector.TakeOldestFirst();
}

}  // namespace davit::log
