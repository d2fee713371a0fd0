#include "controller/rows/record.h"

#include <catch2/catch.hpp>

namespace davit::controller::rows {
namespace {

TEST_CASE("a row is its record, there and back", "[rows]") {
  v1::StoredTask task;
  task.set_cluster("blue");
  task.set_id("42");
  task.set_last_status(v1::TaskStatus::RUNNING);
  const Mutation mutation{KeyOf(task), std::make_shared<const v1::StoredTask>(task)};
  CHECK(mutation.key == "task/blue/42");
  const auto decoded = Decode(mutation.key, *Encode(mutation));
  REQUIRE(decoded.ok());
  CHECK(std::get<Ref<v1::StoredTask>>(decoded->record)->SerializeAsString() ==
        task.SerializeAsString());
  CHECK_FALSE(Encode({mutation.key, Ref<v1::StoredTask>()}).has_value());
}

TEST_CASE("rows that cannot be understood are named", "[rows]") {
  const absl::Status broken = Decode("task/default/1", "\xff\xff").status();
  CHECK(absl::IsDataLoss(broken));
  CHECK_THAT(std::string(broken.message()), Catch::Contains("task/default/1"));
  CHECK(absl::IsDataLoss(Decode("boat/default/1", "").status()));
  v1::StoredTask task;
  task.set_last_status(static_cast<v1::TaskStatus::Value>(450));
  CHECK(absl::IsDataLoss(Decode("task/default/1", task.SerializeAsString()).status()));
}

TEST_CASE("rows are decoded in the order in which they refer to each other", "[rows]") {
  const auto mutations = DecodeAll({{"cluster/a", ""},
                                    {"family/f", ""},
                                    {"instance/a/1", ""},
                                    {"meta", ""},
                                    {"task-definition/f:1", ""},
                                    {"task/a/1", ""}});
  REQUIRE(mutations.ok());
  std::vector<std::string> keys;
  for (const Mutation& mutation : *mutations) keys.push_back(mutation.key);
  CHECK(keys == std::vector<std::string>{"meta", "family/f", "task-definition/f:1", "cluster/a",
                                         "instance/a/1", "task/a/1"});
}

}  // namespace
}  // namespace davit::controller::rows
