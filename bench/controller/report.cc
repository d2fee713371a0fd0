#include "bench/controller/report.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace davit::bench {
namespace {

std::string Number(double value) {
  return value >= 100 ? absl::StrFormat("%.0f", value)
                      : absl::StrFormat(value >= 10 ? "%.1f" : "%.2f", value);
}

std::string Number(const std::optional<double>& value) { return value ? Number(*value) : "-"; }

}  // namespace

Row LoadRow(int hosts, const std::string& measure, const LoadResult& load) {
  Row row;
  row.hosts = hosts;
  row.measure = measure;
  row.value = load.ItemsPerSecond();
  row.unit = "/s";
  row.p50_ms = load.Percentile(0.5);
  row.p99_ms = load.Percentile(0.99);
  row.max_ms = load.Percentile(1);
  return row;
}

void Report::Add(Row row) {
  if (!is_json_) {
    if (rows_.empty()) {
      std::cout << absl::StrFormat("%6s  %-30s %9s %-14s %8s %8s %8s %8s  %s\n", "hosts", "measure",
                                   "value", "unit", "p50 ms", "p99 ms", "max ms", "CPU us", "note");
    }
    std::cout << absl::StrFormat("%6d  %-30s %9s %-14s %8s %8s %8s %8s  %s\n", row.hosts,
                                 row.measure, Number(row.value), row.unit, Number(row.p50_ms),
                                 Number(row.p99_ms), Number(row.max_ms), Number(row.cpu_us),
                                 row.note)
              << std::flush;
  }
  rows_.push_back(std::move(row));
}

void Report::Finish() const {
  if (!is_json_) return;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows_) {
    nlohmann::ordered_json item = {
        {"hosts", row.hosts}, {"measure", row.measure}, {"value", row.value}, {"unit", row.unit}};
    if (row.p50_ms) item["p50Ms"] = *row.p50_ms;
    if (row.p99_ms) item["p99Ms"] = *row.p99_ms;
    if (row.max_ms) item["maxMs"] = *row.max_ms;
    if (row.cpu_us) item["cpuUs"] = *row.cpu_us;
    if (!row.note.empty()) item["note"] = row.note;
    list.push_back(std::move(item));
  }
  std::cout << list.dump(2) << "\n";
}

std::optional<double> Report::Find(int hosts, const std::string& measure) const {
  for (const Row& row : rows_) {
    if (row.hosts == hosts && row.measure == measure) return row.value;
  }
  return std::nullopt;
}

}  // namespace davit::bench
