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

/// Cuts a stream into slices and keeps those that are new.
class Slicer {
 public:
  Slicer(SlicePool& pool, std::size_t size) : pool_(pool), size_(size) {}

  Status take(std::string_view bytes) {
    pool_.report.bytes += Bytes{std::ssize(bytes)};
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, size_ - slice_.size());
      slice_ += piece;
      bytes.remove_prefix(piece.size());
      if (slice_.size() == size_) LAB_TRY(end_slice());
    }
    return ok();
  }

  /// What is left is no whole slice.
  void finish() { pool_.report.left_over = Bytes{std::ssize(slice_)}; }

 private:
  Status end_slice() {
    const auto bytes = as_bytes(slice_);
    if (seen_.insert(sha256(bytes)).second) {
      LAB_TRY(pool_.slices.append(bytes));
      pool_.report.slices += 1;
    } else {
      pool_.report.equal_slices += 1;
    }
    slice_.clear();
    return ok();
  }

  SlicePool& pool_;
  std::size_t size_;
  std::string slice_{};
  std::set<Digest> seen_{};
};

Result<std::shared_ptr<const SlicePool>> read_and_cut(const RealKind& kind, const fs::path& root,
                                                      Bytes size) {
  const fs::path temporary = temporary_folder();
  LAB_TRY(remove_stale_spills(temporary));
  auto spill = SpillFile::make(temporary, "slices of real data wait there: TMPDIR names another folder");
  if (!spill) return std::move(spill).error();
  auto pool = std::make_shared<SlicePool>(SlicePool{.slices = std::move(*spill)});
  pool->report.place = (root / kind.name).string();
  pool->report.slice_size = size;
  Slicer slicer(*pool, static_cast<std::size_t>(size.count));
  const SourceQuery query{.root = root,
                          .kind = std::string(kind.name),
                          .is_wanted = [&kind](std::string_view name) { return is_read(kind, name); },
                          .temporary = temporary};
  const auto tally = visit_sources(query, [&](const SourceFile& file) {
    return kind.convert(file, [&slicer](std::string_view bytes) { return slicer.take(bytes); });
  });
  if (!tally) return tally.error();
  slicer.finish();
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
  return std::shared_ptr<const SlicePool>(std::move(pool));
}

class RealSource final : public ContentSource {
 public:
  RealSource(const RealKind& kind, std::shared_ptr<const SlicePool> pool, std::uint64_t dataset_seed)
      : kind_(kind), pool_(std::move(pool)), order_(pool_->report.slices) {
    std::iota(order_.begin(), order_.end(), std::uint64_t{0});
    Random random(derive_seed(dataset_seed, Purpose::kPool));
    shuffle(std::span(order_), random);
  }

  std::uint64_t contents_max() const override { return order_.size(); }
  std::string_view mime_of(std::uint64_t /*content*/) const override { return kind_.mime; }

  Result<Bytes> size_of(std::uint64_t content) const override {
    if (content >= order_.size()) return no_such(content);
    return pool_->report.slice_size;
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
    return pool_->slices.read(order_[content] * out.size(), out);
  }

 private:
  Error no_such(std::uint64_t content) const {
    return {ErrorCode::kInvalidArgument, "payload.real_world",
            fmt::format("content {} of {} different slices of {}", content, order_.size(), kind_.name)};
  }

  const RealKind& kind_;
  std::shared_ptr<const SlicePool> pool_;
  std::vector<std::uint64_t> order_;
};

}  // namespace

Result<std::shared_ptr<const SlicePool>> read_slices(const RealKind& kind, const std::string& root,
                                                     Bytes size) {
  std::error_code failure;
  const fs::path canonical = fs::canonical(root, failure);
  if (failure) return errno_error("payload.real_world", root, failure.value());

  // Once a process: reading a corpus takes minutes, and a plan makes dozens of datasets of it.
  static std::mutex guard;
  static std::map<std::tuple<std::string, fs::path, std::int64_t>, std::shared_ptr<const SlicePool>> pools;
  const std::lock_guard lock(guard);
  const auto key = std::tuple(std::string(kind.name), canonical, size.count);
  if (const auto known = pools.find(key); known != pools.end()) return known->second;
  auto pool = read_and_cut(kind, canonical, size);
  if (pool) pools.emplace(key, *pool);
  return pool;
}

std::unique_ptr<const ContentSource> make_real_source(const RealKind& kind,
                                                      std::shared_ptr<const SlicePool> pool,
                                                      std::uint64_t dataset_seed) {
  return std::make_unique<const RealSource>(kind, std::move(pool), dataset_seed);
}

}  // namespace lab
