#include "base/json_encoder.h"

#include <google/protobuf/util/json_util.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "davit/v1/agent.pb.h"
#include "davit/v1/ecs.pb.h"

namespace davit {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string EncodeWithProtobuf(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  REQUIRE(google::protobuf::util::MessageToJsonString(message, &text, options).ok());
  return text;
}

std::string Utf8Of(char32_t code) {
  std::string text;
  const auto add = [&text](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | code >> 6);
    add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  }
  return text;
}

bool IsSurrogate(char32_t code) { return code >= 0xD800 && code < 0xE000; }

// Fills messages with anything. Maps get at most one entry: protobuf prints more in any order.
class Filler {
 public:
  explicit Filler(unsigned seed) : random_(seed) {}

  void Fill(Message* message) {
    const Descriptor* type = message->GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (Below(3) == 0) continue;
      const int count = field->is_map() ? 1 : field->is_repeated() ? Below(4) : 1;
      for (int j = 0; j < count; ++j) SetOrAdd(field, message);
    }
  }

 private:
  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  std::string Text() {
    std::string text;
    for (int left = Below(20); left > 0; --left) {
      const int kind = Below(10);
      char32_t code = static_cast<char32_t>(kind < 6   ? 0x20 + Below(0x60)
                                            : kind < 8 ? Below(0x300)
                                            : kind < 9 ? Below(0x10000)
                                                       : Below(0x110000));
      if (IsSurrogate(code)) code = 'x';
      text += Utf8Of(code);
    }
    return text;
  }

  double Number() {
    const double small = std::uniform_real_distribution<double>(-1, 1)(random_);
    switch (Below(6)) {
      case 0:
        return Below(100000);
      case 1:
        return 1.7e9 + Below(1000000) + Below(1000) / 1000.0;  // a time in ms
      case 2:
        return small;
      case 3:
        return std::ldexp(small, Below(2000) - 1000);
      case 4:
        return std::vector<double>{
            0,
            -0.0,
            INFINITY,
            -INFINITY,
            NAN,
            1e15,
            1e-5,
            123456789012345678.0,
            std::numeric_limits<double>::min(),
            std::numeric_limits<double>::denorm_min(),
            std::numeric_limits<double>::max()}[static_cast<size_t>(Below(11))];
      default:
        return std::round(small * 1e6) / 1e3;
    }
  }

  void SetOrAdd(const FieldDescriptor* field, Message* message) {
    const Reflection* reflection = message->GetReflection();
    const auto put = [&](auto set, auto add, auto value) {
      if (field->is_repeated()) {
        (reflection->*add)(message, field, value);
      } else {
        (reflection->*set)(message, field, value);
      }
    };
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return put(&Reflection::SetString, &Reflection::AddString, Text());
      case FieldDescriptor::CPPTYPE_BOOL:
        return put(&Reflection::SetBool, &Reflection::AddBool, Below(2) == 1);
      case FieldDescriptor::CPPTYPE_INT32:
        return put(&Reflection::SetInt32, &Reflection::AddInt32, static_cast<int32_t>(random_()));
      case FieldDescriptor::CPPTYPE_INT64:
        return put(&Reflection::SetInt64, &Reflection::AddInt64, static_cast<int64_t>(random_()));
      case FieldDescriptor::CPPTYPE_UINT64:
        return put(&Reflection::SetUInt64, &Reflection::AddUInt64, uint64_t{random_()});
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return put(&Reflection::SetDouble, &Reflection::AddDouble, Number());
      case FieldDescriptor::CPPTYPE_ENUM:
        return put(
            &Reflection::SetEnumValue, &Reflection::AddEnumValue,
            Below(3) == 0
                ? Below(1000)
                : field->enum_type()->value(Below(field->enum_type()->value_count()))->number());
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(field->is_repeated() ? reflection->AddMessage(message, field)
                                         : reflection->MutableMessage(message, field));
      default:
        FAIL(field->full_name() << ": the encoder does not know this kind");
    }
  }

  std::mt19937_64 random_;
};

// Every message of the file.
std::vector<const Message*> Prototypes(const google::protobuf::FileDescriptor* file) {
  std::vector<const Message*> all;
  for (int i = 0; i < file->message_type_count(); ++i) {
    all.push_back(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(file->message_type(i)));
  }
  return all;
}

TEST_CASE("any message of ours is encoded as protobuf encodes it", "[json]") {
  const auto* const file =
      GENERATE(v1::Task::descriptor()->file(), v1::TaskDefinition::descriptor()->file(),
               v1::AgentMessage::descriptor()->file());
  for (const Message* prototype : Prototypes(file)) {
    for (int seed = 0; seed < 30; ++seed) {
      const std::unique_ptr<Message> message(prototype->New());
      if (seed > 0) Filler(static_cast<unsigned>(seed)).Fill(message.get());
      const std::string expected = EncodeWithProtobuf(*message);
      if (EncodeJson(*message) == expected) continue;  // a CHECK for each is slow
      CAPTURE(prototype->GetTypeName(), seed);
      CHECK(EncodeJson(*message) == expected);
    }
  }
}

TEST_CASE("every character is escaped as protobuf escapes it", "[json]") {
  v1::Failure failure;
  std::string text;
  for (char32_t code = 0; code < 0x110000; ++code) {
    if (!IsSurrogate(code)) text += Utf8Of(code);
    if (text.size() < 10000 && code + 1 < 0x110000) continue;
    failure.set_detail(text);
    const std::string expected = EncodeWithProtobuf(failure);
    if (EncodeJson(failure) != expected) CHECK(EncodeJson(failure) == expected);
    text.clear();
  }
}

TEST_CASE("bytes that are not UTF-8 become the replacement character", "[json]") {
  v1::Failure failure;
  failure.set_arn("a\xFF\xE2\x82z\xC0\x80");
  CHECK(EncodeJson(failure) == "{\"arn\":\"a\uFFFD\uFFFD\uFFFDz\uFFFD\uFFFD\"}");
}

TEST_CASE("a map is an object with sorted keys", "[json]") {
  v1::LogConfiguration log;
  for (const char* key : {"tag", "max-size", "\"", "mode", "labels"}) {
    log.mutable_options()->insert({key, "1"});
  }
  CHECK(
      EncodeJson(log) ==
      R"({"options":{"\"":"1","labels":"1","max-size":"1","mode":"1","tag":"1"},"secretOptions":[]})");
}

TEST_CASE("unset members are absent, lists and maps never are", "[json]") {
  v1::DescribeTasksResponse response;
  CHECK(EncodeJson(response) == R"({"tasks":[],"failures":[]})");
  response.add_failures()->set_arn("");
  CHECK(EncodeJson(response) == R"({"tasks":[],"failures":[{"arn":""}]})");
}

TEST_CASE("times keep their milliseconds and no more digits than they need", "[json]") {
  v1::StopTaskResponse response;
  response.mutable_task()->set_created_at(1700000000.123);
  response.mutable_task()->set_started_at(1700000000);
  const std::string text = EncodeJson(response);
  CHECK_THAT(text, Catch::Contains(R"("createdAt":1700000000.123,)"));
  CHECK_THAT(text, Catch::Contains(R"("startedAt":1700000000})"));
}

}  // namespace
}  // namespace davit
