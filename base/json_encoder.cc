#include "base/json_encoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/utf8.h"

namespace davit {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kHexDigits[] = "0123456789abcdef";

void AppendEscapedUnit(unsigned unit, std::string* out) {
  const char text[] = {'\\',
                       'u',
                       kHexDigits[unit >> 12 & 0xF],
                       kHexDigits[unit >> 8 & 0xF],
                       kHexDigits[unit >> 4 & 0xF],
                       kHexDigits[unit & 0xF]};
  out->append(text, sizeof(text));
}

// As UTF-16, which is what JSON's escapes are.
void AppendEscaped(unsigned code, std::string* out) {
  if (code < 0x10000) return AppendEscapedUnit(code, out);
  AppendEscapedUnit(0xD800 + ((code - 0x10000) >> 10), out);
  AppendEscapedUnit(0xDC00 + ((code - 0x10000) & 0x3FF), out);
}

// Characters beyond ASCII that protobuf escapes: C1 controls, and what is invisible or changes how
// its neighbours are read, so that text cannot look like something else.
bool IsEscaped(unsigned code) {
  struct Range {
    unsigned first, last;
  };
  constexpr Range kRanges[] = {{0x80, 0x9F},       {0xAD, 0xAD},       {0x600, 0x603},
                               {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x17B4, 0x17B5},
                               {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x2064},
                               {0x206A, 0x206F},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},
                               {0x1D173, 0x1D17A}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [code](Range range) { return code >= range.first && code <= range.last; });
}

bool IsPlain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\' && byte != '<' && byte != '>';
}

void AppendAsciiEscape(char character, std::string* out) {
  switch (character) {
    case '"':
      return (void)out->append("\\\"");
    case '\\':
      return (void)out->append("\\\\");
    case '\b':
      return (void)out->append("\\b");
    case '\f':
      return (void)out->append("\\f");
    case '\n':
      return (void)out->append("\\n");
    case '\r':
      return (void)out->append("\\r");
    case '\t':
      return (void)out->append("\\t");
    default:
      return AppendEscapedUnit(static_cast<unsigned char>(character), out);
  }
}

// The first character of `text`, which is not ASCII. Returns its length, at least 1.
size_t AppendCharacter(absl::string_view text, std::string* out) {
  const size_t length = Utf8CharacterLength(text);
  if (length == 0) {
    out->append("\uFFFD");
    return 1;
  }
  unsigned code = static_cast<unsigned char>(text[0]) & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  if (IsEscaped(code)) {
    AppendEscaped(code, out);
  } else {
    out->append(text.data(), length);
  }
  return length;
}

