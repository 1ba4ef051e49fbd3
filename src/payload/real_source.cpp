// SPDX-License-Identifier: Apache-2.0
#include "payload/real_source.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <set>
#include <span>
#include <tuple>

#include "core/hash.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "payload/content_stream.hpp"

namespace lab {

namespace fs = std::filesystem;

namespace {

/// Keeps the pieces that are new.
class Collector {
 public:
  explicit Collector(RealPool& pool) : pool_(pool) {}

  Status keep(std::string_view piece) {
    const auto bytes = as_bytes(piece);
    if (!seen_.insert(sha256(bytes)).second) {
      pool_.report.equal_pieces += 1;
      return ok();
    }
    LAB_TRY(pool_.pieces.append(bytes));
    pool_.report.pieces += 1;
    return ok();
  }

  /// A record, as long as it is. One without a byte is no object.
  Status keep_record(std::string_view record) {
    pool_.report.bytes += Bytes{std::ssize(record)};
    if (record.empty()) {
      pool_.report.empty += 1;
      return ok();
    }
    LAB_TRY(keep(record));
    if (pool_.ends.size() < pool_.report.pieces) pool_.ends.push_back(pool_.pieces.size());
    return ok();
  }

 private:
  RealPool& pool_;
  std::set<Digest> seen_{};
};

/// Cuts a stream into slices.
class Slicer {
 public:
  Slicer(RealPool& pool, Bytes size) : pool_(pool), size_(static_cast<std::size_t>(size.count)) {}

  Status take(std::string_view bytes, Collector& collector) {
    pool_.report.bytes += Bytes{std::ssize(bytes)};
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, size_ - slice_.size());
      slice_ += piece;
      bytes.remove_prefix(piece.size());
      if (slice_.size() < size_) continue;
      LAB_TRY(collector.keep(slice_));
      slice_.clear();
    }
    return ok();
  }

  /// What is left is no whole slice.
  void finish() { pool_.report.left_over = Bytes{std::ssize(slice_)}; }

 private:
  RealPool& pool_;
  std::size_t size_;
  std::string slice_{};
};

/// All pieces of the kind's files into the pool.
Result<SourceTally> collect(const RealKind& kind, const SourceQuery& query, RealPool& pool) {
  Collector collector(pool);
  if (!pool.slice_size)
    return visit_sources(query, [&](const SourceFile& file) {
      return kind.records(file, [&](std::string_view record) { return collector.keep_record(record); });
    });
  Slicer slicer(pool, *pool.slice_size);
  auto tally = visit_sources(query, [&](const SourceFile& file) {
    return kind.convert(file, [&](std::string_view bytes) { return slicer.take(bytes, collector); });
  });
  slicer.finish();
  return tally;
}

Result<std::shared_ptr<const RealPool>> read_and_cut(const RealKind& kind, const fs::path& root,
                                                     std::optional<Bytes> slice_size) {
  const fs::path temporary = temporary_folder();
  LAB_TRY(remove_stale_spills(temporary));
  auto spill =
      SpillFile::make(temporary, "slices and records of real data wait there: TMPDIR names another folder");
  if (!spill) return std::move(spill).error();
  auto pool = std::make_shared<RealPool>(RealPool{.pieces = std::move(*spill), .slice_size = slice_size});
  pool->report.place = (root / kind.name).string();
  pool->report.records = !slice_size;
  const SourceQuery query{.root = root,
                          .kind = std::string(kind.name),
                          .is_wanted = [&kind](std::string_view name) { return is_read(kind, name); },
                          .temporary = temporary};
  const auto tally = collect(kind, query, *pool);
  if (!tally) return tally.error();
  RealDataReport& report = pool->report;
  report.files = tally->files;
  report.left_out = tally->left_out;
  report.links = tally->symlinks;
  report.specials = tally->specials;
  if (report.files == 0) {
    std::vector<std::string> endings;
    for (const std::string_view ending : kind.endings) endings.push_back("." + std::string(ending));
    return Error{ErrorCode::kNotFound, "payload.real_world",
                 fmt::format("{}: none of its files, {} of other types, is one of {}", report.place,
                             report.left_out, join(endings, ", "))};
  }
  return std::shared_ptr<const RealPool>(std::move(pool));
}

class RealSource final : public ContentSource {
 public:
  RealSource(const RealKind& kind, std::shared_ptr<const RealPool> pool, std::uint64_t dataset_seed)
      : kind_(kind), pool_(std::move(pool)), order_(pool_->report.pieces) {
    std::iota(order_.begin(), order_.end(), std::uint64_t{0});
    Random random(derive_seed(dataset_seed, Purpose::kPool));
    shuffle(std::span(order_), random);
  }

  std::uint64_t contents_max() const override { return order_.size(); }
  std::string_view mime_of(std::uint64_t /*content*/) const override {
    return pool_->slice_size ? kind_.mime : kind_.record_mime;
  }

  Result<Bytes> size_of(std::uint64_t content) const override {
    if (content >= order_.size()) return no_such(content);
    return pool_->size_of(order_[content]);
  }

  Status fill(std::uint64_t content, std::vector<std::byte>& out) const override {
    const auto size = size_of(content);
    if (!size) return size.error();
    try {
      out.resize(static_cast<std::size_t>(size->count));
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::kResourceExhausted, "payload.real_world",
                   fmt::format("no memory for an object of {}", format_bytes(*size))};
    }
    return pool_->pieces.read(pool_->offset_of(order_[content]), out);
  }

 private:
  Error no_such(std::uint64_t content) const {
    return {ErrorCode::kInvalidArgument, "payload.real_world",
            fmt::format("content {} of {} different pieces of {}", content, order_.size(), kind_.name)};
  }

  const RealKind& kind_;
  std::shared_ptr<const RealPool> pool_;
  std::vector<std::uint64_t> order_;
};

}  // namespace

std::uint64_t RealPool::offset_of(std::uint64_t piece) const {
  if (slice_size) return piece * static_cast<std::uint64_t>(slice_size->count);
  return piece == 0 ? 0 : ends[piece - 1];
}

Bytes RealPool::size_of(std::uint64_t piece) const {
  if (slice_size) return *slice_size;
  return Bytes{static_cast<std::int64_t>(ends[piece] - offset_of(piece))};
}

Result<std::shared_ptr<const RealPool>> read_real_data(const RealKind& kind, const std::string& root,
                                                       std::optional<Bytes> slice_size) {
  std::error_code failure;
  const fs::path canonical = fs::canonical(root, failure);
  if (failure) return errno_error("payload.real_world", root, failure.value());

  // Once a process: reading a corpus takes minutes, and a plan makes dozens of datasets of it.
  static std::mutex guard;
  static std::map<std::tuple<std::string, fs::path, std::optional<Bytes>>, std::shared_ptr<const RealPool>>
      pools;
  const std::lock_guard lock(guard);
  const auto key = std::tuple(std::string(kind.name), canonical, slice_size);
  if (const auto known = pools.find(key); known != pools.end()) return known->second;
  auto pool = read_and_cut(kind, canonical, slice_size);
  if (pool) pools.emplace(key, *pool);
  return pool;
}

std::unique_ptr<const ContentSource> make_real_source(const RealKind& kind,
                                                      std::shared_ptr<const RealPool> pool,
                                                      std::uint64_t dataset_seed) {
  return std::make_unique<const RealSource>(kind, std::move(pool), dataset_seed);
}

}  // namespace lab
