// The expansion of a plan: how many cells, which, in what order, with which names.
// SPDX-License-Identifier: Apache-2.0
#include "model/cell.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace lab {
namespace {

Plan small_plan() {
  Plan plan;
  plan.seed = 42;
  plan.repetitions = 2;
  plan.dataset.payloads = {"random_binary", "structured_json"};
  plan.dataset.grades = {0, 50, 90};
  plan.dataset.objects = 100;
  plan.dataset.object_sizes = {SizeLaw{.low = 64_KiB}};
  plan.systems = {{.name = "sqlite"}, {.name = "files"}, {.name = "cas"}};
  return plan;
}

std::vector<Cell> cells_of(const Plan& plan) {
  std::vector<Cell> cells;
  for (const Block& block : expand(plan)) cells.insert(cells.end(), block.cells.begin(), block.cells.end());
  return cells;
}

std::vector<std::string> ids_of(const Plan& plan) {
  std::vector<std::string> ids;
  for (const Cell& cell : cells_of(plan)) ids.push_back(cell_id(cell));
  return ids;
}

TEST(Cells, TheClassicMatrixHas2016StageMeasurements) {
  Plan plan = small_plan();
  plan.repetitions = 3;
  plan.dataset.payloads = {"random_binary",   "structured_json",   "text_document", "uuid_keys",
                           "jsonb_documents", "bank_transactions", "text_corpus",   "numeric_dataset"};
  plan.systems.clear();
  for (const char* name : {"postgresql", "cockroachdb", "mariadb", "clickhouse", "redis", "kafka", "minio"})
    plan.systems.push_back({.name = name});
  plan.stages = StagesPlan{};
  const auto blocks = expand(plan);
  EXPECT_EQ(stage_measurements(blocks), 2'016U);
  const auto controls =
      std::count_if(blocks.begin(), blocks.end(), [](const Block& b) { return b.cells[0].control; });
  EXPECT_EQ(controls, 2 * 8 * 3);
  EXPECT_EQ(blocks.size(), 7U * 8U * 3U + 48U);
}

TEST(Cells, EveryListMultiplies) {
  Plan plan = small_plan();
  plan.systems[0].variants = {"a", "b"};
  plan.dataset.orders = {Order::kShuffled, Order::kAdjacent};
  plan.dataset.placements = {Placement::kWithin, Placement::kAcross};
  plan.dataset.caches = {"warm", "cold"};
  plan.dataset.modes = {"blob", "native"};
  plan.dataset.objects.reset();
  plan.dataset.totals = {16_MiB, 32_MiB, 64_MiB};
  plan.dataset.object_sizes = {SizeLaw{.low = 4_KiB}, SizeLaw{.low = 64_KiB}};
  // variants of all systems x payloads x totals x sizes x orders x placements x caches x modes x grades x
  // repetitions
  EXPECT_EQ(cells_of(plan).size(), std::size_t{4} * 2 * 3 * 2 * 2 * 2 * 2 * 2 * 3 * 2);
}

TEST(Cells, IdsAreUniqueAndTheBlockIsTheIdWithoutTheGrade) {
  Plan plan = small_plan();
  plan.dataset.orders = {Order::kShuffled, Order::kAdjacent};
  plan.dataset.payloads.emplace_back("directory:/a b;c=d");
  plan.dataset.object_sizes.push_back({.kind = SizeLaw::Kind::kUniform, .low = 4_KiB, .high = 1_MiB});
  std::set<std::string> cells;
  std::set<std::string> blocks;
  std::size_t count = 0;
  for (const Block& block : expand(plan)) {
    EXPECT_TRUE(blocks.insert(block.id).second) << block.id;
    for (const Cell& cell : block.cells) {
      ++count;
      cells.insert(cell_id(cell));
      EXPECT_EQ(block_id(cell), block.id);
      EXPECT_EQ(cell_id(cell), block.id + ";grade=" + grade_name(cell.dataset.grade));
    }
  }
  EXPECT_EQ(cells.size(), count);
}

TEST(Cells, AnIdNamesEveryDimensionAndEncodesItsValues) {
  Cell cell{.system = "sqlite",
            .variant = "page+wal",
            .total_bytes = Bytes{6'553'600},
            .mode = "blob",
            .cache = "warm"};
  cell.dataset.payload = "directory:/a b;c";
  cell.dataset.grade = 50;
  cell.dataset.objects = 100;
  cell.repetition = 3;
  EXPECT_EQ(
      cell_id(cell),
      "system=sqlite;variant=page%2Bwal;payload=directory%3A%2Fa%20b%3Bc;objects=100;object_size=as%20found;"
      "total_bytes=6553600;order=shuffled;placement=within;mode=blob;cache=warm;repetition=3;grade=U50");
}

TEST(Cells, AnIdNamesWhatObjectsCompressToWhereItIsAskedFor) {
  Plan plan = small_plan();
  const std::string plain = expand(plan).front().id;
  plan.dataset.compressible = 250;
  const Block block = expand(plan).front();
  EXPECT_EQ(block.cells.front().dataset.compressible, 250);
  EXPECT_NE(block.id.find(";compressible=0.25;order="), std::string::npos) << block.id;
  EXPECT_EQ(plain.find("compressible"), std::string::npos);
}

TEST(Cells, TheSizeIsNamedAsItIsPlannedOrFound) {
  DatasetSpec dataset{.payload = "random_binary", .object_size = {.low = 64_KiB}};
  EXPECT_EQ(object_size_name(dataset), "65536");
  EXPECT_FALSE(sizes_vary(dataset));
  dataset.object_size = {.kind = SizeLaw::Kind::kUniform, .low = 4_KiB, .high = 1_MiB};
  EXPECT_EQ(object_size_name(dataset), "uniform:4 KiB:1 MiB");
  EXPECT_TRUE(sizes_vary(dataset));
  dataset = {.payload = "text_corpus", .object_size = {.kind = SizeLaw::Kind::kRecord}};
  EXPECT_EQ(object_size_name(dataset), "record");
  EXPECT_TRUE(sizes_vary(dataset));
  dataset = {.payload = "directory:/data"};
  EXPECT_EQ(object_size_name(dataset), "as found");
  EXPECT_TRUE(sizes_vary(dataset));
}

TEST(Cells, TotalsDecideTheCountAndSizesThatAreFoundHaveNoTotal) {
  Plan plan = small_plan();
  plan.dataset.payloads = {"random_binary", "directory:/data"};
  plan.dataset.object_sizes = {
      SizeLaw{.low = Bytes{1000}},
      SizeLaw{.kind = SizeLaw::Kind::kUniform, .low = Bytes{500}, .high = Bytes{1500}}};
  for (const Cell& cell : cells_of(plan)) {
    const bool fixed = !sizes_vary(cell.dataset);
    EXPECT_EQ(cell.total_bytes.has_value(), fixed) << cell_id(cell);
    EXPECT_EQ(cell.total_bytes.value_or(Bytes{100'000}), Bytes{100'000});
  }
  plan.dataset.objects.reset();
  plan.dataset.totals = {Bytes{10'999}};
  for (const Cell& cell : cells_of(plan)) {
    EXPECT_EQ(cell.dataset.objects, 10U);
    EXPECT_EQ(cell.total_bytes.has_value(), cell.dataset.payload == "random_binary");
  }
}

TEST(Cells, SeveralSizesDoNotRepeatADirectory) {
  Plan plan = small_plan();
  plan.dataset.payloads = {"directory:/data"};
  const std::size_t once = cells_of(plan).size();
  plan.dataset.object_sizes.push_back(SizeLaw{.low = 4_KiB});
  EXPECT_EQ(cells_of(plan).size(), once);
}

TEST(Cells, SystemsKeepThePlansOrderAndBlocksAndCellsAreShuffledByTheSeed) {
  Plan plan = small_plan();
  plan.repetitions = 6;
  const auto shuffled = ids_of(plan);
  EXPECT_EQ(ids_of(plan), shuffled) << "the same plan, the same order";
  plan.seed = 43;
  EXPECT_NE(ids_of(plan), shuffled);
  plan.seed = 42;
  plan.order_of_work = OrderOfWork::kPlan;
  auto in_order = ids_of(plan);
  EXPECT_NE(in_order, shuffled);
  std::vector<std::string> systems;
  for (const Cell& cell : cells_of(plan))
    if (systems.empty() || systems.back() != cell.system) systems.push_back(cell.system);
  EXPECT_EQ(systems, (std::vector<std::string>{"sqlite", "files", "cas"}));
  auto sorted = shuffled;
  std::sort(sorted.begin(), sorted.end());
  std::sort(in_order.begin(), in_order.end());
  EXPECT_EQ(sorted, in_order) << "the same cells in any order";
}

TEST(Cells, GradesAreShuffledInsideTheirBlocks) {
  Plan plan = small_plan();
  plan.repetitions = 20;
  std::set<std::vector<int>> orders;
  for (const Block& block : expand(plan)) {
    std::vector<int> grades;
    for (const Cell& cell : block.cells) grades.push_back(cell.dataset.grade);
    orders.insert(grades);
  }
  EXPECT_EQ(orders.size(), 6U) << "all orders of three grades occur among 120 blocks";
}

TEST(Cells, AnotherSystemInThePlanDoesNotChangeTheOrderInsideASystem) {
  Plan plan = small_plan();
  const auto order_of = [&](const std::string& system) {
    std::vector<std::string> ids;
    for (const Cell& cell : cells_of(plan))
      if (cell.system == system) ids.push_back(cell_id(cell));
    return ids;
  };
  const auto before = order_of("files");
  plan.systems.insert(plan.systems.begin(), {.name = "lmdb"});
  EXPECT_EQ(order_of("files"), before);
}

TEST(Cells, EveryGradeAndSystemOfARepetitionHasTheSameDatasetSeed) {
  const Plan plan = small_plan();
  for (const Cell& cell : cells_of(plan))
    EXPECT_EQ(cell.dataset.dataset_seed, dataset_seed_of(42, cell.dataset.payload, cell.repetition));
}

TEST(Cells, CopiesStandInSeveralContainersOnlyAcross) {
  Plan plan = small_plan();
  plan.dataset.placements = {Placement::kWithin, Placement::kAcross};
  plan.dataset.containers = 8;
  for (const Cell& cell : cells_of(plan))
    EXPECT_EQ(cell.dataset.containers, cell.dataset.placement == Placement::kAcross ? 8U : 1U);
}

TEST(Controls, AreAddedWhereThePlanDoesNotNameThem) {
  Plan plan = small_plan();
  EXPECT_EQ(systems_with_controls(plan).size(), 3U);
  plan.systems.erase(plan.systems.begin() + 2);
  auto systems = systems_with_controls(plan);
  ASSERT_EQ(systems.size(), 3U);
  EXPECT_EQ(systems[0].name, "cas") << "before the others, so that an unfinished run has it";
  EXPECT_TRUE(systems[0].control);
  EXPECT_FALSE(systems[1].control);
}

TEST(Controls, RunABulkInsertAtU0AndTheHighestGradeAndAreNotCounted) {
  Plan plan = small_plan();
  plan.systems.resize(1);
  plan.systems[0].variants = {"a"};
  plan.dataset.grades = {50, 95, 0, 90};
  plan.dataset.orders = {Order::kDistant, Order::kShuffled};
  plan.dataset.caches = {"cold", "warm"};
  std::set<int> grades;
  std::size_t cells = 0;
  for (const Cell& cell : cells_of(plan)) {
    if (!cell.control) continue;
    ++cells;
    grades.insert(cell.dataset.grade);
    EXPECT_EQ(cell.variant, "default");
    EXPECT_EQ(cell.cache, "warm");
    EXPECT_EQ(cell.dataset.order, Order::kDistant);
    ASSERT_EQ(cell.chains.size(), 1U);
    EXPECT_EQ(chain_name(cell.chains[0]), "bulk_insert");
    EXPECT_NE(cell_id(cell).find(";control=yes;"), std::string::npos);
  }
  EXPECT_EQ(grades, (std::set<int>{0, 95}));
  EXPECT_EQ(cells, 2U * 2U * 2U * 2U) << "two controls, two payloads, two repetitions, two grades";
  EXPECT_EQ(stage_measurements(expand(plan)), 2U * 2U * 2U * 4U * 2U * 4U) << "only the plan's own cells";
}

TEST(Controls, OfRecordsHaveAsManyAsThePlanSinceNobodyKnowsTheirSize) {
  Plan plan = small_plan();
  plan.dataset.payloads = {"text_corpus"};
  plan.dataset.object_sizes = {SizeLaw{.kind = SizeLaw::Kind::kRecord}};
  plan.dataset.objects = 5'000'000;
  for (const Cell& cell : cells_of(plan)) {
    EXPECT_EQ(cell.dataset.objects, 5'000'000U);
    EXPECT_EQ(cell.total_bytes, std::nullopt);
  }
}

TEST(Controls, StayUnder64MiBAndKeepAtLeastOneCopy) {
  struct Case {
    const char* what = "";
    SizeLaw law{};
    std::uint64_t objects = 0;
    std::uint64_t control_objects = 0;
  };
  const Case cases[] = {
      {"small enough", {.low = 64_KiB}, 100, 100},
      {"capped", {.low = 64_KiB}, 5'000, 1'024},
      {"huge objects become smaller", {.low = 1_GiB}, 100, 2},
      {"one object stays one", {.low = 64_KiB}, 1, 1},
      {"varying", {.kind = SizeLaw::Kind::kUniform, .low = 1_MiB, .high = 3_MiB}, 100, 32},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    Plan plan = small_plan();
    plan.systems.resize(1);
    plan.dataset.object_sizes = {one.law};
    plan.dataset.objects = one.objects;
    for (const Cell& cell : cells_of(plan)) {
      if (!cell.control) continue;
      const auto& dataset = cell.dataset;
      EXPECT_EQ(dataset.objects, one.control_objects);
      EXPECT_LE(dataset.object_size.mean().count * static_cast<std::int64_t>(dataset.objects),
                (64_MiB).count);
      const bool needs_copy = one.objects > 1 && dataset.grade > 0;
      EXPECT_EQ(distinct_objects(dataset.objects, dataset.grade) < dataset.objects, needs_copy);
    }
  }
}

}  // namespace
}  // namespace lab