// 15 digits where they say the same number, as people expect 0.1 to look; else the 17 that always
// do.
void AppendDouble(double value, std::string* out) {
  if (std::isnan(value)) return (void)out->append("\"NaN\"");
  if (std::isinf(value)) return (void)out->append(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  std::array<char, 40> text;
  for (const int digits : {15, 17}) {
    char* const end = std::to_chars(text.data(), text.data() + text.size(), value,
                                    std::chars_format::general, digits)
                          .ptr;
    double read = 0;
    std::from_chars(text.data(), end, read);
    if (read != value && digits < 17) continue;
    return (void)out->append(text.data(), end);
  }
}

void AppendEnum(const FieldDescriptor* field, int number, std::string* out) {
  const EnumValueDescriptor* value = field->enum_type()->FindValueByNumber(number);
  if (value == nullptr) return absl::StrAppend(out, number);  // of a newer program
  absl::StrAppend(out, "\"", value->name(), "\"");
}

class Encoder {
 public:
  explicit Encoder(std::string* out) : out_(out) {}

  void AddMessage(const Message& message) {
    const Descriptor* type = message.GetDescriptor();
    const Reflection* reflection = message.GetReflection();  // once: not as cheap as it looks
    out_->push_back('{');
    is_first_ = true;
    bool has_optional = false;
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (IsOptionalScalar(field)) {
        has_optional = true;
      } else if (field->is_repeated() || field->message_type() == nullptr ||
                 reflection->HasField(message, field)) {
        AddMember(message, *reflection, field);
      }
    }
    if (has_optional) AddOptionalScalars(message, *type, *reflection);
    out_->push_back('}');
    is_first_ = false;
  }

 private:
  // `optional` members are each in a oneof of their own.
  static bool IsOptionalScalar(const FieldDescriptor* field) {
    return field->containing_oneof() != nullptr && field->message_type() == nullptr;
  }

  void AddOptionalScalars(const Message& message, const Descriptor& type,
                          const Reflection& reflection) {
    // Nearly all messages declare their members by number.
    int last_number = 0;
    bool is_ordered = true;
    for (int i = 0; i < type.field_count() && is_ordered; ++i) {
      is_ordered = type.field(i)->number() > last_number;
      last_number = type.field(i)->number();
    }
    std::vector<const FieldDescriptor*> ordered;
    if (!is_ordered) {
      for (int i = 0; i < type.field_count(); ++i) ordered.push_back(type.field(i));
      std::sort(ordered.begin(), ordered.end(),
                [](const auto* a, const auto* b) { return a->number() < b->number(); });
    }
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* field = is_ordered ? type.field(i) : ordered[static_cast<size_t>(i)];
      if (IsOptionalScalar(field) && reflection.HasField(message, field)) {
        AddMember(message, reflection, field);
      }
    }
  }

  void AddMember(const Message& message, const Reflection& reflection,
                 const FieldDescriptor* field) {
    if (!is_first_) out_->push_back(',');
    is_first_ = false;
    out_->push_back('"');
    out_->append(field->json_name());
    out_->append("\":");
    if (field->is_map()) return AddMap(message, reflection, field);
    if (!field->is_repeated()) return AddValue(message, reflection, field, -1);
    out_->push_back('[');
    const int size = reflection.FieldSize(message, field);
    for (int i = 0; i < size; ++i) {
      if (i > 0) out_->push_back(',');
      AddValue(message, reflection, field, i);
    }
    out_->push_back(']');
  }

  void AddMap(const Message& message, const Reflection& reflection, const FieldDescriptor* field) {
    const FieldDescriptor* key = field->message_type()->map_key();
    const FieldDescriptor* value = field->message_type()->map_value();
    if (key->cpp_type() != FieldDescriptor::CPPTYPE_STRING) std::abort();
    std::string scratch;
    std::vector<const Message*> entries;
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      entries.push_back(&reflection.GetRepeatedMessage(message, field, i));
    }
    const auto key_of = [key, &scratch](const Message& entry) -> const std::string& {
      return entry.GetReflection()->GetStringReference(entry, key, &scratch);
    };
    std::sort(entries.begin(), entries.end(),
              [&key_of](const Message* a, const Message* b) { return key_of(*a) < key_of(*b); });
    out_->push_back('{');
    for (const Message* entry : entries) {
      if (entry != entries.front()) out_->push_back(',');
      AppendJsonString(key_of(*entry), out_);
      out_->push_back(':');
      AddValue(*entry, *entry->GetReflection(), value, -1);
    }
    out_->push_back('}');
  }

  // One value; an item of a list if `index` is not negative.
  void AddValue(const Message& message, const Reflection& reflection, const FieldDescriptor* field,
                int index) {
    const auto read = [&](auto get, auto get_item) {
      return index < 0 ? (reflection.*get)(message, field)
                       : (reflection.*get_item)(message, field, index);
    };
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        if (field->type() == FieldDescriptor::TYPE_BYTES) break;
        std::string scratch;
        return AppendJsonString(
            index < 0 ? reflection.GetStringReference(message, field, &scratch)
                      : reflection.GetRepeatedStringReference(message, field, index, &scratch),
            out_);
      }
      case FieldDescriptor::CPPTYPE_BOOL: {
        const bool is_true = read(&Reflection::GetBool, &Reflection::GetRepeatedBool);
        return (void)out_->append(is_true ? "true" : "false");
      }
      case FieldDescriptor::CPPTYPE_INT32:
        return absl::StrAppend(out_, read(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
      case FieldDescriptor::CPPTYPE_UINT32:
        return absl::StrAppend(out_, read(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32));
      case FieldDescriptor::CPPTYPE_INT64:
        return absl::StrAppend(out_, "\"",
                               read(&Reflection::GetInt64, &Reflection::GetRepeatedInt64), "\"");
      case FieldDescriptor::CPPTYPE_UINT64:
        return absl::StrAppend(out_, "\"",
                               read(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64), "\"");
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return AppendDouble(read(&Reflection::GetDouble, &Reflection::GetRepeatedDouble), out_);
      case FieldDescriptor::CPPTYPE_ENUM:
        return AppendEnum(field, read(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue),
                          out_);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return AddMessage(index < 0 ? reflection.GetMessage(message, field)
                                    : reflection.GetRepeatedMessage(message, field, index));
      case FieldDescriptor::CPPTYPE_FLOAT:
        break;
    }
    std::abort();  // a kind that no message of ours has: see the header
  }

  std::string* const out_;
  bool is_first_ = true;  // no member of the innermost message has been written
};

}  // namespace

void AppendJsonString(absl::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && IsPlain(static_cast<unsigned char>(text[plain]))) ++plain;
    out->append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      AppendAsciiEscape(text[0], out);
      text.remove_prefix(1);
    } else {
      text.remove_prefix(AppendCharacter(text, out));
    }
  }
  out->push_back('"');
}

std::string EncodeJson(const Message& message) {
  std::string text;
  text.reserve(1024);
  Encoder(&text).AddMessage(message);
  return text;
}

}  // namespace davit
