// SPDX-License-Identifier: Apache-2.0
#include "payload/unit_source.hpp"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <new>
#include <numeric>

#include "payload/made_kinds.hpp"

namespace lab {
namespace {

constexpr std::uint64_t kMasks = 255;  // Ways to change a byte.
constexpr Bytes kSmallestNear{64};     // Below, a changed object may be another original by chance.

Error bad(std::string detail) { return {ErrorCode::kInvalidArgument, "payload", std::move(detail)}; }

Error no_such(std::uint64_t content, std::uint64_t contents) {
  return bad(fmt::format("content {}: there are {}", content, contents));
}

class BlockSource final : public ContentSource {
 public:
  BlockSource(const BlockPlan& plan, const DatasetSpec& spec, const DuplicateUnit& unit)
      : plan_(plan),
        objects_(spec.objects),
        seed_(spec.dataset_seed),
        size_(spec.object_size.low),
        unit_(unit) {}

  std::uint64_t contents_max() const override { return objects_; }
  std::string_view mime_of(std::uint64_t /*content*/) const override { return "application/octet-stream"; }

  Result<Bytes> size_of(std::uint64_t content) const override {
    if (content >= objects_) return no_such(content, objects_);
    return size_;
  }

  Status fill(std::uint64_t content, std::vector<std::byte>& out) const override try {
    if (content >= objects_) return no_such(content, objects_);
    // Before and behind the blocks is noise of the object alone; its stream is that of no block.
    make_random_binary({derive_seed(seed_, Purpose::kOwnBytes), content},
                       static_cast<std::size_t>(size_.count), out);
    const auto bytes = static_cast<std::size_t>(unit_.bytes.count);
    std::vector<std::byte> block;
    for (std::uint64_t place = 0; place < plan_.in_object(); ++place) {
      make_random_binary({seed_, plan_.block_at(content, place)}, bytes, block);
      std::memcpy(out.data() + plan_.begin_of(content) + place * bytes, block.data(), bytes);
    }
    return ok();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResourceExhausted, "payload",
                 fmt::format("no memory for an object of {}", format_bytes(size_))};
  }

 private:
  BlockPlan plan_;
  std::uint64_t objects_;
  std::uint64_t seed_;
  Bytes size_;
  DuplicateUnit unit_;
};

class NearSource final : public ContentSource {
 public:
  NearSource(std::unique_ptr<const ContentSource> base, const CopyPlan& copies, const DuplicateUnit& unit)
      : base_(std::move(base)),
        stream_(content_stream<std::uint32_t>(copies)),
        original_(copies.objects),
        seed_(copies.dataset_seed),
        unit_(unit) {
    // Contents appear for the first time in the order 0, 1, 2, ...
    std::uint64_t seen = 0;
    for (std::size_t object = 0; object < stream_.size(); ++object)
      if (stream_[object] == seen) {
        original_[object] = true;
        seen += 1;
      }
  }

  std::uint64_t contents_max() const override { return base_->contents_max(); }
  Result<Bytes> size_of(std::uint64_t content) const override { return base_->size_of(base_of(content)); }
  std::string_view mime_of(std::uint64_t content) const override {
    return is_changed(content) ? "application/octet-stream" : base_->mime_of(base_of(content));
  }

  std::optional<NearCopy> near_copy(std::uint64_t content) const override {
    if (content >= stream_.size()) return std::nullopt;
    const auto size = size_of(content);
    if (!size) return std::nullopt;
    return NearCopy{stream_[content], is_changed(content) ? *size - unit_.bytes : *size};
  }

  Status fill(std::uint64_t content, std::vector<std::byte>& out) const override {
    LAB_TRY(base_->fill(base_of(content), out));
    if (!is_changed(content)) return ok();
    if (unit_.kind == DuplicateUnit::Kind::kPrefix)
      change_prefix(content, out);
    else
      change_bytes(content, out);
    return ok();
  }

 private:
  std::uint64_t base_of(std::uint64_t content) const {
    return content < stream_.size() ? stream_[content] : content;
  }
  bool is_changed(std::uint64_t content) const { return content < stream_.size() && !original_[content]; }

  /// Noise that begins with a number of this object alone.
  void change_prefix(std::uint64_t object, std::vector<std::byte>& out) const {
    std::vector<std::byte> prefix;
    make_random_binary({derive_seed(seed_, Purpose::kOwnBytes), object},
                       static_cast<std::size_t>(unit_.bytes.count), prefix);
    std::memcpy(out.data(), prefix.data(), prefix.size());
  }

  /// One byte in each of as many equal stretches. The one in the first stretch, place and change together, is
  /// that of no other object: a step that shares no divisor with their number meets each of them once.
  void change_bytes(std::uint64_t object, std::vector<std::byte>& out) const {
    const auto stretches = static_cast<std::uint64_t>(unit_.bytes.count);
    const std::uint64_t width = out.size() / stretches;
    ContentStream random({seed_, object}, Purpose::kOwnBytes);
    for (std::uint64_t stretch = 0; stretch < stretches; ++stretch) {
      const std::uint64_t changes = width * kMasks;
      const std::uint64_t change = stretch == 0 ? one_of_each(object, changes) : random.next() % changes;
      std::byte& changed = out[stretch * width + change / kMasks];
      changed ^= static_cast<std::byte>(change % kMasks + 1);
    }
  }

