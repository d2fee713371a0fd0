#ifndef DAVIT_TESTS_AGENT_RESOURCE_TEMP_TREE_H_
#define DAVIT_TESTS_AGENT_RESOURCE_TEMP_TREE_H_

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "base/file.h"

namespace davit::resource {

// A temporary folder tree in place of "/". The destructor removes it.
class TempTree {
 public:
  TempTree() {
    char name[] = "/tmp/davit-tree-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root_ = name;
  }
  ~TempTree() { RemoveAll(root_).IgnoreError(); }
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;

  const std::string& root() const { return root_; }
  // `path` begins with '/'.
  void Write(const std::string& path, absl::string_view text) {
    const std::string full = root_ + path;
    REQUIRE(MakeDirectories(full.substr(0, full.rfind('/'))) == absl::OkStatus());
    REQUIRE(WriteFileAtomically(full, text) == absl::OkStatus());
  }

 private:
  std::string root_;
};

}  // namespace davit::resource

#endif  // DAVIT_TESTS_AGENT_RESOURCE_TEMP_TREE_H_
