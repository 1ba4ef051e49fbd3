// Cells and blocks: the points of the matrix and the unit of retry and pairing.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/dataset.hpp"
#include "model/plan.hpp"

namespace lab {

/// One point of the matrix.
struct Cell {
  std::string system{};
  std::string variant{};
  DatasetSpec dataset{};
  std::optional<Bytes> total_bytes{};  // As planned; absent where the sizes are found, not made.
  std::string mode{};
  std::string cache{};
  int repetition = 1;
  bool control = false;  // Run as a control only: not counted in the matrix.
  std::vector<Chain> chains{};

  friend bool operator==(const Cell&, const Cell&) = default;
};

/// Names every dimension of `cell`, values percent-encoded:
/// "system=files;variant=default;payload=random_binary;...;repetition=1;grade=U50".
std::string cell_id(const Cell& cell);

/// The same without the grade.
std::string block_id(const Cell& cell);

/// "65536", "uniform:4 KiB:1 MiB", or "as found" for a directory payload.
std::string object_size_name(const DatasetSpec& dataset);

/// How many objects of `law` make `total`, rounded down; 0 where not even one fits.
std::uint64_t planned_objects(const SizeLaw& law, Bytes total);

/// True where the objects of a dataset have different sizes.
bool sizes_vary(const DatasetSpec& dataset);

/// Cells that differ in the grade alone, in the order in which they run.
struct Block {
  std::string id{};
  std::vector<Cell> cells{};
};

/// All blocks of a plan, in the order in which they run: systems in plan order; inside a system the blocks,
/// inside a block the cells, shuffled by the plan's seed (or in plan order). Adds `files` and `cas` as
/// controls where the plan does not name them, and beside those that it names where something else than whole
/// objects repeats: bulk_insert alone, default variant, whole objects as copies, each payload's U0 and
/// highest grade, its first size, first order, within, warm, blob, at most 64 MiB a cell (of a directory: by
/// its object size in the plan, since files are not looked at here). Pure: the same plan gives the same list.
std::vector<Block> expand(const Plan& plan);

/// The controls that the plan does not name, then its systems in its order: an unfinished run has its
/// controls, and so its verdicts.
std::vector<SystemPlan> systems_with_controls(const Plan& plan);

/// Stages of all `chains`, summed over the cells: the plan's stage measurements, controls not counted.
std::uint64_t stage_measurements(const std::vector<Block>& blocks);

}  // namespace lab
