#ifndef DAVIT_AGENT_SECRET_SECRET_SOURCE_H_
#define DAVIT_AGENT_SECRET_SECRET_SOURCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "agent/secret/secret_reference.h"

namespace davit::secret {

// Where secrets come from. Thread-safe; calls block on disk or network. No error repeats a value.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  // The whole value; json_key is the caller's business. NotFound: this source does not have it, ask
  // the next. Anything else ends the search.
  virtual absl::StatusOr<std::string> Get(const SecretReference& reference) const = 0;
};

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_SECRET_SOURCE_H_
