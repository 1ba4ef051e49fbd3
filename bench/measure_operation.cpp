// What measuring an operation adds to it: the same empty operation with and without. SPDX-License-Identifier:
// Apache-2.0
#include <benchmark/benchmark.h>

#include "stage/timed.hpp"

namespace {

/// Stands for a driver's call: opaque to the compiler, and as short as a call can be.
[[gnu::noinline]] lab::Status operation(std::uint64_t& calls) {
  benchmark::DoNotOptimize(++calls);
  return lab::ok();
}

void plain(benchmark::State& state) {
  std::uint64_t calls = 0;
  for (auto _ : state) benchmark::DoNotOptimize(operation(calls));
}
BENCHMARK(plain);

void measured(benchmark::State& state) {
  lab::OperationsOutcome outcome;
  std::uint64_t calls = 0;
  for (auto _ : state) benchmark::DoNotOptimize(lab::timed(outcome, [&] { return operation(calls); }));
}
BENCHMARK(measured);

}  // namespace

BENCHMARK_MAIN();
