// From a plan to its cells: the product of the lists, the controls, and the shuffled order of work.
// SPDX-License-Identifier: Apache-2.0
#include "model/cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/random.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

constexpr Bytes kControlBytesMax{64LL << 20};
constexpr std::string_view kControlNames[] = {"files", "cas"};

bool is_control(std::string_view system) {
  return std::find(std::begin(kControlNames), std::end(kControlNames), system) != std::end(kControlNames);
}

bool is_directory(std::string_view payload) { return payload.starts_with("directory:"); }

/// How much of one payload: a size law with a count or a total.
struct Amount {
  SizeLaw law{};
  std::uint64_t objects = 0;
  std::optional<Bytes> total_bytes{};
};

/// Files are as large as they are, so the laws of a plan would only repeat a directory's cells: it gets the
/// first.
std::vector<Amount> amounts_of(const DatasetPlan& plan, std::string_view payload) {
  const bool directory = is_directory(payload);
  std::vector<Amount> amounts;
  for (const SizeLaw& law : plan.object_sizes) {
    if (directory && !amounts.empty()) break;
    for (const Bytes total : plan.totals)
      amounts.push_back({law, planned_objects(law, total), directory ? std::nullopt : std::optional(total)});
    if (!plan.objects) continue;
    const bool sized = !directory && !law.varies();
    const auto objects = static_cast<std::int64_t>(*plan.objects);
    amounts.push_back(
        {law, *plan.objects, sized ? std::optional(Bytes{law.low.count * objects}) : std::nullopt});
  }
  return amounts;
}

/// At most 64 MiB of `amount`, with at least one copy at `grade`. Objects too large for that become smaller:
/// the control proves the instrument, not the size.
Amount for_control(Amount amount, int grade, bool directory) {
  if (!amount.law.sets_size()) return amount;  // Records are as large as they are: as many as the plan has.
  const std::uint64_t needed =
      grade == 0 ? 1 : (100 + static_cast<std::uint64_t>(grade) - 1) / static_cast<std::uint64_t>(grade);
  std::uint64_t fitting = planned_objects(amount.law, kControlBytesMax);
  if (fitting < needed && needed <= amount.objects) {
    amount.law = SizeLaw{.low = Bytes{kControlBytesMax.count / static_cast<std::int64_t>(needed)}};
    fitting = needed;
  }
  amount.objects = std::min(amount.objects, std::max<std::uint64_t>(fitting, 1));
  const bool sized = !directory && !amount.law.varies();
  amount.total_bytes.reset();
  if (sized) amount.total_bytes = Bytes{amount.law.low.count * static_cast<std::int64_t>(amount.objects)};
  return amount;
}

Block block_of(const Cell& shape, std::span<const int> grades) {
  Block block{.id = block_id(shape), .cells = {}};
  for (const int grade : grades) {
    block.cells.push_back(shape);
    block.cells.back().dataset.grade = grade;
  }
  return block;
}

/// One block a repetition.
void add_repetitions(const Plan& plan, Cell shape, std::span<const int> grades, std::vector<Block>& blocks) {
  for (int repetition = 1; repetition <= plan.repetitions; ++repetition) {
    shape.repetition = repetition;
    shape.dataset.dataset_seed = dataset_seed_of(plan.seed, shape.dataset.payload, repetition);
    blocks.push_back(block_of(shape, grades));
  }
}

/// Everything below one amount: order x placement x mode x cache x repetition.
void add_amount(const Plan& plan, const Cell& shape, std::vector<Block>& blocks) {
  for (const Order order : plan.dataset.orders)
    for (const Placement placement : plan.dataset.placements)
      for (const std::string& mode : plan.dataset.modes)
        for (const std::string& cache : plan.dataset.caches) {
          Cell cell = shape;
          cell.dataset.order = order;
          cell.dataset.placement = placement;
          cell.dataset.containers = placement == Placement::kAcross ? plan.dataset.containers : 1;
          cell.mode = mode;
          cell.cache = cache;
          add_repetitions(plan, cell, plan.dataset.grades, blocks);
        }
}

void set_amount(Cell& cell, const Amount& amount) {
  cell.dataset.object_size = amount.law;
  cell.dataset.objects = amount.objects;
  cell.total_bytes = amount.total_bytes;
}

std::vector<Block> blocks_of_system(const Plan& plan, const SystemPlan& system) {
  std::vector<Block> blocks;
  for (const std::string& variant : system.variants)
    for (const std::string& payload : plan.dataset.payloads)
      for (const Amount& amount : amounts_of(plan.dataset, payload)) {
        Cell shape{.system = system.name, .variant = variant, .chains = plan.stages.chains};
        shape.dataset.payload = payload;
        shape.dataset.popularity = plan.dataset.popularity;
        shape.dataset.compressible = plan.dataset.compressible;
        shape.dataset.unit = plan.dataset.unit;
        set_amount(shape, amount);
        add_amount(plan, shape, blocks);
      }
  return blocks;
}

