// Sizes drawn from a law, and the arithmetic under them: the same result on every machine and compiler.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/units.hpp"
#include "model/dataset.hpp"
#include "payload/content_stream.hpp"

namespace lab {

/// Logarithm, exponential and power from + - * / alone, which IEEE 754 fixes to the last bit; the library's
/// own differ between machines. Relative error below 1e-14. Domain: x > 0 and normal; exponents from -700 to
/// 700.
double portable_log(double x);
double portable_exp(double x);
double portable_power(double base, double exponent);

/// Smallest and largest size that `law` can give, where no object can be smaller than `floor`. A fixed and a
/// uniform law are as they are written; the lower cut of a lognormal one is raised to `floor`.
struct SizeRange {
  Bytes smallest{};
  Bytes largest{};
};
SizeRange size_range(const SizeLaw& law, Bytes floor);

/// The size of one content: of the law, the key and the floor alone.
Bytes drawn_size(const SizeLaw& law, ContentKey key, Bytes floor);

}  // namespace lab
