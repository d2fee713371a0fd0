#include "agent/secret/aws_secret_source.h"

namespace davit::secret {

absl::StatusOr<std::string> AwsSecretSource::Get(const SecretReference& reference) const {
  if (reference.kind == SecretReference::Kind::kParameter) {
    return aws_->GetParameter(reference.region, reference.id);
  }
  return aws_->GetSecretValue(reference.region, reference.id, reference.version_stage,
                              reference.version_id);
}

}  // namespace davit::secret
