// Definitions and images are untrusted. Whatever is in them, the result is a spec or a status,
// never an exception.
#include <google/protobuf/descriptor.h>

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "agent/spec/seccomp.h"
#include "agent/spec/user.h"
#include "tests/agent/spec/spec_fixture.h"

namespace davit::spec {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const std::vector<std::string>& Strings() {
  static const std::vector<std::string> strings = {"",
                                                   "/",
                                                   "..",
                                                   "/../..",
                                                   std::string("a\0b", 3),
                                                   "\xff\xfe",
                                                   std::string(70000, 'a'),
                                                   "host",
                                                   ":",
                                                   "=",
                                                   "%s",
                                                   "net.",
                                                   "ALL",
                                                   "\n"};
  return strings;
}

// Sets every field of `message`, and of the messages in it, to a hostile value; lists get two
// items.
void FillWith(const std::string& text, int32_t number, int depth, Message* message) {
  const google::protobuf::Reflection* reflection = message->GetReflection();
  const google::protobuf::Descriptor* descriptor = message->GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const int count = field->is_repeated() && !field->is_map() ? 2 : 1;
    for (int item = 0; item < count; ++item) {
      const bool add = field->is_repeated();
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          add ? reflection->AddString(message, field, text)
              : reflection->SetString(message, field, text);
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          add ? reflection->AddInt32(message, field, number)
              : reflection->SetInt32(message, field, number);
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          if (depth == 0) break;
          FillWith(text, number, depth - 1,
                   add ? reflection->AddMessage(message, field)
                       : reflection->MutableMessage(message, field));
          break;
        default:
          break;
      }
    }
  }
}

TEST_CASE("a definition full of hostile values throws nothing", "[spec]") {
  const int32_t number =
      GENERATE(0, -1, 1, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
  for (const std::string& text : Strings()) {
    Fixture fixture;
    FillWith(text, number, 4, &fixture.task);
    FillWith(text, number, 4, &fixture.overrides);
    CHECK_NOTHROW(fixture.BuildText());
    CHECK_NOTHROW(UnsupportedMembers(fixture.task));
    CHECK_NOTHROW(UnsupportedMembers(fixture.overrides));
  }
}

// One member at a time, so that the refusal of one cannot hide another.
TEST_CASE("each hostile member by itself leads to a spec or a refusal", "[spec]") {
  const google::protobuf::Descriptor* descriptor = v1::ContainerDefinition::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    for (const std::string& text : Strings()) {
      v1::ContainerDefinition hostile;
      FillWith(text, -1, 4, &hostile);
      Fixture fixture;
      const google::protobuf::Reflection* reflection = hostile.GetReflection();
      reflection->SwapFields(&hostile, &fixture.web(), {descriptor->field(i)});
      CAPTURE(descriptor->field(i)->name(), text.substr(0, 10));
      const absl::StatusOr<std::string> spec = fixture.BuildText();
      CHECK((spec.ok() || spec.status().code() == absl::StatusCode::kInvalidArgument));
    }
  }
}

TEST_CASE("hostile image configurations and user files throw nothing", "[spec]") {
  for (const std::string& text : Strings()) {
    Fixture fixture;
    fixture.image = {{text}, {text}, {text}, text, text, text, {text}, {}, {}, text, text};
    fixture.place.image_volumes[text] = text;
    CHECK_NOTHROW(fixture.BuildText());
    CHECK_NOTHROW(ResolveUser("app", text, text));
    CHECK_NOTHROW(ResolveUser(text, "app:x:1:1\n" + text, "app:x:1:" + text));
  }
}

TEST_CASE("a truncated profile is refused without an exception", "[spec]") {
  const std::string profile =
      R"({"defaultAction":"A","archMap":[{"architecture":"SCMP_ARCH_X86_64"}],"syscalls":[]})";
  REQUIRE(BuildSeccomp(profile, {"amd64", "", {}}).ok());
  for (size_t length = 0; length < profile.size(); ++length) {
    CHECK(BuildSeccomp(profile.substr(0, length), {"amd64", "", {}}).status().code() ==
          absl::StatusCode::kFailedPrecondition);
  }
}

}  // namespace
}  // namespace davit::spec
