// Grades of blocks and of changed copies: exactly as many repeat as asked, and no two objects are equal.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "model/counts_file.hpp"
#include "payload/payload_test_support.hpp"
#include "payload/unit_source.hpp"

namespace lab {
namespace {

using Kind = DuplicateUnit::Kind;

DatasetSpec with_unit(DatasetSpec spec, const DuplicateUnit& unit) {
  spec.unit = unit;
  return spec;
}

std::shared_ptr<const Dataset> made_with(const DatasetSpec& spec, const DuplicateUnit& unit) {
  const auto dataset = Dataset::make(with_unit(spec, unit));
  LAB_CHECK(dataset.has_value(), dataset.error().text().c_str());
  return *dataset;
}

std::string object_of(const Dataset& dataset, std::uint64_t number) {
  return text_of(dataset, dataset.facts(number).content);
}

TEST(DuplicateBlocks, AreExactlyTheShareThatTheGradeSaysAtTheirOwnPlaces) {
  for (const std::int64_t shift : {0, 7})
    for (const int grade : {0, 1, 33, 50, 75}) {
      const DuplicateUnit unit{.kind = Kind::kBlock, .bytes = Bytes{512}, .shift = Bytes{shift}};
      const DatasetSpec spec = spec_of("random_binary", 30, grade, Bytes{8'300});
      const auto dataset = made_with(spec, unit);
      const auto plan = BlockPlan::of(spec, unit);
      SCOPED_TRACE(to_string(unit) + " at U" + std::to_string(grade));
      EXPECT_EQ(plan->in_object(), shift == 0 ? 16U : 15U);
      std::set<std::string> objects;
      std::set<std::string> blocks;
      std::set<std::pair<std::uint64_t, std::string>> parts;
      for (std::uint64_t number = 0; number < 30; ++number) {
        const std::string object = object_of(*dataset, number);
        EXPECT_EQ(object.size(), 8'300U);
        EXPECT_EQ(dataset->facts(number).copy_of, std::nullopt);
        objects.insert(object);
        EXPECT_EQ(plan->begin_of(number), number * static_cast<std::uint64_t>(shift) % 512);
        for (std::uint64_t place = 0; place < plan->in_object(); ++place)
          blocks.insert(object.substr(plan->begin_of(number) + place * 512, 512));
      }
      EXPECT_EQ(objects.size(), 30U);
      EXPECT_EQ(dataset->distinct(), 30U);
      const std::uint64_t met = 30 * plan->in_object();
      EXPECT_EQ(blocks.size(), distinct_objects(met, grade));
      const UnitReport report = *dataset->unit_report();
      EXPECT_EQ(report.met, met);
      EXPECT_EQ(report.distinct, blocks.size());
      EXPECT_EQ(dataset->repeated_in_objects().count, static_cast<std::int64_t>(met - blocks.size()) * 512);
      for (std::uint64_t number = 0; number < 30; ++number)
        for (const UnitPart& part : dataset->unit_parts(number))
          parts.insert({part.identity, object_of(*dataset, number).substr(part.begin, part.size)});
      EXPECT_EQ(parts.size(), blocks.size()) << "one identity, one content";
    }
}

TEST(DuplicateBlocks, AreNoCopiesInAlignedBlocksWhereTheyAreShifted) {
  const auto aligned_blocks = [](std::int64_t shift) {
    const DuplicateUnit unit{.kind = Kind::kBlock, .bytes = Bytes{512}, .shift = Bytes{shift}};
    const auto dataset = made_with(spec_of("random_binary", 64, 50, Bytes{8'192}), unit);
    std::set<std::string> blocks;
    for (std::uint64_t number = 0; number < 64; ++number)
      for (std::size_t at = 0; at < 8'192; at += 512)
        blocks.insert(object_of(*dataset, number).substr(at, 512));
    return blocks.size();
  };
  EXPECT_EQ(aligned_blocks(0), 512U);
  EXPECT_GT(aligned_blocks(7), 1'000U) << "of 1024: fixed blocks see what lies in one object at most";
}

TEST(DuplicateBlocks, AreRefusedWhereTheyDoNotFit) {
  const DuplicateUnit blocks{.kind = Kind::kBlock, .bytes = Bytes{512}};
  const auto refused = [&](const DatasetSpec& spec, const char* words) {
    const auto dataset = Dataset::make(with_unit(spec, blocks));
    ASSERT_FALSE(dataset) << words;
    EXPECT_FALSE(Dataset::check(with_unit(spec, blocks))) << "known before a run";
    EXPECT_EQ(dataset.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(dataset.error().detail.find(words), std::string::npos) << dataset.error().detail;
  };
  refused(spec_of("random_binary", 10, 50, Bytes{511}), "no block:512 fits");
  refused(spec_of("random_binary", 10, 95, Bytes{8'192}), "16 blocks in an object");
  refused(spec_of("text_document", 10, 50, Bytes{8'192}), "of random_binary of one size");
  DatasetSpec popular = spec_of("random_binary", 10, 50, Bytes{8'192});
  popular.popularity.zipf_exponent = 1;
  refused(popular, "no popularity");
  DatasetSpec ordered = spec_of("random_binary", 10, 50, Bytes{8'192});
  ordered.order = Order::kAdjacent;
  refused(ordered, "no order");
  EXPECT_TRUE(Dataset::make(with_unit(spec_of("random_binary", 10, 93, Bytes{8'192}), blocks)));
}

/// How many bytes differ, and the last one that does.
std::pair<std::size_t, std::size_t> difference(const std::string& a, const std::string& b) {
  std::size_t count = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) {
      count += 1;
      last = i;
    }
  return {count, last};
}

TEST(NearDuplicates, DifferFromTheirOriginalByWhatWasAskedAndFromEachOther) {
  for (const char* payload : {"random_binary", "text_document", "mixed"})
    for (const DuplicateUnit& unit : {DuplicateUnit{.kind = Kind::kChanged, .bytes = Bytes{1}},
                                      DuplicateUnit{.kind = Kind::kChanged, .bytes = Bytes{16}},
                                      DuplicateUnit{.kind = Kind::kPrefix, .bytes = Bytes{100}}}) {
      SCOPED_TRACE(std::string(payload) + " " + to_string(unit));
      const DatasetSpec spec = spec_of(payload, 200, 90, Bytes{2'048});
      const auto copies = made(spec);
      const auto near = made_with(spec, unit);
      std::set<std::string> objects;
      std::uint64_t changed = 0;
      std::set<std::size_t> places;  // Of the last change in each.
      for (std::uint64_t number = 0; number < 200; ++number) {
        const std::string object = object_of(*near, number);
        objects.insert(object);
        const auto [count, last] = difference(object_of(*copies, number), object);
        const bool is_copy = copies->facts(number).copy_of.has_value();
        changed += is_copy ? 1U : 0U;
        if (!is_copy) {
          EXPECT_EQ(count, 0U) << "originals are as they are";
        } else if (unit.kind == Kind::kChanged) {
          EXPECT_EQ(count, static_cast<std::size_t>(unit.bytes.count));
          places.insert(last);
        } else {
          EXPECT_LT(last, 100U);
          EXPECT_GT(count, 60U) << "noise in place of the prefix";
        }
      }
      EXPECT_EQ(changed, 180U);
      EXPECT_TRUE(unit.kind != Kind::kChanged || places.size() > 60U) << places.size() << " places";
      EXPECT_EQ(objects.size(), 200U);
      EXPECT_EQ(near->distinct(), 200U);
      EXPECT_EQ(near->unit_report()->distinct, 20U);
    }
}

TEST(NearDuplicates, AreRefusedWhereThereAreNotEnoughChanges) {
  const auto make = [](std::uint64_t objects, std::int64_t size, Kind kind, std::int64_t bytes) {
    const DatasetSpec spec =
        with_unit(spec_of("random_binary", objects, 50, Bytes{size}), {.kind = kind, .bytes = Bytes{bytes}});
    auto dataset = Dataset::make(spec);
    EXPECT_EQ(Dataset::check(spec).has_value(), dataset.has_value());
    return dataset;
  };
  EXPECT_FALSE(make(10, 63, Kind::kChanged, 1));
  EXPECT_FALSE(make(10, 100, Kind::kPrefix, 100));
  EXPECT_TRUE(make(10, 101, Kind::kPrefix, 100));
  EXPECT_FALSE(make(256, 64, Kind::kChanged, 64 - 1)) << "one byte has 255 changes";
  EXPECT_TRUE(make(255, 64, Kind::kChanged, 64 - 1));
}

DatasetSpec counted(const std::filesystem::path& file) {
  DatasetSpec spec = spec_of("random_binary", 40, 90, Bytes{64});
  spec.popularity.counts_file = file.string();
  return spec;
}

TEST(Counts, SayHowOftenEachOriginalIsCopied) {
  const TemporaryFolder folder;
  folder.write("counts.txt", "# of a trace\n70\n0\n\n20\n10\n999\n");
  const auto made = Dataset::make(counted(folder.path() / "counts.txt"));
  ASSERT_TRUE(made) << made.error().text();
  const Dataset& dataset = **made;
  ASSERT_EQ(dataset.distinct(), 4U);
  std::map<std::uint64_t, std::uint64_t> copies;
  for (std::uint64_t number = 0; number < 40; ++number) copies[dataset.facts(number).content] += 1;
  std::multiset<std::uint64_t> found;
  for (const auto& [content, count] : copies) found.insert(count - 1);
  EXPECT_EQ(found, (std::multiset<std::uint64_t>{0, 4, 7, 25}))
      << "36 copies, 70:0:20:10 by largest remainders";
}

TEST(Counts, AreRefusedWhereTheyDoNotFit) {
  const TemporaryFolder folder;
  const auto refused = [&](const char* text, const char* words) {
    folder.write("counts.txt", text);
    const DatasetSpec spec = counted(folder.path() / "counts.txt");
    const auto made = Dataset::make(spec);
    ASSERT_FALSE(made) << words;
    EXPECT_NE(made.error().detail.find(words), std::string::npos) << made.error().detail;
    EXPECT_FALSE(Dataset::check(spec)) << "known before a run";
  };
  refused("1\n2\n3\n", "3 counts for 4 originals");
  refused("0\n0\n0\n0\n5\n", "the first 4 counts are all 0");
}

TEST(Counts, AreThoseThatTheSpecificationWasMadeWith) {
  const TemporaryFolder folder;
  folder.write("counts.txt", "1\n2\n3\n4\n");
  DatasetSpec spec = counted(folder.path() / "counts.txt");
  spec.popularity.counts_sha256 = load_counts(spec.popularity.counts_file)->sha256;
  EXPECT_TRUE(Dataset::make(spec));
  folder.write("counts.txt", "1\n2\n3\n5\n");
  const auto changed = Dataset::make(spec);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode::kCorruption);
  EXPECT_NE(changed.error().detail.find("has changed"), std::string::npos) << changed.error().detail;
}

}  // namespace
}  // namespace lab
