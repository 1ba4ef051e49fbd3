// Mixes: exact shares of kinds at every length, each content of its kind, copies of their original's kind.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "model/mix.hpp"
#include "payload/made_source.hpp"
#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

TEST(Mixed, HasEachShareRoundedDownOrUpAmongAnyNumberOfContents) {
  constexpr const char* kSevenKinds =
      "mixed:random_binary=1+structured_json=1+text_document=2+uuid_keys=3+"
      "jsonb_documents=5+time_series=8+synthetic_transactions=13";
  for (const char* payload : {"mixed", "mixed:uuid_keys=3+time_series=1", "mixed:uuid_keys=100+time_series=1",
                              "mixed:uuid_keys=7+time_series=11+text_document=13", kSevenKinds}) {
    SCOPED_TRACE(payload);
    const auto mix = made_mix(payload);
    ASSERT_TRUE(mix) << mix.error().text();
    const auto shares = parse_mix(payload, made_kind_names());
    std::size_t sum = 0;
    for (const MixShare& share : *shares) sum += static_cast<std::size_t>(share.share);
    ASSERT_EQ(mix->order.size(), sum);
    std::vector<std::size_t> counts(mix->kinds.size());
    for (std::size_t length = 1; length <= 3 * sum; ++length) {
      counts[mix->order[(length - 1) % sum]] += 1;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::size_t exact = length * static_cast<std::size_t>((*shares)[i].share);  // Times the sum.
        ASSERT_LT(counts[i] * sum, exact + sum) << "at " << length;
        ASSERT_GT((counts[i] + 1) * sum, exact) << "at " << length;
      }
    }
  }
}

TEST(Mixed, GivesEachContentTheBytesAndTheTypeOfItsKind) {
  const auto dataset =
      made(spec_of("mixed:time_series=2+structured_json=1+random_binary=1", 40, 0, Bytes{700}));
  const auto mix = made_mix("mixed:time_series=2+structured_json=1+random_binary=1");
  std::map<std::string_view, int> kinds;
  for (std::uint64_t number = 0; number < 40; ++number) {
    const MadeKind& kind = *mix->kinds[mix->order[number % 4]];
    std::vector<std::byte> bytes;
    kind.make({7, number}, 700, bytes);
    EXPECT_EQ(bytes_of(*dataset, number), bytes) << kind.name;
    EXPECT_EQ(dataset->source().mime_of(number), kind.mime);
    kinds[kind.name] += 1;
  }
  EXPECT_EQ(kinds, (std::map<std::string_view, int>{
                       {"time_series", 20}, {"structured_json", 10}, {"random_binary", 10}}));
}

TEST(Mixed, HasItsGradeOverAllObjectsAndCopiesOfTheirOriginalsKind) {
  const auto dataset = made(spec_of("mixed", 1'000, 90, Bytes{600}));
  std::map<std::string, std::uint64_t> first_with;
  std::map<std::string_view, int> originals;
  std::map<std::string_view, int> objects;
  const auto mix = made_mix("mixed");
  for (std::uint64_t number = 0; number < 1'000; ++number) {
    const ObjectFacts facts = dataset->facts(number);
    const auto [first, is_new] = first_with.emplace(text_of(*dataset, facts.content), number);
    ASSERT_EQ(is_new, !facts.copy_of.has_value());
    ASSERT_EQ(first->second, facts.copy_of.value_or(number));
    const std::string_view kind = mix->kinds[mix->order[facts.content % 5]]->name;
    objects[kind] += 1;
    if (is_new) originals[kind] += 1;
  }
  EXPECT_EQ(first_with.size(), 100U);
  ASSERT_EQ(originals.size(), 5U);
  for (const auto& [kind, count] : originals) EXPECT_EQ(count, 20) << kind;
  for (const auto& [kind, count] : objects) EXPECT_EQ(count, 200) << kind << ": copies are even";
}

TEST(Mixed, RefusesSizesThatItsLargestKindCannotHave) {
  EXPECT_EQ(**smallest_object_size("mixed", 5), Bytes{50});
  EXPECT_EQ(**smallest_object_size("mixed:random_binary=1+uuid_keys=1", 5), Bytes{40});
  EXPECT_TRUE(Dataset::make(spec_of("mixed", 5, 0, Bytes{50})));
  const auto refused = Dataset::make(spec_of("mixed", 5, 0, Bytes{49}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find("objects of mixed: at least 50"), std::string::npos)
      << refused.error().detail;
}

Digest stream_digest(const Dataset& dataset, unsigned threads) {
  std::vector<std::string> objects(dataset.objects());
  std::vector<std::jthread> workers;
  for (unsigned worker = 0; worker < threads; ++worker)
    workers.emplace_back([&, worker] {
      std::vector<std::byte> bytes;  // Reused: what it held must not matter.
      for (std::uint64_t number = worker; number < dataset.objects(); number += threads) {
        ASSERT_TRUE(dataset.source().fill(dataset.facts(number).content, bytes));
        objects[number] = as_text(bytes);
      }
    });
  workers.clear();
  Sha256 hash;
  for (const std::string& object : objects) hash.update(object);
  return hash.digest();
}

TEST(MadeDataset, IsTheSameStreamForAnyNumberOfThreads) {
  for (const std::string& payload : made_payloads()) {
    SCOPED_TRACE(payload);
    DatasetSpec spec = spec_of(payload, 200, 50, {});
    spec.object_size = {.kind = SizeLaw::Kind::kUniform, .low = Bytes{150}, .high = 6_KiB};
    const auto dataset = made(spec);
    const Digest one = stream_digest(*dataset, 1);
    EXPECT_EQ(stream_digest(*dataset, 3), one);
    EXPECT_EQ(stream_digest(*made(spec), 8), one);
  }
}

}  // namespace
}  // namespace lab
