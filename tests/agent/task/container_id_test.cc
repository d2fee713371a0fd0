#include "agent/task/container_id.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace davit::task {
namespace {

const std::string kTask = "0123456789abcdef0123456789abcdef";

TEST_CASE("a container's id is its task's id and its name, if containerd accepts that", "[task]") {
  CHECK(ContainerIdOf(kTask, "web") == kTask + "-web");
  CHECK(ContainerIdOf(kTask, "web-1_b") == kTask + "-web-1_b");
  CHECK(ContainerIdOf(kTask, std::string(43, 'x')) == kTask + "-" + std::string(43, 'x'));
}

TEST_CASE("other names are replaced by a hash that never changes", "[task]") {
  for (const std::string& name :
       {std::string(44, 'x'), std::string("a--b"), std::string("_a"), std::string("a-")}) {
    const std::string id = ContainerIdOf(kTask, name);
    CHECK(id.size() == 32 + 1 + 16);
    // The hash of a name is itself a name with that id.
    std::string task_id;
    std::string part;
    REQUIRE(SplitContainerId(id, &task_id, &part));
    CHECK(ContainerIdOf(task_id, part) == id);
  }
  CHECK(ContainerIdOf(kTask, "a--b") == kTask + "-62f9628275d3bba8");
}

TEST_CASE("ids of other programs are not split", "[task]") {
  std::string task_id;
  std::string name;
  CHECK(SplitContainerId(kTask + "-web-1", &task_id, &name));
  CHECK(task_id == kTask);
  CHECK(name == "web-1");
  CHECK_FALSE(SplitContainerId("web", &task_id, &name));
  CHECK_FALSE(SplitContainerId(kTask + "-", &task_id, &name));
  CHECK_FALSE(SplitContainerId("zz23456789abcdef0123456789abcdef-web", &task_id, &name));
}

TEST_CASE("names of files are bounded, and no two are the same", "[task]") {
  CHECK(FileNameOf("web") == "web");
  CHECK(FileNameOf(std::string(200, 'a')) == std::string(200, 'a'));
  // g++ 12 warns of std::string's operator+ on temporaries here.
  const std::string name(255, 'a');
  std::string other = name;
  other.back() = 'b';
  const std::string shortened = FileNameOf(name);
  CHECK(shortened.size() == kMaxFileName);
  CHECK(shortened == absl::StrCat(name.substr(0, 183), "~", ContainerIdOf(kTask, name).substr(33)));
  CHECK(FileNameOf(other) != shortened);
  CHECK(FileNameOf(name.substr(1)) != shortened);
}

}  // namespace
}  // namespace davit::task
