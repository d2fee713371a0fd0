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

// While it lives, files of this process cannot grow beyond `bytes`. For write(2) that looks like a
// full disk.
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

TEST_CASE("a log exists before its first record", "[log]") {
  const TempFolder folder;
  const LogFile file({folder.File("log"), 100, 3});
  CHECK(FileExists(folder.File("log")));
}

TEST_CASE("full files are rotated and the oldest is deleted", "[log]") {
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

TEST_CASE("a single file is emptied when it is full", "[log]") {
  const TempFolder folder;
  {
    LogFile file({folder.File("log"), 10, 1});
    for (const char* record : {"aaaa\n", "bbbb\n", "cccc\n"}) file.Append(record);
  }
  CHECK(folder.Read("log") == "cccc\n");
  CHECK_FALSE(FileExists(folder.File("log.1")));
}

TEST_CASE("a record larger than a file gets a file of its own", "[log]") {
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

TEST_CASE("a log continues after a restart on a new line", "[log]") {
  const TempFolder folder;
  REQUIRE(WriteFileAtomically(folder.File("log"), "whole\nto") == absl::OkStatus());
  {
    LogFile file({folder.File("log"), 100, 3});
    file.Append("next\n");
  }
  CHECK(folder.Read("log") == "whole\nto\nnext\n");
}

TEST_CASE("a deleted log is created again when it is full", "[log]") {
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

TEST_CASE("records are lost until the folder exists", "[log]") {
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
