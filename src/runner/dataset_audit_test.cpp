// The sample of each dataset of a run: what it holds, and that a dataset which is not as it says is found.
// SPDX-License-Identifier: Apache-2.0
#include "runner/dataset_audit.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "runner/testing/run_fixture.hpp"

namespace lab {
namespace {

std::shared_ptr<const Dataset> dataset_of(const DatasetSpec& spec) {
  auto dataset = Dataset::make(spec);
  LAB_CHECK(dataset.has_value(), dataset.error().text().c_str());
  return *dataset;
}

DatasetSpec spec_of(int grade, std::uint64_t objects = 1'000, Bytes size = 16_KiB) {
  return {.payload = "random_binary",
          .dataset_seed = 7,
          .grade = grade,
          .objects = objects,
          .object_size = {.low = size}};
}

/// A dataset that says otherwise than it is.
class LyingDataset final : public Dataset, private ContentSource {
 public:
  enum class Lie : std::uint8_t { kOriginalsAreEqual, kCopiesDiffer, kBlocksAreEqual };
  LyingDataset(std::shared_ptr<const Dataset> truth, Lie lie) : truth_(std::move(truth)), lie_(lie) {}

  const DatasetSpec& spec() const override { return truth_->spec(); }
  std::uint64_t objects() const override { return truth_->objects(); }
  std::uint64_t distinct() const override { return truth_->distinct(); }
  ObjectFacts facts(std::uint64_t number) const override { return truth_->facts(number); }
  const ContentSource& source() const override { return *this; }
  std::vector<UnitPart> unit_parts(std::uint64_t number) const override { return truth_->unit_parts(number); }
  Result<std::uint64_t> spare_content(std::uint64_t index) const override {
    return truth_->spare_content(index);
  }

 private:
  std::uint64_t contents_max() const override { return truth_->source().contents_max(); }
  Result<Bytes> size_of(std::uint64_t content) const override { return truth_->source().size_of(content); }
  std::string_view mime_of(std::uint64_t content) const override { return truth_->source().mime_of(content); }
  Status fill(std::uint64_t content, std::vector<std::byte>& out) const override {
    LAB_TRY(truth_->source().fill(lie_ == Lie::kOriginalsAreEqual ? content / 2 : content, out));
    if (lie_ == Lie::kCopiesDiffer) out.front() = static_cast<std::byte>(calls_++);
    if (lie_ == Lie::kBlocksAreEqual) std::fill_n(out.begin(), 4'096, std::byte{'x'});
    return ok();
  }

  std::shared_ptr<const Dataset> truth_;
  Lie lie_;
  mutable unsigned calls_ = 0;
};

TEST(DatasetAudit, TakesCopiesWithTheirOriginalsFromTheWholeDatasetWithinItsBounds) {
  for (const int grade : {0, 50, 99}) {
    const auto dataset = dataset_of(spec_of(grade));
    const auto sample = audit_sample(*dataset);
    SCOPED_TRACE(grade);
    EXPECT_TRUE(std::ranges::is_sorted(sample));
    EXPECT_GE(sample.size(), 60U);
    EXPECT_LE(sample.size(), 65U);
    EXPECT_GT(sample.back(), 990U);
    const std::set<std::uint64_t> numbers(sample.begin(), sample.end());
    std::size_t copies = 0;
    for (const std::uint64_t number : sample)
      if (const auto original = dataset->facts(number).copy_of) {
        EXPECT_TRUE(numbers.contains(*original)) << number;
        copies += 1;
      }
    EXPECT_EQ(copies > 0, grade > 0);
  }
  EXPECT_EQ(audit_sample(*dataset_of(spec_of(0, 1))).size(), 1U);
  EXPECT_EQ(audit_sample(*dataset_of(spec_of(0, 3))).size(), 3U);
  EXPECT_EQ(audit_sample(*dataset_of(spec_of(0, 100, 20_MiB))).size(), 2U) << "few where they are large";
}

TEST(DatasetAudit, CountsAsManyDistinctAsTheManifestSays) {
  for (const int grade : {0, 50, 99}) {
    const auto rows = audit_dataset(*dataset_of(spec_of(grade)), {});
    ASSERT_TRUE(rows) << rows.error().text();
    ASSERT_GE(rows->size(), 5U);
    for (const scan::AuditRow& row : *rows) EXPECT_EQ(row.asked, row.made) << row.unit;
    EXPECT_EQ(rows->front().unit, "object");
    EXPECT_EQ(rows->front().made < rows->front().met, grade > 0);
  }
}

TEST(DatasetAudit, FindsADatasetThatIsNotAsItSays) {
  using Lie = LyingDataset::Lie;
  for (const Lie lie : {Lie::kOriginalsAreEqual, Lie::kCopiesDiffer, Lie::kBlocksAreEqual}) {
    const LyingDataset dataset(dataset_of(spec_of(50)), lie);
    const auto rows = audit_dataset(dataset, {});
    ASSERT_FALSE(rows) << static_cast<int>(lie);
    EXPECT_EQ(rows.error().code, ErrorCode::kCorruption);
    EXPECT_NE(rows.error().detail.find("distinct asked"), std::string::npos) << rows.error().detail;
  }
}

TEST(DatasetAudit, CountsByTheDuplicateUnit) {
  using Lie = LyingDataset::Lie;
  for (const std::int64_t shift : {0, 512}) {
    DatasetSpec spec = spec_of(50, 64, 64_KiB);
    spec.unit = {.kind = DuplicateUnit::Kind::kBlock, .bytes = 4_KiB, .shift = Bytes{shift}};
    const auto rows = audit_dataset(*dataset_of(spec), {});
    ASSERT_TRUE(rows) << rows.error().text();
    EXPECT_EQ(rows->front().unit, "object");
    EXPECT_EQ(rows->front().made, rows->front().met) << "no two objects are equal";
    const scan::AuditRow& blocks = rows->back();
    EXPECT_EQ(blocks.unit, to_string(spec.unit));
    EXPECT_EQ(blocks.met, 64U * (shift == 0 ? 16 : 15));
    EXPECT_EQ(blocks.made, blocks.asked);
    EXPECT_EQ(blocks.made, distinct_objects(blocks.met, 50)) << "the whole dataset is in the sample";
    const auto lie = audit_dataset(LyingDataset(dataset_of(spec), Lie::kBlocksAreEqual), {});
    ASSERT_FALSE(lie);
    EXPECT_NE(lie.error().detail.find("block:4 KiB"), std::string::npos) << lie.error().detail;
  }
}

TEST_F(RunFixture, EachDatasetOfARunIsLookedAtAndItsCountsAreKept) {
  ASSERT_TRUE(run());
  auto reader = JournalReader::open(directory_);
  ASSERT_TRUE(reader) << reader.error().text();
  const auto all = records();
  ASSERT_FALSE(all.empty());
  for (const StageRecord& record : all) {
    const auto counts = (*reader)->value("audit/" + audit_key(record.cell.dataset));
    ASSERT_TRUE(counts);
    ASSERT_TRUE(counts->has_value()) << audit_key(record.cell.dataset);
    EXPECT_TRUE((*counts)->starts_with("[{\"asked\":")) << **counts;
  }
}

TEST(DatasetAudit, EndsAtAStop) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(
      audit_dataset(*dataset_of(spec_of(50)), {Clock::time_point::max(), stop.get_token()}).error().code,
      ErrorCode::kCancelled);
}

}  // namespace
}  // namespace lab
