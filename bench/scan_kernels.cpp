// Speed of the scan's kernels, in GB per CPU-second, and what they find, beside a copy and a sum of the same
// bytes. `bench_scan_kernels make FILE MIB` writes a file with half of its 64-KiB blocks twice;
// `bench_scan_kernels measure FILE` does everything once and prints lines of name, rate and found percent.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "core/random.hpp"
#include "scan/cdc_chunks.hpp"
#include "scan/census.hpp"
#include "scan/chunker.hpp"
#include "scan/counter.hpp"
#include "scan/fixed_blocks.hpp"

namespace {

using Data = std::vector<std::byte>;
constexpr std::size_t kBlock = 64 * 1024;

double cpu_seconds() {
  timespec time{};
  LAB_CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0, "the processor's clock");
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void fill(std::span<std::byte> block, std::uint64_t seed) {
  lab::Random random(seed);
  for (std::size_t at = 0; at + 8 <= block.size(); at += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(block.data() + at, &word, 8);
  }
}

Data half_twice(std::size_t blocks) {
  std::vector<std::uint64_t> order(blocks);
  for (std::size_t i = 0; i < blocks; ++i) order[i] = i / 2;
  lab::Random random(1);
  lab::shuffle(std::span(order), random);
  Data data(blocks * kBlock);
  for (std::size_t i = 0; i < blocks; ++i) fill(std::span(data).subspan(i * kBlock, kBlock), order[i] + 100);
  return data;
}

Data loaded(const char* path) {
  std::FILE* file = std::fopen(path, "rb");
  LAB_CHECK(file != nullptr, path);
  Data data(std::size_t{2} << 30U);
  data.resize(std::fread(data.data(), 1, data.size(), file));
  LAB_CHECK(std::ferror(file) == 0 && std::fclose(file) == 0 && !data.empty(), path);
  return data;
}

void report(const std::string& name, const Data& data, const std::function<void()>& work,
            std::optional<double> found = {}, int times = 1) {
  const double began = cpu_seconds();
  work();
  const double rate = times * static_cast<double>(data.size()) / (cpu_seconds() - began) / 1e9;
  fmt::print("{}\t{:.3f}\t{}\n", name, rate, found ? fmt::format("{:.2f}", *found) : "");
}

double saved_percent(const Data& data, lab::Chunker& chunker) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  std::uint64_t kept = 0;
  const auto take = [&] {
    for (const lab::Cut& cut : chunker.cuts(0)) {
      const XXH128_hash_t hash = XXH3_128bits(data.data() + cut.begin, cut.end - cut.begin);
      if (seen.emplace(hash.low64, hash.high64).second) kept += cut.end - cut.begin;
    }
  };
  chunker.feed(data);
  take();
  chunker.finish();
  take();
  return 100.0 * (1.0 - static_cast<double>(kept) / static_cast<double>(data.size()));
}

/// What `deduplab scan` does with bytes that are in memory, by one chunker: cut, fingerprint, count.
void measure_scan(const Data& data, const std::string& word) {
  const auto spec = lab::scan::parse_chunkers(std::span(&word, 1));
  LAB_CHECK(spec && spec->size() == 1, "a chunker");
  const auto scan = [&] {
    const auto counter = lab::scan::make_exact_counter({.memory = lab::Bytes{1 << 30}});
    lab::scan::ChunkStream stream(*counter, 1);
    const auto feed = [&](auto& chunks) {
      for (std::size_t at = 0; at < data.size(); at += 4 * kBlock)
        chunks.bytes(std::span(data).subspan(at, std::min(4 * kBlock, data.size() - at)));
      chunks.end();
    };
    if (spec->front().kind == lab::ChunkerSpec::Kind::kFixed) {
      const lab::scan::FixedBlocks::Level level{spec->front(), &stream};
      lab::scan::FixedBlocks blocks(lab::scan::FingerprintKind::kXxh3, std::span(&level, 1));
      feed(blocks);
    } else {
      const lab::scan::CdcChunks::Level level{spec->front(), &stream};
      lab::scan::CdcChunks chunks(lab::scan::FingerprintKind::kXxh3, std::span(&level, 1));
      feed(chunks);
    }
    LAB_CHECK(stream.flush(), "the counter");
    lab::scan::Tally tally(1);
    LAB_CHECK(counter->finish(tally, nullptr), "the count");
  };
  report(fmt::format("{}: cut, fingerprinted, counted", word), data, scan);
}

