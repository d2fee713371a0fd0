#include "controller/capacity/host.h"

#include <catch2/catch.hpp>

namespace davit::controller::capacity {
namespace {

TEST_CASE("a host's free GPUs are those that it has and no task holds", "[capacity]") {
  v1::ContainerInstance instance;
  v1::Resource* gpus = instance.add_registered_resources();
  gpus->set_name("GPU");
  for (const char* id : {"B", "A", "C", "A"}) gpus->add_string_set_value(id);
  Host host;
  SetRegistered(instance.registered_resources(), &host);
  using Ids = std::vector<std::string>;
  CHECK(host.FreeGpus() == Ids{"A", "B", "C"});
  Reservation needs;
  needs.gpu_ids = {"B", "gone"};  // the host had it when the task was placed
  host.Reserve(needs);
  CHECK(host.FreeGpus() == Ids{"A", "C"});
  host.Release(needs);
  CHECK(host.FreeGpus() == Ids{"A", "B", "C"});
  CHECK(host.taken_gpus.empty());
}

TEST_CASE("releasing what was reserved restores the host, ports of its own included",
          "[capacity]") {
  v1::ContainerInstance instance;
  v1::Resource* memory = instance.add_registered_resources();
  memory->set_name("MEMORY");
  memory->set_integer_value(1000);
  v1::Resource* ports = instance.add_registered_resources();
  ports->set_name("PORTS");
  ports->add_string_set_value("51678");
  ports->add_string_set_value("22");
  Host host;
  SetRegistered(instance.registered_resources(), &host);
  CHECK(host.taken_tcp_ports == std::vector<int>{22, 51678});
  const Reservation needs{100, 200, {22, 80}, {53}};
  host.Reserve(needs);
  CHECK(host.free_memory_mib == 800);
  CHECK(host.taken_tcp_ports == std::vector<int>{22, 22, 80, 51678});
  host.Release(needs);
  CHECK(host.free_memory_mib == 1000);
  CHECK(host.taken_tcp_ports == std::vector<int>{22, 51678});
  CHECK(host.taken_udp_ports.empty());
  CHECK(host.task_count == 0);
}

}  // namespace
}  // namespace davit::controller::capacity
