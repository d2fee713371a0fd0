#include "controller/ecs/ranges.h"

#include <catch2/catch.hpp>
#include <set>

#include "davit/v1/ecs.pb.h"

namespace davit::controller::ecs {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Every number that a request can hold, however deep.
void Collect(const Descriptor* type, std::set<const Descriptor*>* seen,
             std::set<const FieldDescriptor*>* numbers) {
  if (!seen->insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Collect(field->message_type(), seen, numbers);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING &&
               field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL) {
      numbers->insert(field);
    }
  }
}

TEST_CASE("every number of every request of the API has a range", "[ecs]") {
  const auto* service = v1::RunTaskRequest::descriptor()->file()->FindServiceByName("ECS");
  std::set<const Descriptor*> seen;
  std::set<const FieldDescriptor*> numbers;
  for (int i = 0; i < service->method_count(); ++i)
    Collect(service->method(i)->input_type(), &seen, &numbers);
  CHECK(numbers.size() > 25);
  for (const FieldDescriptor* field : numbers) {
    CAPTURE(field->full_name());
    CHECK(HasRange(*field));
    CHECK(field->cpp_type() == FieldDescriptor::CPPTYPE_INT32);
  }
}

TEST_CASE("what is out of its range is named with its path, all of it at once", "[ecs]") {
  v1::RunTaskRequest request;
  request.set_count(11);
  request.mutable_overrides()->add_container_overrides();
  request.mutable_overrides()->add_container_overrides()->set_memory_reservation(0);
  CHECK(FindRangeProblems(request) ==
        std::vector<std::string>{
            "count: must be in 1..10, is 11.",
            "overrides.containerOverrides[1].memoryReservation: must be in 6..67108864, is 0."});
}

TEST_CASE("lists of numbers are checked one by one; what is absent is not checked", "[ecs]") {
  v1::RegisterTaskDefinitionRequest request;
  auto* policy = request.add_container_definitions()->mutable_restart_policy();
  for (const int code : {0, 256}) policy->add_ignored_exit_codes(code);
  CHECK(FindRangeProblems(request) ==
        std::vector<std::string>{"containerDefinitions[0].restartPolicy.ignoredExitCodes[1]: must "
                                 "be in 0..255, is 256."});
}

}  // namespace
}  // namespace davit::controller::ecs
