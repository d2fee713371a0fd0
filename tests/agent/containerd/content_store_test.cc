#include "agent/containerd/content_store.h"

#include "tests/agent/containerd/server_fixture.h"
#include "tests/support/busybox_image.h"

namespace davit::containerd {
namespace {

using Code = absl::StatusCode;

struct Fixture : test::ServerFixture {
  Fixture() : store(client.get()), blob(3 << 20, 'x'), digest(test::Sha256(blob)) {}

  std::unique_ptr<ContentWriter> Open(const std::string& ref) {
    auto writer = store.OpenWriter(ref, digest, static_cast<int64_t>(blob.size()), leased);
    REQUIRE(writer.status() == absl::OkStatus());
    return *std::move(writer);
  }
  void Store() {
    const auto writer = Open("first");
    REQUIRE(writer->Write(blob) == absl::OkStatus());
    REQUIRE(writer->Commit({{"containerd.io/gc.ref.content.0", digest}}) == absl::OkStatus());
  }
  // Another lease must protect the blob, or the garbage collector may remove it at any time.
  void MoveToOtherLease() {
    Leases leases(client.get());
    REQUIRE(leases.Create("other") == absl::OkStatus());
    REQUIRE(leases.AddResource("other", {"content", digest}) == absl::OkStatus());
    REQUIRE(leases.DeleteResource("lease", {"content", digest}) == absl::OkStatus());
  }
  bool IsLeased() {
    const auto resources = Leases(client.get()).ListResources("lease");
    REQUIRE(resources.ok());
    return std::count(resources->begin(), resources->end(), LeaseResource{"content", digest}) == 1;
  }

  ContentStore store;
  const std::string blob;  // larger than one message's piece
  const std::string digest;
};

TEST_CASE_METHOD(Fixture, "a blob is read as written, and its lease protects it", "[content]") {
  CHECK(store.Info(digest).status().code() == Code::kNotFound);
  Store();
  const auto info = store.Info(digest);
  REQUIRE(info.ok());
  CHECK(info->size == 3 << 20);
  CHECK(info->labels.at("containerd.io/gc.ref.content.0") == digest);
  CHECK(store.Read(digest, 4 << 20).value() == blob);
  CHECK(IsLeased());
}

TEST_CASE_METHOD(Fixture, "a blob above the limit is not read", "[content]") {
  Store();
  CHECK(store.Read(digest, 1 << 20).status().code() == Code::kResourceExhausted);
}

TEST_CASE_METHOD(Fixture, "a writer continues where an earlier one was interrupted", "[content]") {
  {
    const auto writer = Open("ref");
    CHECK(writer->offset() == 0);
    REQUIRE(writer->Write(blob.substr(0, 2000000)) == absl::OkStatus());
  }
  const auto writer = Open("ref");
  REQUIRE(writer->offset() == 2000000);
  REQUIRE(writer->Write(blob.substr(2000000)) == absl::OkStatus());
  CHECK(writer->Commit() == absl::OkStatus());
  CHECK(store.Read(digest, 4 << 20).value() == blob);
}

TEST_CASE_METHOD(Fixture, "an aborted writer leaves no bytes", "[content]") {
  {
    const auto writer = Open("ref");
    REQUIRE(writer->Write("something") == absl::OkStatus());
    REQUIRE(writer->Abort() == absl::OkStatus());
    CHECK(writer->Write("more").code() == Code::kFailedPrecondition);
  }
  CHECK(Open("ref")->offset() == 0);
  CHECK(store.Abort("ref") == absl::OkStatus());
  CHECK(store.Abort("ref") == absl::OkStatus());
}

TEST_CASE_METHOD(Fixture, "content that differs from the announced size or digest is refused",
                 "[content]") {
  const auto writer = Open("ref");
  SECTION("another digest") { REQUIRE(writer->Write(std::string(3 << 20, 'y')).ok()); }
  SECTION("too little") { REQUIRE(writer->Write("x").ok()); }
  CHECK(writer->Commit().code() == Code::kFailedPrecondition);
  CHECK(store.Info(digest).status().code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "an existing blob needs no writer, and the lease protects it",
                 "[content]") {
  Store();
  MoveToOtherLease();
  const auto writer = store.OpenWriter("other", digest, 3 << 20, leased);
  CHECK(writer.status().code() == Code::kAlreadyExists);
  CHECK(IsLeased());
}

TEST_CASE_METHOD(Fixture, "the slower of two writers of one blob succeeds too", "[content]") {
  const auto slow = Open("slow");
  REQUIRE(slow->Write(blob) == absl::OkStatus());
  Store();
  MoveToOtherLease();
  CHECK(slow->Commit() == absl::OkStatus());
  CHECK(IsLeased());
}

TEST_CASE_METHOD(Fixture, "labels are set, kept and removed one by one", "[content]") {
  Store();
  REQUIRE(store.UpdateLabels(digest, {{"a", "1"}, {"b", "2"}}) == absl::OkStatus());
  REQUIRE(store.UpdateLabels(digest, {{"a", ""}}) == absl::OkStatus());
  const auto info = store.Info(digest);
  REQUIRE(info.ok());
  CHECK(info->labels.contains("containerd.io/gc.ref.content.0"));
  CHECK(info->labels.at("b") == "2");
  CHECK_FALSE(info->labels.contains("a"));
  CHECK(store.UpdateLabels(test::Sha256("absent"), {{"a", "1"}}).code() == Code::kNotFound);
}

TEST_CASE_METHOD(Fixture, "blobs are listed and deleted", "[content]") {
  Store();
  const auto infos = store.List();
  REQUIRE(infos.ok());
  REQUIRE(infos->size() == 1);
  CHECK(infos->front().digest == digest);
  CHECK(store.Delete(digest) == absl::OkStatus());
  CHECK(store.Delete(digest).code() == Code::kNotFound);
}

}  // namespace
}  // namespace davit::containerd
