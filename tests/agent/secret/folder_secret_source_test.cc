#include "agent/secret/folder_secret_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "tests/support/scratch_folder.h"

namespace davit::secret {
namespace {

class Folder {
 public:
  void Write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = scratch_.path() + "/" + name;
    REQUIRE(WriteFileAtomically(path, text).ok());
    REQUIRE(chmod(path.c_str(), mode) == 0);
  }
  void MakeFolder(const std::string& name, mode_t mode = 0700) {
    REQUIRE(mkdir((scratch_.path() + "/" + name).c_str(), mode) == 0);
  }
  absl::StatusOr<std::string> Get(const std::string& value_from) const {
    return FolderSecretSource(scratch_.path()).Get(ParseSecretReference(value_from).value());
  }
  const std::string& path() const { return scratch_.path(); }

 private:
  const test::ScratchFolder scratch_;
};

TEST_CASE("a secret is the content of the file of its name", "[secret]") {
  Folder folder;
  folder.Write("token", "hunter2\n");
  folder.Write("lines", "a\nb\n\n");
  folder.MakeFolder("prod");
  folder.Write("prod/db", "of prod");
  CHECK(folder.Get("token").value() == "hunter2");
  CHECK(folder.Get("lines").value() == "a\nb\n");
  CHECK(folder.Get("/prod/db").value() == "of prod");
  CHECK(folder.Get("arn:aws:ssm:r:a:parameter/prod/db").value() == "of prod");
  CHECK(folder.Get("arn:aws:secretsmanager:r:a:secret:prod/db-a1B2c3:key::").value() == "of prod");
}

TEST_CASE("a missing secret is NotFound, so that the next source is asked", "[secret]") {
  Folder folder;
  folder.Write("token", "x");
  folder.MakeFolder("prod");
  const char* const name =
      GENERATE("none", "none/deep", "token/deep", "prod", "../token", "a/../token", "/");
  CHECK(folder.Get(name).status().code() == absl::StatusCode::kNotFound);
  CHECK(FolderSecretSource("/no/such/folder").Get({}).status().code() ==
        absl::StatusCode::kNotFound);
  CHECK(FolderSecretSource("").Get({}).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("a secret that others may read is refused, and the error says how to fix it",
          "[secret]") {
  Folder folder;
  folder.Write("token", "hunter2", GENERATE(0640, 0604, 0620, 0666));
  const absl::Status status = folder.Get("token").status();
  CHECK(status.code() == absl::StatusCode::kPermissionDenied);
  CHECK_THAT(std::string(status.message()),
             Catch::Contains("chmod go= ") && !Catch::Contains("hunter2"));
  folder.MakeFolder("open", 0755);
  folder.Write("open/token", "x");
  CHECK(folder.Get("open/token").status().code() == absl::StatusCode::kPermissionDenied);
}

TEST_CASE("links and other non-files are not secrets", "[secret]") {
  Folder folder;
  folder.Write("token", "x");
  REQUIRE(symlink("token", (folder.path() + "/link").c_str()) == 0);
  REQUIRE(mkfifo((folder.path() + "/fifo").c_str(), 0600) == 0);
  CHECK_FALSE(folder.Get("link").ok());
  CHECK(folder.Get("fifo").status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a secret has at most 64 KiB", "[secret]") {
  Folder folder;
  folder.Write("largest", std::string(64 << 10, 'x'));
  folder.Write("larger", std::string((64 << 10) + 1, 'x'));
  CHECK(folder.Get("largest").value().size() == 64 << 10);
  CHECK(folder.Get("larger").status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace davit::secret