/// A payload's control: its first amount, in the first order of the plan, within one container, warm, as
/// blobs. Its copies are whole objects, whatever repeats in the matrix: only then is its answer known.
std::vector<Block> blocks_of_control(const Plan& plan, const SystemPlan& system) {
  std::vector<Block> blocks;
  const int highest = plan.dataset.grades.empty()
                          ? 0
                          : *std::max_element(plan.dataset.grades.begin(), plan.dataset.grades.end());
  const std::vector<int> grades = highest == 0 ? std::vector{0} : std::vector{0, highest};
  for (const std::string& payload : plan.dataset.payloads) {
    const auto amounts = amounts_of(plan.dataset, payload);
    if (amounts.empty()) continue;
    Cell shape{.system = system.name, .variant = "default", .mode = "blob", .cache = "warm", .control = true};
    shape.chains = {Chain{StageKind::kBulkInsert}};
    shape.dataset.payload = payload;
    shape.dataset.popularity = plan.dataset.popularity;
    shape.dataset.compressible = plan.dataset.compressible;
    if (!plan.dataset.orders.empty()) shape.dataset.order = plan.dataset.orders.front();
    set_amount(shape, for_control(amounts.front(), highest, is_directory(payload)));
    add_repetitions(plan, shape, grades, blocks);
  }
  return blocks;
}

/// A seed that depends on the plan's seed and on what is shuffled, not on what else the plan holds.
Random random_for(std::uint64_t seed, std::string_view purpose) {
  return Random(derive_seed(seed, leading_u64(sha256(purpose))));
}

void shuffle_work(std::uint64_t seed, std::string_view system, std::vector<Block>& blocks) {
  Random between_blocks = random_for(seed, fmt::format("order_of_work/{}", system));
  shuffle(std::span(blocks), between_blocks);
  for (Block& block : blocks) {
    Random inside = random_for(seed, "order_of_work/" + block.id);
    shuffle(std::span(block.cells), inside);
  }
}

}  // namespace

std::uint64_t planned_objects(const SizeLaw& law, Bytes total) {
  return static_cast<std::uint64_t>(total.count / std::max<std::int64_t>(law.mean().count, 1));
}

bool sizes_vary(const DatasetSpec& dataset) {
  return is_directory(dataset.payload) || dataset.object_size.varies();
}

std::string object_size_name(const DatasetSpec& dataset) {
  if (is_directory(dataset.payload)) return "as found";
  if (dataset.object_size.varies()) return to_string(dataset.object_size);
  return fmt::format("{}", dataset.object_size.low.count);
}

std::string block_id(const Cell& cell) {
  const DatasetSpec& dataset = cell.dataset;
  std::string id;
  const auto add = [&id](std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(id), "{}{}={}", id.empty() ? "" : ";", name, percent_encode(value));
  };
  add("system", cell.system);
  add("variant", cell.variant);
  add("payload", dataset.payload);
  add("objects", fmt::format("{}", dataset.objects));
  add("object_size", object_size_name(dataset));
  if (cell.total_bytes) add("total_bytes", fmt::format("{}", cell.total_bytes->count));
  if (dataset.compressible) add("compressible", compressible_name(*dataset.compressible));
  if (dataset.unit != DuplicateUnit{}) add("duplicate_unit", to_string(dataset.unit));
  add("order", to_string(dataset.order));
  add("placement", to_string(dataset.placement));
  add("mode", cell.mode);
  add("cache", cell.cache);
  if (cell.control) add("control", "yes");
  add("repetition", fmt::format("{}", cell.repetition));
  return id;
}

std::string cell_id(const Cell& cell) {
  return fmt::format("{};grade={}", block_id(cell), grade_name(cell.dataset.grade));
}

std::vector<SystemPlan> systems_with_controls(const Plan& plan) {
  std::vector<SystemPlan> systems;
  for (const std::string_view name : kControlNames) {
    const auto named = [name](const SystemPlan& system) { return system.name == name; };
    if (std::none_of(plan.systems.begin(), plan.systems.end(), named))
      systems.push_back({.name = std::string(name), .control = true});
  }
  systems.insert(systems.end(), plan.systems.begin(), plan.systems.end());
  return systems;
}

std::vector<Block> expand(const Plan& plan) {
  std::vector<Block> all;
  for (const SystemPlan& system : systems_with_controls(plan)) {
    auto blocks = system.control ? blocks_of_control(plan, system) : blocks_of_system(plan, system);
    // Of a control that the plan names, cells of another unit prove nothing.
    if (!system.control && is_control(system.name) && plan.dataset.unit != DuplicateUnit{})
      for (Block& block : blocks_of_control(plan, system)) blocks.push_back(std::move(block));
    if (plan.order_of_work == OrderOfWork::kShuffled) shuffle_work(plan.seed, system.name, blocks);
    std::move(blocks.begin(), blocks.end(), std::back_inserter(all));
  }
  return all;
}

std::uint64_t stage_measurements(const std::vector<Block>& blocks) {
  std::uint64_t count = 0;
  for (const Block& block : blocks)
    for (const Cell& cell : block.cells)
      for (const Chain& chain : cell.chains) count += cell.control ? 0 : chain.size();
  return count;
}

}  // namespace lab