  std::uint64_t one_of_each(std::uint64_t object, std::uint64_t count) const {
    // The golden ratio: whatever the number of objects, their changes lie all over the stretch.
    auto step = static_cast<std::uint64_t>(static_cast<double>(count) * 0.6180339887498949);
    while (std::gcd(step, count) != 1) --step;
    const Uint128 reached = static_cast<Uint128>(object) * step + seed_ % count;
    return static_cast<std::uint64_t>(reached % count);
  }

  std::unique_ptr<const ContentSource> base_;
  std::vector<std::uint32_t> stream_;
  std::vector<bool> original_;
  std::uint64_t seed_;
  DuplicateUnit unit_;
};

}  // namespace

Result<BlockPlan> BlockPlan::of(const DatasetSpec& spec, const DuplicateUnit& unit) {
  const std::uint64_t fitting = static_cast<std::uint64_t>(spec.object_size.low.count / unit.bytes.count);
  // A shift needs room for a beginning of its own.
  const std::uint64_t in_object = unit.shift.count == 0 || fitting == 0 ? fitting : fitting - 1;
  if (in_object == 0)
    return bad(fmt::format("object size {}: no {} fits into it", format_bytes_exact(spec.object_size.low),
                           to_string(unit)));
  const std::uint64_t blocks = spec.objects * in_object;
  const std::uint64_t copies = blocks - distinct_objects(blocks, spec.grade);
  if (copies > blocks - spec.objects)
    return bad(
        fmt::format("grade U{}: {} blocks in an object, of which the first is its own, are too few; make the "
                    "objects larger or the blocks smaller",
                    spec.grade, in_object));
  return BlockPlan(spec, unit, in_object, copies);
}

std::uint64_t BlockPlan::begin_of(std::uint64_t object) const {
  const auto shift = static_cast<Uint128>(unit_.shift.count);
  return static_cast<std::uint64_t>(shift * object % static_cast<Uint128>(unit_.bytes.count));
}

/// Copies among the first `place` places that may hold one, spread evenly.
std::uint64_t BlockPlan::copies_before(std::uint64_t place) const {
  const std::uint64_t places = objects_ * (in_object_ - 1);
  return places == 0 ? 0 : static_cast<std::uint64_t>(static_cast<Uint128>(place) * copies_ / places);
}

std::uint64_t BlockPlan::block_at(std::uint64_t object, std::uint64_t place) const {
  const std::uint64_t before = object * (in_object_ - 1) + (place == 0 ? 0 : place - 1);
  // Distinct blocks before this one: the first ones of objects, and those places that hold no copy.
  const std::uint64_t rank = object + (place == 0 ? 0 : 1) + before - copies_before(before);
  if (place == 0 || copies_before(before + 1) == copies_before(before)) return rank;
  return Random(derive_seed(derive_seed(seed_, Purpose::kOwnBytes), before)).below(rank);
}

std::unique_ptr<const ContentSource> make_block_source(const BlockPlan& plan, const DatasetSpec& spec,
                                                       const DuplicateUnit& unit) {
  return std::make_unique<const BlockSource>(plan, spec, unit);
}

Status check_near(std::uint64_t objects, const DuplicateUnit& unit, Bytes smallest) {
  if (objects > std::numeric_limits<std::uint32_t>::max())
    return bad(fmt::format("{} objects: at most 2^32 - 1 of {}", objects, to_string(unit)));
  if (smallest < kSmallestNear)
    return bad(fmt::format("object size {}: {} needs at least {}", format_bytes_exact(smallest),
                           to_string(unit), format_bytes_exact(kSmallestNear)));
  if (smallest <= unit.bytes)
    return bad(fmt::format("object size {}: {} would change all of it", format_bytes_exact(smallest),
                           to_string(unit)));
  const auto width = static_cast<std::uint64_t>(smallest.count / unit.bytes.count);
  if (unit.kind == DuplicateUnit::Kind::kChanged && objects > width * kMasks)
    return bad(fmt::format("{} objects of {}: {} leaves {} different changes", objects,
                           format_bytes_exact(smallest), to_string(unit), width * kMasks));
  return ok();
}

Result<std::unique_ptr<const ContentSource>> make_near_source(std::unique_ptr<const ContentSource> base,
                                                              const CopyPlan& copies,
                                                              const DuplicateUnit& unit, Bytes smallest) {
  LAB_TRY(check_near(copies.objects, unit, smallest));
  return std::unique_ptr<const ContentSource>(
      std::make_unique<const NearSource>(std::move(base), copies, unit));
}

}  // namespace lab
