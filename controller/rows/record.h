#ifndef DAVIT_CONTROLLER_ROWS_RECORD_H_
#define DAVIT_CONTROLLER_ROWS_RECORD_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "davit/v1/cluster_record.pb.h"

namespace davit::controller::rows {

// Records are immutable and shared: the holder of a Ref may read the record on any thread, at any
// time.
template <typename T>
using Ref = std::shared_ptr<const T>;

// What the connection of an agent has brought. Never stored: after a start, nobody is connected.
struct Session {
  std::string cluster;
  std::string instance_id;
  std::string id;  // of the stream
  std::string boot_id;
  int protocol_version = 0;  // of the agent
  bool is_runtime_available = true;
  std::string impairment;  // what is wrong with the host, in words; empty: nothing
};

// In the order in which they are loaded: a record refers to earlier kinds only.
using Record = std::variant<Ref<v1::StoredMeta>, Ref<v1::StoredFamily>,
                            Ref<v1::StoredTaskDefinition>, Ref<v1::StoredCluster>,
                            Ref<v1::StoredContainerInstance>, Ref<v1::StoredTask>, Ref<Session>>;

enum class Durability {
  kNow,    // answered, sent and shown only when it is durable
  kLazy,   // written later; its source reports it again after a crash
  kNever,  // ends with the process
};

// One object as it shall be from now on: the only way in which anything changes.
struct Mutation {
  std::string key;
  Record record;  // a null pointer of its kind: the object is gone
  Durability durability = Durability::kNow;
};

// Keys of rows; proto/davit/v1/cluster_record.proto lists them.
inline constexpr char kMetaKey[] = "meta";
std::string FamilyKey(absl::string_view family);
std::string KeyOf(const v1::StoredMeta& record);
std::string KeyOf(const v1::StoredTaskDefinition& record);
std::string KeyOf(const v1::StoredCluster& record);
std::string KeyOf(const v1::StoredContainerInstance& record);
std::string KeyOf(const v1::StoredTask& record);
std::string KeyOf(const Session& session);

// The part of a key after the kind: "CLUSTER/ID" of "task/CLUSTER/ID".
absl::string_view NameIn(absl::string_view key);
// The two halves of "CLUSTER/ID", which neither contains a slash.
std::pair<absl::string_view, absl::string_view> SplitName(absl::string_view name);

bool IsErasure(const Mutation& mutation);

// The bytes of a row; nullopt: the row goes. Not for sessions, which have none.
std::optional<std::string> Encode(const Mutation& mutation);
// DataLoss: the key is of no known kind, or the value is not its message. The text names the row.
absl::StatusOr<Mutation> Decode(const std::string& key, const std::string& value);

using Rows = std::vector<std::pair<std::string, std::string>>;  // key, value; sorted by key

// All rows, in the order of the kinds in Record. Errors as Decode().
absl::StatusOr<std::vector<Mutation>> DecodeAll(const Rows& rows);

}  // namespace davit::controller::rows

#endif  // DAVIT_CONTROLLER_ROWS_RECORD_H_
