#ifndef DAVIT_TESTS_AGENT_LOG_TEMP_FOLDER_H_
#define DAVIT_TESTS_AGENT_LOG_TEMP_FOLDER_H_

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <string>

#include "base/file.h"

namespace davit::log {

// A temporary folder. The destructor removes it.
class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/davit-log-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~TempFolder() { RemoveAll(path_).IgnoreError(); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string File(const std::string& name) const { return path_ + "/" + name; }
  // Empty if there is no such file.
  std::string Read(const std::string& name) const { return ReadFile(File(name)).value_or(""); }

 private:
  std::string path_;
};

}  // namespace davit::log

#endif  // DAVIT_TESTS_AGENT_LOG_TEMP_FOLDER_H_
