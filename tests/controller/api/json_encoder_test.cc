#include "controller/api/json_encoder.h"

#include <catch2/catch.hpp>

#include "davit/v1/ecs.pb.h"

namespace davit::controller::api {
namespace {

TEST_CASE("unset members are absent, lists never are", "[json]") {
  v1::DescribeTasksResponse response;
  CHECK(EncodeJson(response) == R"({"tasks":[],"failures":[]})");
  v1::Failure* failure = response.add_failures();
  failure->set_arn("");
  CHECK(EncodeJson(response) == R"({"tasks":[],"failures":[{"arn":""}]})");
}

TEST_CASE("times are numbers with a fraction, and whole numbers are numbers", "[json]") {
  v1::StopTaskResponse response;
  response.mutable_task()->set_created_at(1700000000.123);
  response.mutable_task()->set_version(3);
  CHECK_THAT(EncodeJson(response),
             Catch::Contains(R"("createdAt":1700000000.123)") && Catch::Contains(R"("version":3)"));
}

}  // namespace
}  // namespace davit::controller::api
