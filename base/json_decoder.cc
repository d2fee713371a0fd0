#include "base/json_decoder.h"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace davit {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::json;

// Bounds the stack. No request of the API is as deep.
constexpr int kMaxDepth = 32;

std::string TypeName(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "a string";
  if (value.is_boolean()) return "a boolean";
  return value.is_number_integer() ? "a whole number" : "a number";
}

class Decoder {
 public:
  std::vector<std::string> TakeProblems() { return std::move(problems_); }

  void ReadObject(const Json& object, const std::string& path, Message* message) {
    for (const auto& [name, value] : object.items()) {
      const std::string member = path.empty() ? name : absl::StrCat(path, ".", name);
      const FieldDescriptor* field = FindField(*message, name);
      if (field == nullptr) {
        problems_.push_back(absl::StrCat(member, ": unknown member"));
      } else if (!value.is_null()) {
        ReadField(value, member, field, message);
      }
    }
  }

 private:
  static const FieldDescriptor* FindField(const Message& message, const std::string& json_name) {
    const google::protobuf::Descriptor* type = message.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      if (type->field(i)->json_name() == json_name) return type->field(i);
    }
    return nullptr;
  }

  void Expect(const std::string& path, const char* wanted, const Json& value) {
    problems_.push_back(absl::StrCat(path, ": must be ", wanted, ", is ", TypeName(value)));
  }

  void ReadField(const Json& value, const std::string& path, const FieldDescriptor* field,
                 Message* message) {
    if (field->is_map()) return ReadMap(value, path, field, message);
    if (!field->is_repeated()) return ReadValue(value, path, field, message);
    if (!value.is_array()) return Expect(path, "a list", value);
    size_t index = 0;
    for (const Json& item : value)
      ReadValue(item, absl::StrCat(path, "[", index++, "]"), field, message);
  }

  // The API has only maps of strings.
  void ReadMap(const Json& value, const std::string& path, const FieldDescriptor* field,
               Message* message) {
    if (!value.is_object()) return Expect(path, "an object", value);
    const FieldDescriptor* key_field = field->message_type()->map_key();
    const FieldDescriptor* value_field = field->message_type()->map_value();
    for (const auto& [key, text] : value.items()) {
      const std::string member = absl::StrCat(path, ".", key);
      if (!text.is_string()) {
        Expect(member, "a string", text);
        continue;
      }
      Message* entry = message->GetReflection()->AddMessage(message, field);
      entry->GetReflection()->SetString(entry, key_field, key);
      entry->GetReflection()->SetString(entry, value_field, text.get<std::string>());
    }
  }

  // One value, or one item of a list.
  void ReadValue(const Json& value, const std::string& path, const FieldDescriptor* field,
                 Message* message) {
    const google::protobuf::Reflection* reflection = message->GetReflection();
    const bool is_item = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        if (!value.is_string()) return Expect(path, "a string", value);
        const std::string text = value.get<std::string>();
        return is_item ? reflection->AddString(message, field, text)
                       : reflection->SetString(message, field, text);
      }
      case FieldDescriptor::CPPTYPE_BOOL: {
        if (!value.is_boolean()) return Expect(path, "a boolean", value);
        return is_item ? reflection->AddBool(message, field, value.get<bool>())
                       : reflection->SetBool(message, field, value.get<bool>());
      }
      case FieldDescriptor::CPPTYPE_INT32: {
        if (!value.is_number_integer()) return Expect(path, "a whole number", value);
        return SetInt32(value, path, field, message);
      }
      case FieldDescriptor::CPPTYPE_DOUBLE: {
        if (!value.is_number()) return Expect(path, "a number", value);
        return is_item ? reflection->AddDouble(message, field, value.get<double>())
                       : reflection->SetDouble(message, field, value.get<double>());
      }
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        if (!value.is_object()) return Expect(path, "an object", value);
        return ReadObject(value, path,
                          is_item ? reflection->AddMessage(message, field)
                                  : reflection->MutableMessage(message, field));
      }
      default:
        problems_.push_back(absl::StrCat(path, ": cannot be set"));
    }
  }

  void SetInt32(const Json& value, const std::string& path, const FieldDescriptor* field,
                Message* message) {
    // Unsigned values above the range of int64 must be compared as unsigned; as int64 they would be
    // negative.
    const bool fits =
        value.is_number_unsigned()
            ? value.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int32_t>::max())
            : value.get<int64_t>() >= std::numeric_limits<int32_t>::min();
    if (!fits) {
      problems_.push_back(absl::StrCat(path, ": out of range: ", value.dump()));
    } else if (field->is_repeated()) {
      message->GetReflection()->AddInt32(message, field, value.get<int32_t>());
    } else {
      message->GetReflection()->SetInt32(message, field, value.get<int32_t>());
    }
  }

  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> DecodeJson(absl::string_view text, Message* message) {
  Json document;
  try {
    const auto bounded = [](int depth, Json::parse_event_t event, Json& /*parsed*/) {
      if (event == Json::parse_event_t::object_start && depth > kMaxDepth)
        throw std::length_error("nested too deeply");
      return true;
    };
    document = text.empty() ? Json::object() : Json::parse(text.begin(), text.end(), bounded);
  } catch (const std::exception& error) {
    return {absl::StrCat("not JSON: ", error.what())};
  }
  if (!document.is_object()) return {"not JSON: must be an object"};
  try {
    Decoder decoder;
    decoder.ReadObject(document, "", message);
    return decoder.TakeProblems();
  } catch (const Json::exception& error) {
    return {absl::StrCat("not JSON: ", error.what())};
  }
}

}  // namespace davit
