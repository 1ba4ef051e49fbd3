// One round of making data, on one thread: GiB per CPU-second of each made kind, beside memcpy and memset.
// bench/generate runs it. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <vector>

#include "payload/dataset.hpp"
#include "payload/made_kinds.hpp"

namespace lab {
namespace {

constexpr Bytes kObject = 128_KiB;
constexpr Bytes kSmallObject = 16_KiB;  // Of the size that the first cache holds.
constexpr Bytes kAll = 512_MiB;
constexpr std::uint64_t kObjects = kAll.count / kObject.count;

double cpu_seconds() {
  timespec now{};
  LAB_CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "a thread knows its CPU time");
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// `work` touches kAll bytes.
void measure(std::string_view name, const std::function<void()>& work) {
  const double began = cpu_seconds();
  work();
  const double seconds = cpu_seconds() - began;
  const double gibi = static_cast<double>(kAll.count) / (1ULL << 30U);
  fmt::print("{} {:.4f}\n", name, gibi / seconds);
}

void measure_kind(const std::string& payload, int grade, Bytes size = kObject) {
  const std::uint64_t objects = kAll.count / size.count;
  const auto dataset =
      Dataset::make({.payload = payload, .grade = grade, .objects = objects, .object_size = {.low = size}});
  LAB_CHECK(dataset.has_value(), "a made kind has objects of these sizes");
  std::vector<std::byte> bytes;
  measure(fmt::format("{}, {}, {}", payload, grade_name(grade), format_bytes(size)), [&] {
    for (std::uint64_t number = 0; number < objects; ++number)
      LAB_CHECK((*dataset)->source().fill((*dataset)->facts(number).content, bytes).has_value(), "made");
  });
}

void measure_memory() {
  const auto size = static_cast<std::size_t>(kObject.count);
  std::vector<std::byte> from(size, std::byte{1});
  std::vector<std::byte> to(size);
  measure("memcpy, reused buffer", [&] {
    for (std::uint64_t i = 0; i < kObjects; ++i) {
      std::memcpy(to.data(), from.data(), size);
      asm volatile("" : : "r"(to.data()) : "memory");  // As if somebody looked.
    }
  });
  measure("memset, fresh memory", [&] {
    for (std::uint64_t i = 0; i < kObjects; ++i) {
      void* const fresh = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      LAB_CHECK(fresh != MAP_FAILED, "there is memory for an object");
      std::memset(fresh, 1, size);
      asm volatile("" : : "r"(fresh) : "memory");
      ::munmap(fresh, size);
    }
  });
}

}  // namespace
}  // namespace lab

int main() {
  for (const lab::Bytes size : {lab::kObject, lab::kSmallObject})
    for (const int grade : {0, 90}) lab::measure_kind("random_binary", grade, size);
  for (const std::string& kind : lab::made_kind_names())
    if (kind != "random_binary") lab::measure_kind(kind, 0);
  lab::measure_kind("mixed", 0);
  lab::measure_memory();
  return EXIT_SUCCESS;
}
