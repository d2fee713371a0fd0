#include "tests/support/busybox_image.h"

#include <openssl/sha.h>

#include <array>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/containerd/content_store.h"
#include "agent/containerd/diffs.h"
#include "agent/containerd/leases.h"
#include "agent/containerd/snapshots.h"
#include "base/file.h"
#include "base/status.h"

namespace davit::test {
namespace {

// One entry of a tar archive in POSIX ustar format. `type`: '0' file, '2' link, '5' folder.
std::string TarEntry(const std::string& name, char type, unsigned mode, const std::string& content,
                     const std::string& link_target = "") {
  std::array<char, 512> header = {};
  const auto put = [&header](size_t offset, const std::string& text) {
    std::memcpy(header.data() + offset, text.data(), text.size());
  };
  const auto octal = [](size_t value, size_t digits) {
    std::string text(digits, '0');
    for (size_t i = digits; value > 0 && i > 0; value /= 8)
      text[--i] = static_cast<char>('0' + value % 8);
    return text;
  };
  put(0, name);
  put(100, octal(mode, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(content.size(), 11));
  put(136, octal(0, 11));
  put(148, std::string(8, ' '));  // the checksum counts its own field as spaces
  header[156] = type;
  put(157, link_target);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned checksum = 0;
  for (const char byte : header) checksum += static_cast<unsigned char>(byte);
  put(148, octal(checksum, 6));
  std::string entry(header.begin(), header.end());
  entry += content;
  entry.resize((entry.size() + 511) / 512 * 512);
  return entry;
}

}  // namespace

std::string Sha256(const std::string& bytes) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  return absl::StrCat("sha256:", absl::BytesToHexString(hash));
}

absl::StatusOr<std::string> BusyboxLayer() {
  ASSIGN_OR_RETURN(const std::string busybox, ReadFile("/usr/bin/busybox"));
  std::string tar;
  for (const char* folder : {"bin/", "dev/", "etc/", "proc/", "sys/", "tmp/"}) {
    tar += TarEntry(folder, '5', 0755, "");
  }
  tar += TarEntry("bin/busybox", '0', 0755, busybox);
  tar += TarEntry("bin/sh", '2', 0777, "", "busybox");
  tar += TarEntry("etc/passwd", '0', 0644, "root:x:0:0:root:/:/bin/sh\n");
  tar += TarEntry("etc/account", '2', 0777, "", "/etc/passwd");
  tar.append(1024, '\0');
  return tar;
}

absl::StatusOr<std::string> ImportBusybox(containerd::Client* client,
                                          const std::string& snapshotter) {
  const containerd::CallOptions leased{.lease = "busybox", .timeout = absl::Seconds(60)};
  ASSIGN_OR_RETURN(const std::string layer, BusyboxLayer());
  const std::string digest = Sha256(layer);
  const containerd::Descriptor descriptor{
      "application/vnd.oci.image.layer.v1.tar", digest, static_cast<int64_t>(layer.size()), {}};
  containerd::Leases leases(client);
  RETURN_IF_ERROR(OkIfAlreadyExists(leases.Create(leased.lease)));
  containerd::ContentStore content(client);
  auto writer = content.OpenWriter("busybox", digest, descriptor.size, leased);
  if (writer.ok()) {
    RETURN_IF_ERROR((*writer)->Write(layer));
    RETURN_IF_ERROR((*writer)->Commit());
  } else {
    RETURN_IF_ERROR(OkIfAlreadyExists(writer.status()));
  }
  containerd::Snapshots snapshots(client, snapshotter);
  if (snapshots.Stat(digest).ok()) return digest;
  ASSIGN_OR_RETURN(const auto mounts, snapshots.Prepare("busybox-unpack", "", {}, leased));
  containerd::Diffs diffs(client);
  ASSIGN_OR_RETURN(const auto applied, diffs.Apply(descriptor, mounts, leased));
  // One uncompressed layer: digest, diff id and chain id are the same.
  RETURN_IF_ERROR(snapshots.Commit(applied.digest, "busybox-unpack", {}, leased));
  return applied.digest;
}

}  // namespace davit::test
