#ifndef DAVIT_CONTROLLER_ECS_RANGES_H_
#define DAVIT_CONTROLLER_ECS_RANGES_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace davit::controller::ecs {

// The smallest and the largest value of every number in a request, from one table (ranges.cc): what
// is out of its range, each with the path of its member:
//   "overrides.containerOverrides[0].memory: must be in 6..67108864, is -1."
// Absent members are skipped. Pure.
std::vector<std::string> FindRangeProblems(const google::protobuf::Message& request);

// Whether the table has the field, or says why it needs no range.
bool HasRange(const google::protobuf::FieldDescriptor& field);

}  // namespace davit::controller::ecs

#endif  // DAVIT_CONTROLLER_ECS_RANGES_H_
