// Objects that are all different and yet repeat: blocks inside of them, or all but some bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "payload/copies.hpp"
#include "payload/dataset.hpp"

namespace lab {

/// Noise in blocks of which floor(blocks * grade / 100) are copies of earlier ones, drawn evenly. Content k
/// is object k. The first block of an object is never a copy, and no two objects are equal.
class BlockPlan {
 public:
  /// Errors: kInvalidArgument for objects too small to hold that share beside their first blocks.
  static Result<BlockPlan> of(const DatasetSpec& spec, const DuplicateUnit& unit);

  std::uint64_t blocks() const { return objects_ * in_object_; }
  std::uint64_t distinct() const { return blocks() - copies_; }
  std::uint64_t in_object() const { return in_object_; }

  /// Where the first block of an object begins.
  std::uint64_t begin_of(std::uint64_t object) const;
  /// Which of the distinct blocks is the `place`-th of an object.
  std::uint64_t block_at(std::uint64_t object, std::uint64_t place) const;

 private:
  BlockPlan(const DatasetSpec& spec, const DuplicateUnit& unit, std::uint64_t in_object, std::uint64_t copies)
      : objects_(spec.objects),
        seed_(spec.dataset_seed),
        unit_(unit),
        in_object_(in_object),
        copies_(copies) {}
  std::uint64_t copies_before(std::uint64_t place) const;

  std::uint64_t objects_;
  std::uint64_t seed_;
  DuplicateUnit unit_;
  std::uint64_t in_object_;
  std::uint64_t copies_;
};

std::unique_ptr<const ContentSource> make_block_source(const BlockPlan& plan, const DatasetSpec& spec,
                                                       const DuplicateUnit& unit);

/// Errors: kInvalidArgument for objects too many or too small for as many different changes.
Status check_near(std::uint64_t objects, const DuplicateUnit& unit, Bytes smallest);

/// Objects of `base` in the order of a stream of copies, in which each copy differs from its original and
/// from all other copies by the unit's bytes. Content k is object k; contents beyond the objects are those of
/// `base`. Errors: those of check_near.
Result<std::unique_ptr<const ContentSource>> make_near_source(std::unique_ptr<const ContentSource> base,
                                                              const CopyPlan& copies,
                                                              const DuplicateUnit& unit, Bytes smallest);

}  // namespace lab
