#include "agent/image/image_reference.h"
#include "tests/fuzz/fuzz_targets.h"

namespace davit::fuzz {

int FuzzImageReference(const uint8_t* data, size_t size) {
  const auto reference =
      image::ParseImageReference(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!reference.ok()) return 0;
  // It goes into URLs: nothing may reach another path than its own.
  Must(reference->repository.find("..") == std::string::npos ||
       reference->repository.find("../") == std::string::npos);
  Must(!reference->ManifestName().empty() &&
       reference->ManifestName().find('/') == std::string::npos);
  const auto again = image::ParseImageReference(reference->ToString());
  Must(again.ok() && *again == *reference);
  return 0;
}

}  // namespace davit::fuzz
