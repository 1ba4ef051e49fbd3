// What the paths of random_binary share. Only for random_binary*.cpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace lab::random_binary {

// The file with AVX code is compiled with flags of its own. So it includes nothing with inline functions that
// other files use too: the linker might keep the copy that needs AVX for all of them.

/// Writes mix64(state + i * step), little-endian, for each i from 0 on, as many as fill whole vectors, at
/// most `words`; returns how many. `to` need not be aligned.
#if defined(__x86_64__)
std::size_t fill_avx512(std::byte* to, std::size_t words, std::uint64_t state, std::uint64_t step);
#endif

}  // namespace lab::random_binary