void measure_chunks(const Data& data) {
  using lab::operator""_KiB;
  for (const lab::GearPath path : lab::gear_paths()) {
    std::vector<lab::Candidate> found;
    report(fmt::format("candidates of 2^12, {}", to_string(path)), data, [&] {
      lab::GearScan scan(12, path);
      for (std::size_t at = 0; at < data.size(); at += kBlock) {
        found.clear();
        scan.feed(std::span(data).subspan(at, std::min(kBlock, data.size() - at)), found);
      }
    });
  }
  const lab::ChunkSetting one{2_KiB, 8_KiB, 64_KiB};
  std::vector<lab::ChunkSetting> eight;
  for (std::int64_t normal = 512; normal <= 65'536; normal *= 2)
    eight.push_back(lab::chunk_setting(lab::Bytes{normal}));
  const std::pair<const char*, std::vector<lab::ChunkSetting>> cases[] = {
      {"cuts 2/8/64 KiB", {one}}, {"cuts of eight settings, 512 B to 64 KiB", eight}};
  for (const auto& [name, settings] : cases) {
    auto chunker = lab::Chunker::make(settings);
    LAB_CHECK(chunker, "settings");
    std::optional<double> saved;
    if (settings.size() == 1) saved = saved_percent(data, *chunker);
    report(
        name, data,
        [&] {
          for (std::size_t at = 0; at < data.size(); at += 16 * kBlock)
            chunker->feed(std::span(data).subspan(at, std::min(16 * kBlock, data.size() - at)));
          chunker->finish();
        },
        saved);
  }
}

/// `known` of the file's blocks are the originals; the rest of the file is unknown to the census.
void measure_census(const Data& data, std::size_t known) {
  using lab::operator""_MiB;
  auto census =
      lab::Census::make(256_MiB, [&](std::uint64_t number) -> lab::Result<std::span<const std::byte>> {
        return std::span(data).subspan(number * kBlock, kBlock);
      });
  LAB_CHECK(census, "memory");
  std::set<std::uint64_t> seen;
  for (std::size_t i = 0; i < known; ++i) {
    const auto block = std::span(data).subspan(i * kBlock, kBlock);
    if (!seen.insert(XXH3_64bits(block.data(), block.size())).second) continue;
    LAB_CHECK(census->add_original(i, 1, block), "an original");
  }
  census->freeze();
  const auto scan = [&] {
    census->begin_file(0);
    LAB_CHECK(census->scan(data) && census->end_file(), "the census");
  };
  scan();
  const double located =
      100.0 * static_cast<double>(census->result().located.count) / static_cast<double>(data.size());
  const auto result = census->result();
  report(fmt::format("census, {} originals, {} slices", result.originals.size(), result.slices), data, scan,
         located);
}

int measure(const char* path) {
  const Data data = loaded(path);
  Data copy(data.size());
  std::uint64_t sum = 0;
  report("memcpy to an equal buffer", data, [&] { std::memcpy(copy.data(), data.data(), data.size()); });
  // Two buffers are read and nothing is written; half of the time is what one of them takes.
  report(
      "memcmp with an equal buffer, of what it reads", data,
      [&] { LAB_CHECK(std::memcmp(copy.data(), data.data(), data.size()) == 0, "a copy"); }, {}, 2);
  report("XXH3-128 of 4-KiB blocks", data, [&] {
    for (std::size_t at = 0; at + 4096 <= data.size(); at += 4096)
      sum += XXH3_128bits(data.data() + at, 4096).low64;
  });
  LAB_CHECK(sum != 1, "the sum is used");
  for (const char* word : {"fixed:4096", "cdc:8192"}) measure_scan(data, word);
  measure_chunks(data);
  const std::size_t blocks = data.size() / kBlock;
  measure_census(data, blocks);
  measure_census(data, blocks / 64);
  return 0;
}

int make(const char* path, std::size_t mib) {
  const Data data = half_twice(mib * 16);
  std::FILE* file = std::fopen(path, "wb");
  LAB_CHECK(file != nullptr, path);
  LAB_CHECK(std::fwrite(data.data(), 1, data.size(), file) == data.size() && std::fclose(file) == 0, path);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string task = argc >= 3 ? argv[1] : "";
  const int mebibytes = argc == 4 ? std::atoi(argv[3]) : 0;
  if (task == "measure" && argc == 3) return measure(argv[2]);
  if (task == "make" && mebibytes > 0) return make(argv[2], static_cast<std::size_t>(mebibytes));
  std::fputs("usage: bench_scan_kernels make FILE MIB | measure FILE\n", stderr);
  return 2;
}
