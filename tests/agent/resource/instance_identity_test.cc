#include "agent/resource/instance_identity.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/http_server.h"
#include "tests/agent/resource/temp_tree.h"

namespace davit::resource {
namespace {

constexpr char kDocument[] = R"({"instanceId":"i-0123456789abcdef0","region":"eu-central-1",
  "availabilityZone":"eu-central-1b","instanceType":"m6g.large","imageId":"ami-1","accountId":"111122223333"})";

// Behaves like IMDSv2: a PUT returns a token, and everything else requires it.
class FakeImds {
 public:
  FakeImds() {
    texts_["/latest/dynamic/instance-identity/document"] = kDocument;
    texts_["/latest/meta-data/mac"] = "02:00:00:00:00:01";
    texts_["/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/vpc-id"] = "vpc-1";
    texts_["/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/subnet-id"] = "subnet-1";
    server_ = *HttpServer::Start(
        {}, [this](const HttpServerRequest& request) { return Answer(request); });
  }
  ~FakeImds() { Release(); }

  void SetText(const std::string& path, const std::string& text) { texts_[path] = text; }
  void RefuseToken() { token_status_ = 403; }
  // Requests for documents are not answered until Release().
  void Hold() { is_held_ = true; }
  void Release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_held_ = false;
    released_.notify_all();
  }
  int refused() const { return refused_; }

  InstanceIdentityOptions Options() const {
    InstanceIdentityOptions options;
    options.imds_endpoint = absl::StrCat("http://127.0.0.1:", server_->port());
    options.machine_id = "0123456789abcdef0123456789abcdef";
    options.root = "/nonexistent";
    return options;
  }

 private:
  HttpServerResponse Answer(const HttpServerRequest& request) {
    if (request.path == "/latest/api/token") {
      const bool is_valid = request.method == "PUT" &&
                            request.headers.count("x-aws-ec2-metadata-token-ttl-seconds") > 0;
      return {is_valid ? token_status_ : 400, "text/plain", "TOKEN==", {}};
    }
    {
      std::unique_lock<std::mutex> lock(mutex_);
      released_.wait(lock, [this] { return !is_held_; });
    }
    const auto token = request.headers.find("x-aws-ec2-metadata-token");
    if (token == request.headers.end() || token->second != "TOKEN==") {
      ++refused_;
      return {401, "text/plain", "", {}};
    }
    const auto text = texts_.find(request.path);
    if (text == texts_.end()) return {404, "text/plain", "", {}};
    return {200, "text/plain", text->second, {}};
  }

  std::map<std::string, std::string> texts_;
  int token_status_ = 200;
  std::atomic<int> refused_ = 0;
  std::mutex mutex_;
  std::condition_variable released_;
  bool is_held_ = false;
  std::unique_ptr<HttpServer> server_;
};

TEST_CASE("on EC2 the identity comes from the metadata service", "[resource]") {
  const FakeImds imds;
  const absl::StatusOr<InstanceIdentity> identity = FindInstanceIdentity(imds.Options());
  REQUIRE(identity.ok());
  CHECK(identity->source == InstanceIdentity::Source::kImds);
  CHECK(identity->ec2_instance_id == "i-0123456789abcdef0");
  CHECK(identity->region == "eu-central-1");
  CHECK(identity->availability_zone == "eu-central-1b");
  CHECK(identity->instance_type == "m6g.large");
  CHECK(identity->ami_id == "ami-1");
  CHECK(identity->account_id == "111122223333");
  CHECK(identity->vpc_id == "vpc-1");
  CHECK(identity->subnet_id == "subnet-1");
  CHECK(imds.refused() == 0);
}

TEST_CASE("a configured id is kept, the rest comes from the metadata service", "[resource]") {
  const FakeImds imds;
  InstanceIdentityOptions options = imds.Options();
  options.configured_id = "host-a";
  const absl::StatusOr<InstanceIdentity> identity = FindInstanceIdentity(options);
  REQUIRE(identity.ok());
  CHECK(identity->source == InstanceIdentity::Source::kConfigured);
  CHECK(identity->ec2_instance_id == "host-a");
  CHECK(identity->availability_zone == "eu-central-1b");
}

TEST_CASE("without a metadata service the host is not on EC2", "[resource]") {
  InstanceIdentityOptions options = FakeImds().Options();  // its server has ended
  const absl::StatusOr<InstanceIdentity> derived = FindInstanceIdentity(options);
  REQUIRE(derived.ok());
  CHECK(derived->source == InstanceIdentity::Source::kMachineId);
  CHECK(derived->ec2_instance_id == InstanceIdFromMachineId(options.machine_id));
  options.machine_id.clear();
  CHECK(FindInstanceIdentity(options).status().code() == absl::StatusCode::kFailedPrecondition);
  options.configured_id = "host-a";
  CHECK(FindInstanceIdentity(options)->ec2_instance_id == "host-a");
}

TEST_CASE("a service without tokens is not EC2's", "[resource]") {
  FakeImds imds;
  imds.RefuseToken();
  CHECK(FindInstanceIdentity(imds.Options())->source == InstanceIdentity::Source::kMachineId);
}

TEST_CASE("an EC2 instance without a metadata service gets no substitute identity", "[resource]") {
  FakeImds imds;
  imds.RefuseToken();
  TempTree tree;
  tree.Write("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
  InstanceIdentityOptions options = imds.Options();
  options.root = tree.root();
  CHECK(FindInstanceIdentity(options).status().code() == absl::StatusCode::kUnavailable);
}

TEST_CASE("invalid data from the metadata service is retryable", "[resource]") {
  FakeImds imds;
  for (const char* garbage : {"", "{", "[]", "42", R"({"instanceId":7})", R"({"region":"x"})"}) {
    imds.SetText("/latest/dynamic/instance-identity/document", garbage);
    CHECK(FindInstanceIdentity(imds.Options()).status().code() == absl::StatusCode::kUnavailable);
  }
}

TEST_CASE("a slow metadata service is retryable", "[resource]") {
  FakeImds imds;
  imds.Hold();
  InstanceIdentityOptions options = imds.Options();
  options.timeout = absl::Milliseconds(100);
  CHECK(FindInstanceIdentity(options).status().code() == absl::StatusCode::kUnavailable);
  imds.Release();
}

TEST_CASE("an id derived from the machine id looks like EC2's and does not reveal it",
          "[resource]") {
  const std::string id = InstanceIdFromMachineId("0123456789abcdef0123456789abcdef");
  CHECK(id.size() == 19);
  CHECK(id.substr(0, 2) == "i-");
  CHECK(id.find("0123456789abcdef") == std::string::npos);
  CHECK(id == InstanceIdFromMachineId("0123456789abcdef0123456789abcdef"));
  CHECK(id != InstanceIdFromMachineId("0123456789abcdef0123456789abcdee"));
}

}  // namespace
}  // namespace davit::resource
