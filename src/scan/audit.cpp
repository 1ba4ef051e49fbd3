// SPDX-License-Identifier: Apache-2.0
#include "scan/audit.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/spill_file.hpp"
#include "scan/cdc_chunks.hpp"
#include "scan/chunk_stream.hpp"
#include "scan/chunker_spec.hpp"
#include "scan/counter.hpp"
#include "scan/fixed_blocks.hpp"
#include "scan/memory_plan.hpp"

namespace lab::scan {
namespace {

enum Class : std::uint8_t { kOriginal, kCopy, kEnd, kClasses };

constexpr FingerprintKind kKind = FingerprintKind::kXxh3;
constexpr std::uint32_t kBlocks[] = {512, 4'096, 8'192, 131'072};
constexpr std::uint32_t kChunks = 8'192;

std::vector<ChunkerSpec> audited() {
  std::vector<ChunkerSpec> specs;
  for (const std::uint32_t size : kBlocks) specs.push_back({ChunkerSpec::Kind::kFixed, size, 0});
  specs.push_back({ChunkerSpec::Kind::kCdc, kChunks, 0});
  return specs;
}

/// Lets pass what is not the end of an object.
class WithoutEnds final : public Counter {
 public:
  explicit WithoutEnds(const CounterOptions& options) : counter_(make_exact_counter(options)) {}

  Status add(std::span<const Chunk> chunks) override {
    kept_.clear();
    std::ranges::copy_if(chunks, std::back_inserter(kept_),
                         [](const Chunk& chunk) { return chunk.file_class != kEnd; });
    return kept_.empty() ? ok() : counter_->add(kept_);
  }
  Status finish(Tally& tally, DistinctSink* sink) override { return counter_->finish(tally, sink); }
  std::uint64_t spilled_bytes() const override { return counter_->spilled_bytes(); }

 private:
  std::unique_ptr<Counter> counter_;
  std::vector<Chunk> kept_{};
};

/// One unit on its way to its counter.
struct Unit {
  Unit(std::string unit, const CounterOptions& options)
      : name(std::move(unit)), counter(options), stream(counter, kClasses) {}

  Result<AuditRow> finish() {
    LAB_TRY(stream.flush());
    Tally tally(kClasses);
    LAB_TRY(counter.finish(tally, nullptr));
    const Met& originals = stream.met()[kOriginal];
    const Met& copies = stream.met()[kCopy];
    AuditRow row{.unit = name, .met = originals.chunks + copies.chunks, .asked = originals.chunks};
    row.made = tally.all().chunks;
    if (originals.zero_blocks + copies.zero_blocks > 0) row.made += 1;  // The counter does not see them.
    return row;
  }

  std::string name;
  WithoutEnds counter;
  ChunkStream stream;
};

class ExactAudit final : public Audit {
 public:
  ExactAudit(const AuditOptions& options, std::span<const Bytes> shares) {
    const auto add = [&](std::string name, Bytes memory) {
      const CounterOptions counter{kKind, memory, options.temporary, options.stop};
      units_.push_back(std::make_unique<Unit>(std::move(name), counter));
    };
    const std::vector<ChunkerSpec> specs = audited();
    add("object", shares.front());  // Of an object there is at least one block: they are fewer than these.
    for (std::size_t i = 0; i < specs.size(); ++i) add(chunker_name(specs[i]), shares[i]);
    std::vector<FixedBlocks::Level> levels;
    for (std::size_t i = 0; i + 1 < specs.size(); ++i) levels.push_back({specs[i], &units_[i + 1]->stream});
    blocks_.emplace_back(kKind, levels);
    const CdcChunks::Level chunks[] = {{specs.back(), &units_.back()->stream}};
    chunks_.emplace_back(kKind, chunks);
  }

  Status add(std::span<const std::byte> bytes, const Digest& digest, bool original) override {
    for (const auto& unit : units_) unit->stream.set_class(original ? kOriginal : kCopy);
    Fingerprint whole{};
    std::memcpy(whole.data(), digest.data(), sizeof(whole));
    units_.front()->stream.add(whole, 1, false);
    blocks_.front().begin(true);
    blocks_.front().bytes(bytes);
    chunks_.front().bytes(bytes);
    for (const auto& unit : units_) unit->stream.set_class(kEnd);
    blocks_.front().end();
    chunks_.front().end();
    for (const auto& unit : units_)
      if (unit->stream.failed()) return unit->stream.flush();
    return ok();
  }

  Result<std::vector<AuditRow>> finish() override {
    std::vector<AuditRow> rows;
    for (const auto& unit : units_) {
      auto row = unit->finish();
      if (!row) return std::move(row).error();
      rows.push_back(std::move(*row));
    }
    return rows;
  }

 private:
  std::vector<std::unique_ptr<Unit>> units_{};  // Objects, then as `audited` has them. Streams point to them.
  std::vector<FixedBlocks> blocks_{};
  std::vector<CdcChunks> chunks_{};
};

}  // namespace

Result<std::unique_ptr<Audit>> make_audit(const AuditOptions& options) {
  // Half for the blocks and chunks, by how many they are; as much as the shortest blocks get for the objects.
  const auto shares = plan_memory(Bytes{options.memory.count / 2}, 1, false, audited());
  if (!shares) return shares.error();
  LAB_TRY(remove_stale_spills(options.temporary));
  return std::unique_ptr<Audit>(std::make_unique<ExactAudit>(options, *shares));
}

}  // namespace lab::scan
