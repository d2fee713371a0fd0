#ifndef DAVIT_BENCH_CONTROLLER_REPORT_H_
#define DAVIT_BENCH_CONTROLLER_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "bench/controller/load.h"

namespace davit::bench {

// One figure with what belongs to it. Absent members do not apply.
struct Row {
  int hosts = 0;
  std::string measure;
  double value = 0;
  std::string unit;
  std::optional<double> p50_ms;
  std::optional<double> p99_ms;
  std::optional<double> max_ms;
  std::optional<double> cpu_us;  // CPU time of the controller for each item
  std::string note;
};

// A row for a load: items per second, and the latency of its calls.
Row LoadRow(int hosts, const std::string& measure, const LoadResult& load);

// Prints rows as they come, as a table or at the end as JSON.
class Report {
 public:
  explicit Report(bool is_json) : is_json_(is_json) {}
  void Add(Row row);
  // JSON only: a list of all rows.
  void Finish() const;
  // The value of the row, if there is one.
  std::optional<double> Find(int hosts, const std::string& measure) const;

 private:
  const bool is_json_;
  std::vector<Row> rows_;
};

}  // namespace davit::bench

#endif  // DAVIT_BENCH_CONTROLLER_REPORT_H_
