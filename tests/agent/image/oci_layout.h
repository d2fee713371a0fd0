#ifndef DAVIT_TESTS_AGENT_IMAGE_OCI_LAYOUT_H_
#define DAVIT_TESTS_AGENT_IMAGE_OCI_LAYOUT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/image/manifest.h"

namespace davit::image {

// Creates images in a folder (OCI image layout) and pushes them with skopeo, like a user's build
// tools.
class OciLayout {
 public:
  // Creates `folder`; the caller removes it.
  explicit OciLayout(std::string folder);

  struct Layer {
    Descriptor descriptor;
    std::string diff_id;
  };
  // Files by path, without leading '/'. A path that ends with '/' is a folder, a name that begins
  // with ".wh." removes.
  absl::StatusOr<Layer> AddLayer(const std::map<std::string, std::string>& files);

  // An image of these layers, lowest first, with a configuration whose command is `command`.
  absl::StatusOr<Descriptor> AddImage(const std::vector<Layer>& layers, const Platform& platform,
                                      const std::string& command);
  // Images for several platforms under one name.
  absl::StatusOr<Descriptor> AddIndex(const std::vector<std::pair<Descriptor, Platform>>& images);

  // To "HOST/REPO:TAG" over plain http. `arguments`: more for skopeo, e.g. "--format=v2s2".
  absl::Status Push(const Descriptor& image, const std::string& name,
                    const std::vector<std::string>& arguments = {});

 private:
  absl::StatusOr<Descriptor> AddBlob(const std::string& media_type, const std::string& content);

  const std::string folder_;
  int layers_ = 0;
};

}  // namespace davit::image

#endif  // DAVIT_TESTS_AGENT_IMAGE_OCI_LAYOUT_H_
