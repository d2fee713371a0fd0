#ifndef DAVIT_AGENT_SECRET_SECRET_SOURCE_H_
#define DAVIT_AGENT_SECRET_SECRET_SOURCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/secret/secret_reference.h"

namespace davit::secret {

// A source of secrets. Thread-safe; calls block on disk or network. No error contains a value.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  // The whole value; the caller applies json_key. NotFound: this source does not have it, so the
  // caller asks the next. Any other error ends the search.
  virtual absl::StatusOr<std::string> Get(const SecretReference& reference) const = 0;
};

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_SECRET_SOURCE_H_
