// How often each original is copied and where the copies stand: pure functions of numbers, no bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/dataset.hpp"

namespace lab {

struct CopyPlan {
  std::uint64_t objects = 0;
  std::uint64_t distinct = 0;  // 1 to `objects`.
  Popularity popularity{};
  Order order = Order::kShuffled;
  std::uint64_t dataset_seed = 0;
  /// In place of the popularity: of at least `distinct` ranks, not all 0 there.
  std::span<const std::uint64_t> weights{};
};

/// Copies of each original (its first occurrence not counted); they sum to objects - distinct exactly. Even:
/// two originals differ by one copy at most. Zipf: the largest remainders over the weights 1 / rank^s. Which
/// original has which rank is shuffled by the seed. `Index` holds any object number: 32 bits where they are
/// enough.
template <class Index>
std::vector<Index> copies_of_each(const CopyPlan& plan);

/// The content of each object, in stream order. Contents appear for the first time in the order 0, 1, 2, ...
template <class Index>
std::vector<Index> content_stream(const CopyPlan& plan);

extern template std::vector<std::uint32_t> copies_of_each(const CopyPlan&);
extern template std::vector<std::uint64_t> copies_of_each(const CopyPlan&);
extern template std::vector<std::uint32_t> content_stream(const CopyPlan&);
extern template std::vector<std::uint64_t> content_stream(const CopyPlan&);

}  // namespace lab
