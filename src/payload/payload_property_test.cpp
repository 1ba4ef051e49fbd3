// Properties of arbitrary specifications, searched by random cases.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "payload/copies.hpp"
#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

Order any_order() {
  return *rc::gen::element(Order::kShuffled, Order::kAdjacent, Order::kDistant, Order::kAlternate);
}

DatasetSpec any_spec() {
  DatasetSpec spec;
  spec.payload = *rc::gen::elementOf(made_payloads());
  spec.dataset_seed = *rc::gen::arbitrary<std::uint64_t>();
  spec.grade = *rc::gen::inRange(0, 100);
  spec.objects = *rc::gen::inRange<std::uint64_t>(1, 400);
  spec.order = any_order();
  spec.popularity.zipf_exponent = *rc::gen::element(0.0, 0.01, 0.7, 1.0, 3.0, 10.0);
  spec.object_size.low = Bytes{*rc::gen::inRange<std::int64_t>(134, 700)};  // All kinds have these.
  if (*rc::gen::arbitrary<bool>()) {
    spec.object_size.kind = SizeLaw::Kind::kUniform;
    spec.object_size.high = spec.object_size.low + Bytes{*rc::gen::inRange<std::int64_t>(0, 400)};
  }
  if (*rc::gen::arbitrary<bool>()) {
    spec.placement = Placement::kAcross;
    spec.containers = *rc::gen::inRange<std::uint32_t>(1, 9);
  }
  return spec;
}

TEST(PayloadProperties, CopiesAreByteIdenticalAndOriginalsAreNot) {
  EXPECT_TRUE(rc::check([] {
    const DatasetSpec spec = any_spec();
    const auto dataset = made(spec);
    std::map<Digest, std::uint64_t> firsts;
    for (std::uint64_t number = 0; number < spec.objects; ++number) {
      const ObjectFacts facts = dataset->facts(number);
      const auto bytes = bytes_of(*dataset, facts.content);
      RC_ASSERT(std::ssize(bytes) == dataset->source().size_of(facts.content)->count);
      const auto [first, is_new] = firsts.emplace(sha256(bytes), number);
      RC_ASSERT(is_new == !facts.copy_of.has_value());
      RC_ASSERT(first->second == facts.copy_of.value_or(number));
    }
    RC_ASSERT(firsts.size() == distinct_objects(spec.objects, spec.grade));
  }));
}

TEST(PayloadProperties, OccurrencesOfAContentFillContainersEvenly) {
  EXPECT_TRUE(rc::check([] {
    DatasetSpec spec = any_spec();
    spec.placement = Placement::kAcross;
    spec.containers = *rc::gen::inRange<std::uint32_t>(1, 9);
    const auto dataset = made(spec);
    std::map<std::uint64_t, std::vector<int>> held;
    for (std::uint64_t number = 0; number < spec.objects; ++number) {
      const ObjectFacts facts = dataset->facts(number);
      auto& counts = held.try_emplace(facts.content, spec.containers).first->second;
      counts.at(facts.container) += 1;
    }
    for (const auto& [content, counts] : held) {
      const auto [least, most] = std::ranges::minmax(counts);
      RC_ASSERT(most - least <= 1);
    }
  }));
}

TEST(PayloadProperties, ContentsDoNotDependOnGradeNumberOrderOrPlacement) {
  EXPECT_TRUE(rc::check([] {
    const DatasetSpec spec = any_spec();
    DatasetSpec other = any_spec();
    other.payload = spec.payload;
    other.dataset_seed = spec.dataset_seed;
    other.object_size = spec.object_size;
    const auto one = made(spec);
    const auto two = made(other);
    const std::uint64_t content = *rc::gen::inRange<std::uint64_t>(0, 1'000'000'000'000);
    RC_ASSERT(bytes_of(*one, content) == bytes_of(*two, content));
    const std::uint64_t number = *rc::gen::inRange<std::uint64_t>(0, std::min(spec.objects, other.objects));
    RC_ASSERT(one->facts(number).id == two->facts(number).id);
  }));
}

}  // namespace
}  // namespace lab
