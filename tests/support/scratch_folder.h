#ifndef DAVIT_TESTS_SUPPORT_SCRATCH_FOLDER_H_
#define DAVIT_TESTS_SUPPORT_SCRATCH_FOLDER_H_

#include <cstdlib>
#include <string>

#include "base/file.h"

namespace davit::test {

// A temporary folder of one test case.
class ScratchFolder {
 public:
  ScratchFolder() {
    char pattern[] = "/tmp/davit-test-XXXXXX";
    if (mkdtemp(pattern) == nullptr) std::abort();
    path_ = pattern;
  }
  ~ScratchFolder() { static_cast<void>(RemoveAll(path_)); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace davit::test

#endif  // DAVIT_TESTS_SUPPORT_SCRATCH_FOLDER_H_
