// The census: known answers in the layouts of real systems, and what it says where it cannot count.
// SPDX-License-Identifier: Apache-2.0
#include "scan/census.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <string>

#include "scan/scan_test_support.hpp"

namespace lab::scan_test {
namespace {

using testing::HasSubstr;

struct Objects {
  std::vector<Data> originals{};
  std::vector<std::size_t> stored{};  // Which original each object has, in the order of the file.
};

/// Each original ten times, U90, in random order; sizes from `size` to `size` + `more`.
Objects nine_of_ten_copied(bool text, std::size_t originals, std::size_t size, std::uint64_t seed,
                           std::size_t more = 20'000) {
  Random random(seed);
  Objects objects;
  for (std::size_t i = 0; i < originals; ++i) {
    const std::size_t length = size + random.below(more + 1);
    objects.originals.push_back(text ? prose(length, random.next()) : random_data(length, random.next()));
    objects.stored.insert(objects.stored.end(), 10, i);
  }
  shuffle(std::span(objects.stored), random);
  return objects;
}

/// Slices of 1,996 bytes with headers of 36, four a page of 8 KiB, the first one at the page's end.
Data toast(const Objects& objects) {
  constexpr std::size_t kPage = 8192, kSlice = 1996;
  Random random(36);
  Data file, page;
  std::size_t free = 0;
  for (const std::size_t stored : objects.stored) {
    std::span<const std::byte> left = objects.originals[stored];
    while (!left.empty()) {
      const auto slice = left.first(std::min(left.size(), kSlice));
      left = left.subspan(slice.size());
      if (free < slice.size() + 36 + 40) {
        append(file, page);
        page = random_data(40, random.next());
        page.resize(kPage);
        free = kPage;
      }
      free -= slice.size() + 36;
      const Data header = random_data(36, random.next());
      std::copy(header.begin(), header.end(), page.begin() + static_cast<std::ptrdiff_t>(free));
      std::copy(slice.begin(), slice.end(), page.begin() + static_cast<std::ptrdiff_t>(free + 36));
    }
  }
  append(file, page);
  return file;
}

/// Pages of 16 KiB with 38 + 8 bytes before and 8 behind; an object begins on a page of its own.
Data innodb(const Objects& objects) {
  Random random(46);
  Data file;
  for (const std::size_t stored : objects.stored) {
    std::span<const std::byte> left = objects.originals[stored];
    while (!left.empty()) {
      const auto piece = left.first(std::min<std::size_t>(left.size(), 16'384 - 54));
      left = left.subspan(piece.size());
      append(file, random_data(46, random.next()));
      append(file, piece);
      append(file, Data(16'384 - 54 - piece.size()));
      append(file, random_data(8, random.next()));
    }
  }
  return file;
}

/// A header before each object: records of a log, needles of a volume.
Data contiguous(const Objects& objects, std::size_t header) {
  Random random(70);
  Data file;
  for (const std::size_t stored : objects.stored) {
    append(file, random_data(header, random.next()));
    append(file, objects.originals[stored]);
  }
  return file;
}

Data compressed(const Data& data) {
  Data out(ZSTD_compressBound(data.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), data.data(), data.size(), 3);
  EXPECT_FALSE(ZSTD_isError(size));
  out.resize(size);
  return out;
}

Census census_of(const Objects& objects, Bytes memory = 16_MiB) {
  auto made = Census::make(memory, [&objects](std::uint64_t number) -> Result<std::span<const std::byte>> {
    return std::span<const std::byte>(objects.originals.at(number - 1000));
  });
  EXPECT_TRUE(made) << made.error().text();
  for (std::size_t i = 0; i < objects.originals.size(); ++i) {
    const auto copies =
        static_cast<std::uint64_t>(std::count(objects.stored.begin(), objects.stored.end(), i));
    EXPECT_TRUE(made->add_original(1000 + i, copies, objects.originals[i]));
  }
  made->freeze();
  return std::move(*made);
}

CensusResult counted(const Objects& objects, const Data& file, Bytes memory = 16_MiB) {
  Census census = census_of(objects, memory);
  census.begin_file(0);
  EXPECT_TRUE(census.scan(file));
  EXPECT_TRUE(census.end_file());
  return census.result();
}

void expect_every_copy(const CensusResult& result, const std::string& what) {
  SCOPED_TRACE(what);
  EXPECT_EQ(result.uncountable, 0U);
  EXPECT_EQ(result.not_found, 0U);
  EXPECT_EQ(result.false_hits, 0U);
  for (const OriginalCount& original : result.originals) {
    ASSERT_TRUE(original.found);
    EXPECT_EQ(original.found->whole_copies, original.expected_copies) << original.number;
  }
  // A header's byte that happens to go on like the object is located too: one in 256 borders of pieces.
  EXPECT_GE(result.located, result.expected);
  EXPECT_LE(result.located.count, result.expected.count + result.expected.count / 5000);
}

TEST(Census, EveryCopyAtU90IsFoundInTheLayoutsOfFourSystems) {
  for (const bool text : {false, true}) {
    const Objects objects = nine_of_ten_copied(text, 12, 40'000, text ? 1 : 2);
    const std::string kind = text ? " of text" : " of random bytes";
    const Objects even = nine_of_ten_copied(text, 12, 65'536, text ? 1 : 2, 0);
    expect_every_copy(counted(even, toast(even)), "TOAST" + kind);
    expect_every_copy(counted(objects, innodb(objects)), "InnoDB" + kind);
    expect_every_copy(counted(objects, contiguous(objects, 70)), "log" + kind);
    expect_every_copy(counted(objects, contiguous(objects, 8)), "volume" + kind);
  }
}

TEST(Census, ShortLastSlicesOfToastAreTheOnlyOnesThatMayBeMissed) {
  const Objects objects = nine_of_ten_copied(false, 40, 30'000, 13);
  const CensusResult result = counted(objects, toast(objects));
  EXPECT_EQ(result.not_found, 0U);
  for (const OriginalCount& original : result.originals) {
    // One in e^4 last slices of 576 bytes has no candidate; slices of the whole length always had one.
    const auto last = original.size.count % 1996;
    const auto missing = 10 * original.size.count - original.found->located.count;
    EXPECT_LE(missing, last < 1000 ? 10 * last : 0) << original.number << " with " << last;
  }
}

TEST(Census, ASystemThatKeepsOneOfTenIsCountedAsOne) {
  Objects objects = nine_of_ten_copied(false, 10, 30'000, 3);
  Objects kept = objects;
  kept.stored = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const CensusResult result = counted(objects, innodb(kept));
  for (const OriginalCount& original : result.originals) {
    ASSERT_TRUE(original.found);
    EXPECT_EQ(original.expected_copies, 10U);
    EXPECT_EQ(original.found->whole_copies, 1U);
  }
  EXPECT_EQ(result.located.count / 1000, result.expected.count / 10'000);
}

TEST(Census, OfCompressedTextNothingIsLocatedAndEachOriginalIsSaidToBeMissing) {
  const Objects objects = nine_of_ten_copied(true, 10, 30'000, 4);
  for (const Data& layout : {toast(objects), innodb(objects), contiguous(objects, 70)}) {
    const CensusResult result = counted(objects, compressed(layout));
    EXPECT_EQ(result.located, Bytes{0});
    EXPECT_EQ(result.not_found, objects.originals.size());
    EXPECT_EQ(result.uncountable, 0U);
  }
}

TEST(Census, AMissingPieceLeavesOneWholeCopyLess) {
  const Objects objects = nine_of_ten_copied(false, 3, 50'000, 5);
  Data file = contiguous(objects, 70);
  const std::size_t first = objects.stored.front();
  for (std::size_t i = 20'000; i < 26'000; ++i) file[70 + i] ^= std::byte{0x55};
  const CensusResult result = counted(objects, file);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(result.originals[i].found->whole_copies, i == first ? 9U : 10U) << i;
  EXPECT_NEAR(static_cast<double>(result.expected.count - result.located.count), 6000, 20);
}

TEST(Census, SpansDoNotChangeTheResult) {
  Random random(6);
  const Objects objects = nine_of_ten_copied(false, 12, 40'000, 7);
  const Data file = toast(objects);
  const CensusResult whole = counted(objects, file);
  Census census = census_of(objects);
  census.begin_file(0);
  in_random_spans(file, random, [&](auto span) { EXPECT_TRUE(census.scan(span)); });
  EXPECT_TRUE(census.end_file());
  const CensusResult parts = census.result();
  EXPECT_EQ(parts.located, whole.located);
  for (std::size_t i = 0; i < whole.originals.size(); ++i)
    EXPECT_EQ(parts.originals[i].found->located, whole.originals[i].found->located);
}

// The middle of a hole is not looked at. Objects end and begin at its borders, and one has a long run of
// zeros.
TEST(Census, AHoleIsCountedAsItsZerosWouldBe) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Objects objects = nine_of_ten_copied(false, 4, 40'000, seed);
    Data with_run = random_data(20'000, seed + 100);
    with_run.resize(with_run.size() + 1'500'000);
    append(with_run, random_data(20'000, seed + 200));
    objects.originals.push_back(with_run);
    Census by_bytes = census_of(objects);
    Census by_number = census_of(objects);
    by_bytes.begin_file(0);
    by_number.begin_file(0);
    const auto both = [&](const Data& bytes) { EXPECT_TRUE(by_bytes.scan(bytes) && by_number.scan(bytes)); };
    for (int i = 0; i < 8; ++i) {
      const bool run = i % 3 == 1;
      const Data& object = objects.originals[run ? 4 : random.below(4)];
      const std::uint64_t zeros = run                    ? 1'500'000
                                  : random.below(3) == 0 ? 300'000
                                                         : 600'000 + random.below(2'000'000);
      both(random_data(random.below(300'000), random.next()));
      both(Data(object.begin(), object.begin() + 20'000));
      EXPECT_TRUE(by_bytes.scan(Data(zeros)) && by_number.zeros(zeros));
      both(Data(object.end() - 20'000, object.end()));
    }
    EXPECT_TRUE(by_bytes.end_file() && by_number.end_file());
    const CensusResult want = by_bytes.result();
    const CensusResult got = by_number.result();
    EXPECT_EQ(got.classes[0].scanned, want.classes[0].scanned);
    EXPECT_EQ(got.located, want.located);
    ASSERT_TRUE(want.originals[4].found);
    EXPECT_EQ(want.originals[4].found->whole_copies, 3U);
    for (std::size_t i = 0; i < want.originals.size(); ++i) {
      EXPECT_EQ(got.originals[i].found->located, want.originals[i].found->located);
      EXPECT_EQ(got.originals[i].found->whole_copies, want.originals[i].found->whole_copies);
    }
  }
}

TEST(Census, OfAHoleOfManyTebibytesIsOneStep) {
  const Objects objects = nine_of_ten_copied(false, 1, 40'000, 3);
  Census census = census_of(objects);
  constexpr std::uint64_t kZeros = (std::uint64_t{1} << 45U) + 12'345;
  census.begin_file(0);
  EXPECT_TRUE(census.zeros(kZeros));
  EXPECT_TRUE(census.scan(objects.originals[0]));
  EXPECT_TRUE(census.end_file());
  const CensusResult result = census.result();
  EXPECT_EQ(result.classes[0].scanned.count,
            static_cast<std::int64_t>(kZeros) + std::ssize(objects.originals[0]));
  EXPECT_EQ(result.originals[0].found->whole_copies, 1U);
}

TEST(Census, WhatIsFoundIsKeptByFileClassAndNoMatchGoesOverTheEndOfAFile) {
  const Objects objects = nine_of_ten_copied(false, 2, 20'000, 8);
  Census census = census_of(objects);
  const std::span<const std::byte> object = objects.originals[0];
  census.begin_file(2);
  EXPECT_TRUE(census.scan(object.first(9'000)));
  EXPECT_TRUE(census.end_file());
  census.begin_file(0);
  EXPECT_TRUE(census.scan(object.subspan(9'000)));
  EXPECT_TRUE(census.end_file());
  const CensusResult result = census.result();
  ASSERT_EQ(result.classes.size(), 3U);
  EXPECT_EQ(result.classes[2].located, Bytes{9'000});
  EXPECT_EQ(result.classes[1].scanned, Bytes{0});
  EXPECT_EQ(result.classes[0].located, Bytes{std::ssize(object) - 9'000});
  EXPECT_EQ(result.originals[0].found->whole_copies, 1U);
  EXPECT_EQ(result.not_found, 1U);
}

TEST(Census, OriginalsThatShareAllTheirSlicesAreUncountableAndSaidSo) {
  Objects objects = nine_of_ten_copied(false, 2, 20'000, 9);
  objects.originals.push_back(objects.originals[0]);
  objects.originals.emplace_back(20'000);                             // Zeros.
  objects.originals.push_back(repeated("sixteen letters!", 20'000));  // A period.
  const CensusResult result = counted(objects, contiguous(objects, 70));
  EXPECT_EQ(result.uncountable, 4U);
  EXPECT_GT(result.ambiguous_slices, 200U);
  EXPECT_FALSE(result.originals[0].found || result.originals[2].found);
  EXPECT_FALSE(result.originals[3].found || result.originals[4].found);
  EXPECT_EQ(result.originals[1].found->whole_copies, 10U);
}

TEST(Census, SharedPhrasesAreNotCountedForTheWrongOriginal) {
  const Data shared = prose(30'000, 10);
  Objects objects;
  for (std::uint64_t i = 0; i < 3; ++i) {
    Data object = random_data(5'000, 100 + i);
    append(object, shared);
    append(object, random_data(5'000, 200 + i));
    objects.originals.push_back(object);
  }
  objects.stored = {0, 2, 1, 0, 2, 0};
  const CensusResult result = counted(objects, contiguous(objects, 70));
  EXPECT_GT(result.ambiguous_slices, 100U);
  for (const OriginalCount& original : result.originals)
    EXPECT_EQ(original.found->located.count,
              original.size.count * static_cast<int>(original.expected_copies));
}

TEST(Census, LessMemoryMakesSlicesRarerAndTheResultSaysIt) {
  const Objects objects = nine_of_ten_copied(false, 12, 60'000, 11);
  const CensusResult dense = counted(objects, innodb(objects));
  const CensusResult rare = counted(objects, innodb(objects), 22_KiB);
  EXPECT_EQ(dense.slice_distance, 128U);
  EXPECT_GE(rare.slice_distance, 1024U);
  EXPECT_LE(rare.slices, 1024U);
  EXPECT_GT(rare.slices, 256U);
  expect_every_copy(rare, "rare slices");
  EXPECT_EQ(rare.memory_per_slice, Bytes{22});
}

TEST(Census, AnObjectThatCannotBeReadAgainIsAnErrorAndNoCount) {
  const Data object = random_data(20'000, 12);
  auto census = Census::make(1_MiB, [&](std::uint64_t number) -> Result<std::span<const std::byte>> {
    if (number == 1) return Error{ErrorCode::kIo, "test", "gone"};
    return std::span(object).first(100);
  });
  ASSERT_TRUE(census);
  ASSERT_TRUE(census->add_original(1, 1, object));
  census->freeze();
  census->begin_file(0);
  ASSERT_TRUE(census->scan(object));
  const Status gone = census->end_file();
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().text(), HasSubstr("gone"));
  EXPECT_FALSE(Census::make(1_KiB, {}));
}

}  // namespace
}  // namespace lab::scan_test
