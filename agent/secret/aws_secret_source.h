#ifndef DAVIT_AGENT_SECRET_AWS_SECRET_SOURCE_H_
#define DAVIT_AGENT_SECRET_AWS_SECRET_SOURCE_H_

#include "agent/secret/aws_client.h"
#include "agent/secret/secret_source.h"

namespace davit::secret {

// Secrets from Secrets Manager and Systems Manager's Parameter Store.
class AwsSecretSource final : public SecretSource {
 public:
  explicit AwsSecretSource(const AwsClient* aws) : aws_(aws) {}
  absl::StatusOr<std::string> Get(const SecretReference& reference) const override;

 private:
  const AwsClient* const aws_;
};

}  // namespace davit::secret

#endif  // DAVIT_AGENT_SECRET_AWS_SECRET_SOURCE_H_
