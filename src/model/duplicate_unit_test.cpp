// What repeats, and how often: spellings and files that the bytes of datasets hang on.
// SPDX-License-Identifier: Apache-2.0
#include "model/duplicate_unit.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"
#include "model/cell.hpp"
#include "model/counts_file.hpp"
#include "model/plan_load.hpp"
#include "model/plan_test_support.hpp"
#include "model/record_json.hpp"

namespace lab {
namespace {

TEST(DuplicateUnit, IsReadAsItIsWritten) {
  for (const char* text : {"object", "block:4 KiB", "block:4 KiB:shift:7", "changed:16", "prefix:512"}) {
    const auto unit = parse_duplicate_unit(text);
    ASSERT_TRUE(unit) << unit.error().text();
    EXPECT_EQ(to_string(*unit), text);
  }
  struct Case {
    const char* text;
    const char* words;
  };
  for (const Case& c :
       {Case{"blok:4 KiB", "did you mean 'block'?"}, Case{"block", "a number of bytes follows"},
        Case{"block:7", "from 8 to 1 TiB"}, Case{"prefix:7", "from 8 to 1 TiB"},
        Case{"changed:0", "from 1 to 1 TiB"}, Case{"block:512:shift:512", "smaller than the block"},
        Case{"block:512:move:1", "a number of bytes follows"}, Case{"changed:8:shift:1", "follows"}}) {
    const auto unit = parse_duplicate_unit(c.text);
    ASSERT_FALSE(unit) << c.text;
    EXPECT_NE(unit.error().detail.find(c.words), std::string::npos) << unit.error().detail;
  }
}

class PlannedUnit : public testing::Test {
 protected:
  static Result<LoadedPlan> parse(const std::string& keys) {
    return parse_plan("[dataset]\npayloads = ['random_binary']\nobjects = 8\n" + keys + "[systems.files]\n",
                      "p.toml", test_words());
  }
  std::string counts(const std::string& text) {
    EXPECT_TRUE(write_file_atomic(folder_.path() / "counts.txt", text));
    return (folder_.path() / "counts.txt").string();
  }

  TemporaryFolder folder_{};
};

TEST_F(PlannedUnit, IsReadWrittenAndPartOfTheHash) {
  const auto plain = parse("");
  ASSERT_TRUE(plain) << plain.error().detail;
  std::set<std::string> hashes{plan_hash(plain->plan)};
  EXPECT_EQ(plan_hash(parse("duplicate_unit = 'object'\n")->plan), plan_hash(plain->plan));
  for (const std::string unit :
       {"block:4 KiB", "block:8 KiB", "block:4 KiB:shift:512", "changed:1", "prefix:64"}) {
    const auto loaded = parse("duplicate_unit = '" + unit + "'\n");
    ASSERT_TRUE(loaded) << loaded.error().detail;
    EXPECT_TRUE(loaded->not_built_in.empty());
    EXPECT_EQ(to_string(loaded->plan.dataset.unit), unit);
    const auto back = parse_plan(save_plan(loaded->plan), "p.toml", test_words());
    ASSERT_TRUE(back) << back.error().detail;
    EXPECT_EQ(back->plan, loaded->plan);
    EXPECT_TRUE(hashes.insert(plan_hash(loaded->plan)).second) << unit;
  }
}

TEST_F(PlannedUnit, StandsInTheCellsAndRecordsOfTheMatrixAndNotInThoseOfTheControls) {
  auto loaded = parse("duplicate_unit = 'block:4 KiB:shift:512'\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  std::size_t files_controls = 0;
  for (const Block& block : expand(loaded->plan))
    for (const Cell& cell : block.cells) {
      EXPECT_EQ(cell.dataset.unit == DuplicateUnit{}, cell.control) << cell_id(cell);
      EXPECT_EQ(cell_id(cell).find("duplicate_unit=block%3A4%20KiB%3Ashift%3A512") == std::string::npos,
                cell.control)
          << cell_id(cell);
      files_controls += cell.control && cell.system == "files" ? 1 : 0;
      const StageRecord record{.cell = cell, .cell_id = cell_id(cell), .chain = "a", .stage = "a"};
      const auto back = record_from_json(to_json_text(record));
      ASSERT_TRUE(back) << back.error().detail;
      EXPECT_EQ(back->cell, cell);
    }
  EXPECT_EQ(files_controls, 10U)
      << "two grades, five repetitions, beside the blocks that the plan asks of files";
  for (const Block& block : expand(parse("")->plan))
    for (const Cell& cell : block.cells) EXPECT_TRUE(!cell.control || cell.system == "cas") << cell_id(cell);
}

TEST_F(PlannedUnit, CountsOfAFileArePartOfThePlan) {
  const std::string file = counts("# a trace\n3\n1\n");
  const auto loaded = parse("popularity = 'counts:" + file + "'\n");
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const Popularity read = loaded->plan.dataset.popularity;
  EXPECT_EQ(read.counts_file, file);
  EXPECT_EQ(read.counts_sha256, load_counts(file)->sha256);
  EXPECT_EQ(to_string(read), "counts:" + file);
  const std::string saved = save_plan(loaded->plan);
  EXPECT_EQ(parse_plan(saved, "p.toml", test_words())->plan, loaded->plan);
  Cell cell = expand(loaded->plan).front().cells.front();
  const auto record =
      record_from_json(to_json_text({.cell = cell, .cell_id = cell_id(cell), .chain = "a", .stage = "a"}));
  ASSERT_TRUE(record) << record.error().detail;
  EXPECT_EQ(record->cell.dataset.popularity, read);
  counts("3\n2\n");
  EXPECT_NE(plan_hash(parse("popularity = 'counts:" + file + "'\n")->plan), plan_hash(loaded->plan))
      << "other counts are another plan";
  const auto changed = parse_plan(saved, "p.toml", test_words());
  ASSERT_FALSE(changed) << "a saved plan is about the counts that it was saved with";
  EXPECT_NE(changed.error().detail.find("has changed"), std::string::npos) << changed.error().detail;
}

TEST_F(PlannedUnit, CountsThatAreNoneAreRefusedWithTheirLine) {
  struct Case {
    const char* text;
    const char* words;
  };
  for (const Case& c : {Case{"1\n-2\n", "counts.txt:2: '-2'"}, Case{"1.5\n", "counts.txt:1"},
                        Case{"# none\n", "no counts"}, Case{"4611686018427387904\n", "below 2^62"}}) {
    const auto loaded = parse("popularity = 'counts:" + counts(c.text) + "'\n");
    ASSERT_FALSE(loaded) << c.text;
    EXPECT_NE(loaded.error().detail.find(c.words), std::string::npos) << loaded.error().detail;
    EXPECT_NE(loaded.error().detail.find("dataset.popularity"), std::string::npos) << loaded.error().detail;
  }
  EXPECT_FALSE(parse("popularity = 'counts:" + folder_.path().string() + "'\n")) << "a folder";
  EXPECT_FALSE(parse("popularity = 'counts:" + folder_.path().string() + "/none'\n")) << "no file";
  EXPECT_FALSE(parse("popularity = 'counts:'\n")) << "no name";
  EXPECT_FALSE(parse("popularity_sha256 = 'ab'\n")) << "of no file";
}

}  // namespace
}  // namespace lab
