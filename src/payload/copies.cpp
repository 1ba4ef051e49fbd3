// Apportionment of copies and the four stream orders.
// SPDX-License-Identifier: Apache-2.0
#include "payload/copies.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "core/random.hpp"
#include "payload/content_stream.hpp"
#include "payload/sizes.hpp"

namespace lab {
namespace {

template <class Index>
std::vector<Index> even_copies(std::uint64_t copies, std::uint64_t distinct) {
  std::vector<Index> counts(distinct, static_cast<Index>(copies / distinct));
  for (std::uint64_t rank = 0; rank < copies % distinct; ++rank) counts[rank] += 1;
  return counts;
}

/// 1 / rank^exponent as fixed-point numbers, so that shares are exact fractions of their sum.
std::vector<std::uint64_t> zipf_weights(std::uint64_t distinct, double exponent) {
  constexpr double kOne = 0x1.0p52;  // A weight of 1. The product with the copies stays far below 2^128.
  std::vector<std::uint64_t> weights(distinct);
  for (std::uint64_t rank = 0; rank < distinct; ++rank)
    weights[rank] =
        static_cast<std::uint64_t>(kOne * portable_power(static_cast<double>(rank + 1), -exponent));
  return weights;
}

/// Largest remainders in integers. Precondition: some weight is above 0.
template <class Index>
std::vector<Index> weighted_copies(std::uint64_t copies, std::span<const std::uint64_t> weights) {
  const std::uint64_t distinct = weights.size();
  const auto weight_sum = std::accumulate(weights.begin(), weights.end(), Uint128{0});
  std::vector<Index> counts(distinct);
  std::uint64_t left = copies;
  for (std::uint64_t rank = 0; rank < distinct; ++rank) {
    counts[rank] = static_cast<Index>(Uint128{copies} * weights[rank] / weight_sum);
    left -= counts[rank];
  }
  if (left == 0) return counts;
  std::vector<Index> ranks(distinct);
  std::iota(ranks.begin(), ranks.end(), Index{0});
  const auto remainder = [&](Index rank) { return Uint128{copies} * weights[rank] % weight_sum; };
  const auto larger = [&](Index a, Index b) {
    const Uint128 of_a = remainder(a);
    const Uint128 of_b = remainder(b);
    return of_a != of_b ? of_a > of_b
                        : a < b;  // Total, so that the chosen set is one and the same everywhere.
  };
  std::nth_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(left - 1), ranks.end(), larger);
  for (std::uint64_t i = 0; i < left; ++i) counts[ranks[i]] += 1;
  return counts;
}

template <class Index>
void shuffle_seeded(std::span<Index> items, const CopyPlan& plan, Purpose purpose) {
  Random random(derive_seed(plan.dataset_seed, purpose));
  shuffle(items, random);
}

/// Gives contents new names, so that they appear for the first time in the order 0, 1, 2, ...
template <class Index>
void rename_by_first_occurrence(std::vector<Index>& stream, std::uint64_t distinct) {
  constexpr Index kUnnamed = std::numeric_limits<Index>::max();
  std::vector<Index> names(distinct, kUnnamed);
  Index next = 0;
  for (Index& content : stream) {
    Index& name = names[content];
    if (name == kUnnamed) name = next++;
    content = name;
  }
}

template <class Index>
void append(std::vector<Index>& stream, std::uint64_t content, std::uint64_t times) {
  stream.insert(stream.end(), times, static_cast<Index>(content));
}

/// Appends the copies that are left and shuffles them among themselves.
template <class Index>
void append_shuffled(std::vector<Index>& stream, const std::vector<Index>& left, const CopyPlan& plan) {
  const std::size_t begin = stream.size();
  for (std::uint64_t content = 0; content < left.size(); ++content) append(stream, content, left[content]);
  shuffle_seeded(std::span(stream).subspan(begin), plan, Purpose::kStreamOrder);
}

template <class Index>
void append_alternating(std::vector<Index>& stream, std::vector<Index>& left) {
  std::uint64_t earliest = 0;  // No original before it has copies left.
  for (std::uint64_t content = 0; content < left.size(); ++content) {
    append(stream, content, 1);
    while (earliest < content && left[earliest] == 0) ++earliest;
    const std::uint64_t copied = left[content] > 0 ? content : earliest;
    if (left[copied] == 0) continue;
    left[copied] -= 1;
    append(stream, copied, 1);
  }
}

}  // namespace

template <class Index>
std::vector<Index> copies_of_each(const CopyPlan& plan) {
  const std::uint64_t copies = plan.objects - plan.distinct;
  std::vector<Index> counts;
  if (!plan.weights.empty())
    counts = weighted_copies<Index>(copies, plan.weights.first(plan.distinct));
  else if (plan.popularity.zipf_exponent > 0)
    counts = weighted_copies<Index>(copies, zipf_weights(plan.distinct, plan.popularity.zipf_exponent));
  else
    counts = even_copies<Index>(copies, plan.distinct);
  shuffle_seeded(std::span(counts), plan, Purpose::kRanks);
  return counts;
}

template <class Index>
std::vector<Index> content_stream(const CopyPlan& plan) {
  std::vector<Index> stream;
  if (plan.distinct == plan.objects) {  // Without copies every order is this one.
    stream.resize(plan.objects);
    std::iota(stream.begin(), stream.end(), Index{0});
    return stream;
  }
  std::vector<Index> copies = copies_of_each<Index>(plan);
  stream.reserve(plan.objects);
  switch (plan.order) {
    case Order::kShuffled:
      for (std::uint64_t content = 0; content < plan.distinct; ++content)
        append(stream, content, copies[content] + 1ULL);
      copies = std::vector<Index>();  // Its memory is for the names.
      shuffle_seeded(std::span(stream), plan, Purpose::kStreamOrder);
      rename_by_first_occurrence(stream, plan.distinct);
      break;
    case Order::kAdjacent:
      for (std::uint64_t content = 0; content < plan.distinct; ++content)
        append(stream, content, copies[content] + 1ULL);
      break;
    case Order::kDistant:
      for (std::uint64_t content = 0; content < plan.distinct; ++content) append(stream, content, 1);
      append_shuffled(stream, copies, plan);
      break;
    case Order::kAlternate:
      append_alternating(stream, copies);
      append_shuffled(stream, copies, plan);
      break;
  }
  return stream;
}

template std::vector<std::uint32_t> copies_of_each(const CopyPlan&);
template std::vector<std::uint64_t> copies_of_each(const CopyPlan&);
template std::vector<std::uint32_t> content_stream(const CopyPlan&);
template std::vector<std::uint64_t> content_stream(const CopyPlan&);

}  // namespace lab
