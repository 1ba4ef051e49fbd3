// How fast the scan counts and reads, beside the plainest code that does the part which bounds it, in turns.
// `bench_scan_speed count ROUNDS` counts fingerprints; `bench_scan_speed read FILE FOLDER ROUNDS` reads
// a file, and scans it and a folder of the same bytes in several files.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/files.hpp"
#include "core/random.hpp"
#include "scan/record_store.hpp"
#include "scan/scan.hpp"

namespace {

using lab::scan::Chunk;
using lab::scan::FingerprintKind;

struct Taken {
  double wall = 0;
  double cpu = 0;  // Of all threads.
};

/// One line of the answer.
struct Measured {
  std::string name{};
  std::function<void()> work{};
  std::vector<Taken> rounds{};
};

double cpu_seconds() {
  timespec time{};
  LAB_CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0, "the processor's clock");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double median(const Measured& measured, double Taken::* of) {
  std::vector<double> all;
  for (const Taken& taken : measured.rounds) all.push_back(taken.*of);
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

/// Prints name, `amount` a wall second, and a processor second: medians. The one that begins changes.
void measure(std::vector<Measured> all, int rounds, double amount, const char* unit) {
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      Measured& one = all[(i + static_cast<std::size_t>(round)) % all.size()];
      const auto began = std::chrono::steady_clock::now();
      const double cpu = cpu_seconds();
      one.work();
      one.rounds.push_back({std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(),
                            cpu_seconds() - cpu});
    }
  for (const Measured& one : all)
    fmt::print("{:<52} {:>7.2f} {} a second, {:>7.2f} a CPU-second\n", one.name,
               amount / median(one, &Taken::wall), unit, amount / median(one, &Taken::cpu));
  std::fflush(stdout);
}

using Key = std::array<std::uint64_t, 2>;

/// Half of them are copies, shuffled: what hashing gives for such blocks.
std::vector<Key> half_twice(std::size_t count) {
  std::vector<Key> keys(count);
  lab::Random random(1);
  for (std::size_t i = 0; i < count; i += 2) keys[i] = keys[i + 1] = {random.next(), random.next()};
  lab::shuffle(std::span(keys), random);
  return keys;
}

/// The plainest index: one table with open addressing for all keys, half full of them at most, whose size is
/// known before, which is more than a scan knows. It asks for the slot of the key 16 places on.
void count_in_one_table(std::span<const Key> keys, bool huge_pages) {
  struct Slot {
    Key key{};
    std::uint64_t copies = 0;
  };
  constexpr std::size_t kAhead = 16;
  const std::size_t slots = std::bit_ceil(keys.size());
  const int shift = 64 - std::countr_zero(slots);
  void* const pages =
      ::mmap(nullptr, slots * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  LAB_CHECK(pages != MAP_FAILED, "memory of the table");
  if (huge_pages) LAB_CHECK(::madvise(pages, slots * sizeof(Slot), MADV_HUGEPAGE) == 0, "huge pages");
  auto* const table = static_cast<Slot*>(pages);  // Pages of zeros are free slots.
  std::size_t distinct = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    __builtin_prefetch(table + (keys[std::min(i + kAhead, keys.size() - 1)][0] >> shift), 1);
    std::size_t at = keys[i][0] >> shift;
    while (table[at].copies != 0 && !lab::scan::equal<2>(table[at].key, keys[i])) at = (at + 1) & (slots - 1);
    distinct += table[at].copies == 0 ? 1 : 0;
    table[at].key = keys[i];
    table[at].copies += 1;
  }
  LAB_CHECK(distinct == keys.size() / 2, "half of them are copies");
  ::munmap(pages, slots * sizeof(Slot));
}

lab::scan::CounterOptions counting_in(lab::Bytes memory) {
  lab::scan::CounterOptions options;
  options.memory = memory;
  options.temporary = "/var/tmp";
  return options;
}

/// The scan's index alone: no chunks, no sums.
void count_in_store(std::span<const Key> keys, lab::Bytes memory) {
  lab::scan::RecordStore<2> store(counting_in(memory));
  LAB_CHECK(store.add(keys.size(), [&](std::size_t i) { return keys[i]; }), "the records");
  std::size_t distinct = 0;
  LAB_CHECK(store.count([&](std::size_t, const Key&, std::uint64_t) { distinct += 1; }), "the count");
  LAB_CHECK(distinct == keys.size() / 2, "half of them are copies");
}

/// As a scan does it: chunks by batches, and sums of the distinct ones.
void count_chunks(std::span<const Key> keys, lab::Bytes memory) {
  constexpr std::size_t kBatch = 512;
  const auto counter = lab::scan::make_exact_counter(counting_in(memory));
  std::vector<Chunk> batch;
  batch.reserve(kBatch);
  const auto hand_over = [&] {
    LAB_CHECK(counter->add(batch), "the counter");
    batch.clear();
  };
  for (const auto& key : keys) {
    batch.push_back({.fingerprint = {key[0], key[1], 0, 0}, .length = 4096});
    if (batch.size() == kBatch) hand_over();
  }
  hand_over();
  lab::scan::Tally tally(1);
  LAB_CHECK(counter->finish(tally, nullptr), "the count");
  LAB_CHECK(tally.all().chunks == keys.size() / 2, "half of them are copies");
}

int measure_counts(int rounds) {
  constexpr std::size_t kMany = 32U << 20U;
  for (const std::size_t count : {kMany / 32, kMany / 8, kMany}) {
    const auto keys = half_twice(count);
    const auto bytes = static_cast<std::int64_t>(count * sizeof(Key));
    const lab::Bytes enough{bytes * 9 / 8};
    std::vector<Key> copy(count);
    fmt::print("{} fingerprints\n", count);
    measure({{"  copied", [&] { std::copy(keys.begin(), keys.end(), copy.begin()); }},
             {"  in one table of known size", [&] { count_in_one_table(keys, false); }},
             {"  in one table of known size, huge pages", [&] { count_in_one_table(keys, true); }},
             {"  in the scan's index", [&] { count_in_store(keys, enough); }},
             {"  as chunks of a scan", [&] { count_chunks(keys, enough); }},
             {"  as chunks of a scan, a fifth of the memory",
              [&] { count_chunks(keys, lab::Bytes{bytes / 5}); }}},
            rounds, static_cast<double>(count) / 1e6, "M");
  }
  return 0;
}

/// `work(begin, end)` for a share of `size` in each of the threads; a share is a multiple of `piece`.
void share_out(std::uint64_t size, unsigned threads, std::uint64_t piece,
               const std::function<void(std::uint64_t, std::uint64_t)>& work) {
  std::vector<std::jthread> others;
  const std::uint64_t share = size / threads / piece * piece;
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back(work, i * share, i + 1 == threads ? size : (i + 1) * share);
  work(0, threads == 1 ? size : share);
}

/// Each of `threads` has its own share of the file and its own buffer, and nothing else.
void read_plainly(const std::string& path, std::uint64_t size, unsigned threads, bool hash) {
  constexpr std::size_t kPiece = 256U << 10U;
  const auto read = [&](std::uint64_t begin, std::uint64_t end) {
    const auto file = lab::open_file(path, O_RDONLY);
    LAB_CHECK(file, "the file");
    std::vector<std::byte> buffer(kPiece);
    std::uint64_t sum = 0;
    for (std::uint64_t at = begin; at < end;) {
      const ssize_t got = ::pread(file->get(), buffer.data(), std::min<std::uint64_t>(kPiece, end - at),
                                  static_cast<off_t>(at));
      LAB_CHECK(got > 0, "the file can be read");
      const auto bytes = std::span<const std::byte>(buffer).first(static_cast<std::size_t>(got));
      for (std::size_t block = 0; hash && block + 4096 <= bytes.size(); block += 4096)
        sum += lab::scan::fingerprint_of(FingerprintKind::kXxh3, bytes.subspan(block, 4096))[0];
      at += bytes.size();
    }
    LAB_CHECK(sum != 1, "the sum is used");
  };
  share_out(size, threads, kPiece, read);
}

/// The library looks for a byte that is not there as fast as the memory gives them.
void look_through(std::span<const std::byte> ones, unsigned threads) {
  share_out(ones.size(), threads, 1, [ones](std::uint64_t begin, std::uint64_t end) {
    LAB_CHECK(std::memchr(ones.data() + begin, 2, end - begin) == nullptr, "there is no 2");
  });
}

void scan(const std::string& path, unsigned threads, const lab::ChunkerSpec& chunker) {
  lab::scan::ScanRequest request;
  request.paths = {path};
  request.chunkers = {chunker};
  request.threads = threads;
  request.temporary = "/var/tmp";
  const auto report = lab::scan::scan(request, {}, {});
  LAB_CHECK(report && report->incomplete.empty(), "the scan");
}

int measure_reading(const std::string& path, const std::string& folder, int rounds) {
  const auto size = std::filesystem::file_size(path);
  const lab::ChunkerSpec fixed{lab::ChunkerSpec::Kind::kFixed, 4096, 0};
  const lab::ChunkerSpec cdc{lab::ChunkerSpec::Kind::kCdc, 8192, 0};
  const std::vector<std::byte> ones(size, std::byte{1});
  const auto plain = [&](unsigned threads, bool hash) {
    return [&path, size, threads, hash] { read_plainly(path, size, threads, hash); };
  };
  const auto scanned = [](const std::string& what, unsigned threads, const lab::ChunkerSpec& chunker) {
    return [&what, threads, chunker] { scan(what, threads, chunker); };
  };
  measure({{"memory of the file's size, looked through", [&] { look_through(ones, 1); }},
           {"the same, 2 threads that share nothing", [&] { look_through(ones, 2); }},
           {"pread into one buffer", plain(1, false)},
           {"the same, 2 threads that share nothing", plain(2, false)},
           {"pread and XXH3-128 of 4 KiB, counted by nobody", plain(1, true)},
           {"the same, 2 threads that share nothing", plain(2, true)},
           {"scan fixed:4096, 1 thread", scanned(path, 1, fixed)},
           {"scan fixed:4096, 2 threads", scanned(path, 2, fixed)},
           {"scan fixed:4096, several files, 1 thread", scanned(folder, 1, fixed)},
           {"scan fixed:4096, several files, 2 threads", scanned(folder, 2, fixed)},
           {"scan cdc:8192, 1 thread", scanned(path, 1, cdc)},
           {"scan cdc:8192, 2 threads", scanned(path, 2, cdc)},
           {"scan cdc:8192, several files, 1 thread", scanned(folder, 1, cdc)},
           {"scan cdc:8192, several files, 2 threads", scanned(folder, 2, cdc)}},
          rounds, static_cast<double>(size) / 1e9, "GB");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string task = argc > 2 ? argv[1] : "";
  const int rounds = argc > 2 ? std::atoi(argv[argc - 1]) : 0;
  if (task == "count" && argc == 3 && rounds > 0) return measure_counts(rounds);
  if (task == "read" && argc == 5 && rounds > 0) return measure_reading(argv[2], argv[3], rounds);
  std::fputs("usage: bench_scan_speed count ROUNDS | read FILE FOLDER ROUNDS\n", stderr);
  return 2;
}
