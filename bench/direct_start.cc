// Starts containers with the agent's own containerd calls and nothing around them: what bench/start
// compares the agent with. Prints "each <milliseconds>" for every container and "total
// <milliseconds>"; then removes them.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "agent/log/log_uri.h"
#include "agent/runtime/containerd_runtime.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/status.h"

namespace davit {
namespace {

struct Arguments {
  std::string address;
  std::string containerd_namespace;
  std::string spec_file;  // the OCI spec of a container of the agent
  std::string task_id;    // that container's, which is replaced
  std::string chain_id;
  std::string image;
  std::string logger;
  std::string log_folder;
  int count = 1;
  int concurrency = 1;
};

absl::Status StartOne(const Arguments& arguments, const std::string& spec, int number,
                      runtime::Runtime* runtime) {
  const std::string id = absl::StrFormat("%032x", number);
  runtime::ContainerSpec container;
  container.id = id + "-main";
  container.lease = "direct-" + id;
  container.image_name = arguments.image;
  container.oci_spec_json = absl::StrReplaceAll(spec, {{arguments.task_id, id}});
  log::LogOptions log;
  log.logger_path = arguments.logger;
  log.file = absl::StrCat(arguments.log_folder, "/", id, ".log");
  container.log_uri = log::LogUri(log);
  RETURN_IF_ERROR(runtime->CreateLease(container.lease, {}));
  RETURN_IF_ERROR(
      runtime->PrepareRootfs(container.id, container.lease, arguments.chain_id).status());
  RETURN_IF_ERROR(runtime->Create(container));
  return runtime->Start(container.id).status();
}

absl::Status RemoveOne(int number, runtime::Runtime* runtime) {
  const std::string id = absl::StrFormat("%032x", number);
  RETURN_IF_ERROR(OkIfNotFound(runtime->Remove(id + "-main")));
  return runtime->RemoveLease("direct-" + id);
}

int Run(const Arguments& arguments) {
  const absl::StatusOr<std::string> spec = ReadFile(arguments.spec_file);
  if (!spec.ok()) {
    std::cerr << spec.status() << "\n";
    return 1;
  }
  containerd::Client client({arguments.address, arguments.containerd_namespace});
  runtime::ContainerdRuntime runtime(&client, {});
  const size_t count = static_cast<size_t>(arguments.count);
  std::vector<absl::Status> results(count);
  std::vector<absl::Duration> durations(count);
  const absl::Time begun = absl::Now();
  {
    ThreadPool pool("start", arguments.concurrency);
    for (size_t i = 0; i < count; ++i) {
      pool.Post([&, i] {
        const absl::Time start = absl::Now();
        results[i] = StartOne(arguments, *spec, static_cast<int>(i), &runtime);
        durations[i] = absl::Now() - start;
      });
    }
  }
  const absl::Duration total = absl::Now() - begun;
  {
    ThreadPool pool("remove", arguments.concurrency);
    for (size_t i = 0; i < count; ++i) {
      pool.Post([&, i] { results[i].Update(RemoveOne(static_cast<int>(i), &runtime)); });
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (!results[i].ok()) std::cerr << results[i] << "\n";
    std::cout << "each " << absl::ToDoubleMilliseconds(durations[i]) << "\n";
  }
  std::cout << "total " << absl::ToDoubleMilliseconds(total) << "\n";
  for (const absl::Status& result : results) {
    if (!result.ok()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace davit

int main(int argc, char** argv) {
  CLI::App app("direct_start: containers by the agent's own containerd calls");
  davit::Arguments arguments;
  app.add_option("--address", arguments.address, "containerd's socket")->required();
  app.add_option("--namespace", arguments.containerd_namespace, "containerd namespace")->required();
  app.add_option("--spec", arguments.spec_file, "file with the OCI spec")->required();
  app.add_option("--task-id", arguments.task_id, "text in the spec that each container replaces")
      ->required();
  app.add_option("--chain-id", arguments.chain_id, "the image's snapshot")->required();
  app.add_option("--image", arguments.image, "the image's name")->required();
  app.add_option("--logger", arguments.logger, "davit-logger")->required();
  app.add_option("--log-folder", arguments.log_folder, "where logs go")->required();
  app.add_option("--count", arguments.count, "how many")->check(CLI::Range(1, 1000));
  app.add_option("--concurrency", arguments.concurrency, "how many at a time")
      ->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  return davit::Run(arguments);
}
