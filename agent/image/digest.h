#ifndef DAVIT_AGENT_IMAGE_DIGEST_H_
#define DAVIT_AGENT_IMAGE_DIGEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Content digests of the OCI image-spec (descriptor.md, "Digests"). Only sha256, the one algorithm
// that every registry must support. Pure.
namespace davit::image {

// "sha256:" and 64 lower-case hexadecimal digits of `content`.
std::string Sha256Digest(absl::string_view content);

// Whether `text` has the form of Sha256Digest().
bool IsSha256Digest(absl::string_view text);

// The names of the snapshots of stacked layers: element i identifies layers 0..i. `diff_ids` are
// the digests of the uncompressed layers, lowest first. Source: OCI image-spec config.md, "Layer
// ChainID".
std::vector<std::string> ChainIds(const std::vector<std::string>& diff_ids);

}  // namespace davit::image

#endif  // DAVIT_AGENT_IMAGE_DIGEST_H_
