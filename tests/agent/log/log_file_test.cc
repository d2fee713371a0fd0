#include "agent/log/log_file.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>

#include "tests/agent/log/temp_folder.h"

namespace davit::log {
namespace {

// While it lives, files of this process cannot grow beyond `bytes`: a full disk, as far as write(2)
// tells.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE("a log is there before its first record", "[log]") {
  const TempFolder folder;
  const LogFile file({folder.File("log"), 100, 3});
  CHECK(FileExists(folder.File("log")));
}

TEST_CASE("full files make room, the oldest goes", "[log]") {
  const TempFolder folder;
  {
    LogFile file({folder.File("log"), 10, 3});
    for (const char* record :
         {"aaaa\n", "bbbb\n", "cccc\n", "dddd\n", "eeee\n", "ffff\n", "gggg\n"})
      file.Append(record);
  }
  CHECK(folder.Read("log") == "gggg\n");
  CHECK(folder.Read("log.1") == "eeee\nffff\n");
  CHECK(folder.Read("log.2") == "cccc\ndddd\n");
  CHECK_FALSE(FileExists(folder.File("log.3")));
}

TEST_CASE("a single file starts anew when it is full", "[log]") {
  const TempFolder folder;
  {
    LogFile file({folder.File("log"), 10, 1});
    for (const char* record : {"aaaa\n", "bbbb\n", "cccc\n"}) file.Append(record);
  }
  CHECK(folder.Read("log") == "cccc\n");
  CHECK_FALSE(FileExists(folder.File("log.1")));
}

TEST_CASE("a record larger than a file has one for itself", "[log]") {
  const TempFolder folder;
  {
    LogFile file({folder.File("log"), 10, 3});
    for (const char* record : {"aaaa\n", "a record that is too long\n", "bbbb\n"})
      file.Append(record);
  }
  CHECK(folder.Read("log") == "bbbb\n");
  CHECK(folder.Read("log.1") == "a record that is too long\n");
  CHECK(folder.Read("log.2") == "aaaa\n");
}

TEST_CASE("a log is continued after a restart, apart from what was torn", "[log]") {
  const TempFolder folder;
  REQUIRE(WriteFileAtomically(folder.File("log"), "whole\nto") == absl::OkStatus());
  {
    LogFile file({folder.File("log"), 100, 3});
    file.Append("next\n");
  }
  CHECK(folder.Read("log") == "whole\nto\nnext\n");
}

TEST_CASE("a log that somebody deleted is made anew when it is full", "[log]") {
  const TempFolder folder;
  LogFile file({folder.File("log"), 10, 3});
  file.Append("aaaa\n");
  file.Append("bbbb\n");
  REQUIRE(unlink(folder.File("log").c_str()) == 0);
  file.Append("cccc\n");
  file.Flush();
  CHECK(folder.Read("log") == "cccc\n");
}

TEST_CASE("a full disk loses whole records and counts them", "[log]") {
  const TempFolder folder;
  LogFile file({folder.File("log"), 0, 3});
  file.Append("aaaa\n");
  file.Flush();
  {
    const FullDisk full(8);
    file.Append("bbbb\n");
    file.Flush();
    CHECK(folder.Read("log") == "aaaa\n");  // not "aaaa\nbbb"
    CHECK_FALSE(file.ReportLoss("lost\n"));
    CHECK(file.loss().records == 1);
    CHECK(file.loss().bytes == 5);
    CHECK(file.loss().error == EFBIG);
  }
  CHECK(file.ReportLoss("lost\n"));
  CHECK(file.loss().records == 0);
  file.Append("cccc\n");
  file.Flush();
  CHECK(folder.Read("log") == "aaaa\nlost\ncccc\n");
}

TEST_CASE("a folder that is not there yet loses records until it is", "[log]") {
  const TempFolder folder;
  LogFile file({folder.File("later/log"), 100, 3});
  file.Append("aaaa\n");
  file.Flush();
  CHECK(file.loss().records == 1);
  CHECK(file.loss().error == ENOENT);
  REQUIRE(MakeDirectories(folder.File("later")) == absl::OkStatus());
  CHECK(file.ReportLoss("lost\n"));
  CHECK(folder.Read("later/log") == "lost\n");
}

}  // namespace
}  // namespace davit::log
