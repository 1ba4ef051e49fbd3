// Content-defined chunking by a gear hash, one byte after the other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "scan/cut_finder.hpp"

namespace lab::scan {

/// A chunk ends where the last log2(average) bits of a 64-bit gear hash (Xia and others, FAST 2016) are the
/// strongest ones and zero, at the earliest at a quarter of the average and at the latest at eight times it.
/// Averages are powers of two.
std::unique_ptr<CutFinder> make_scalar_cut_finder(std::span<const std::uint32_t> averages);

}  // namespace lab::scan
