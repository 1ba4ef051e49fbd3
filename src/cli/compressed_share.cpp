// SPDX-License-Identifier: Apache-2.0
#include "cli/compressed_share.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <cmath>

namespace lab::cli {
namespace {

constexpr std::uint64_t kOriginals = 8;
constexpr Bytes kLargest = 256_MiB;
constexpr double kTolerance = 0.02;
constexpr int kLevel = 3;

}  // namespace

Result<CompressedShare> measure_compressed_share(const Dataset& dataset) {
  CompressedShare share{.asked = *dataset.spec().compressible / 1'000.0,
                        .least = 1,
                        .most = 0,
                        .originals = std::min(kOriginals, dataset.distinct())};
  std::vector<std::byte> bytes;
  std::vector<char> compressed;
  for (std::uint64_t content = 0; content < share.originals; ++content) {
    const auto size = dataset.source().size_of(content);
    if (!size) return size.error();
    if (*size > kLargest)
      return Error{ErrorCode::kUnsupported, "generate.compressible",
                   fmt::format("an object of {} is not measured; at most {}", format_bytes(*size),
                               format_bytes(kLargest))};
    LAB_TRY(dataset.source().fill(content, bytes));
    compressed.resize(ZSTD_compressBound(bytes.size()));
    const std::size_t left =
        ZSTD_compress(compressed.data(), compressed.size(), bytes.data(), bytes.size(), kLevel);
    if (ZSTD_isError(left) != 0)
      return Error{ErrorCode::kInternal, "generate.compressible", ZSTD_getErrorName(left)};
    const double measured = static_cast<double>(left) / static_cast<double>(bytes.size());
    if (std::abs(measured / share.asked - 1) > kTolerance)
      return Error{ErrorCode::kInvalidArgument, "generate.compressible",
                   fmt::format("--compressible: zstd {} at level {} leaves {:.4f} of an object of {}; {} was "
                               "asked and is met within 2 %, or not at all",
                               ZSTD_versionString(), kLevel, measured, format_bytes(*size), share.asked)};
    share.least = std::min(share.least, measured);
    share.most = std::max(share.most, measured);
  }
  return share;
}

}  // namespace lab::cli
