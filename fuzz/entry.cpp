// libFuzzer's two entries. The first argument names the target: fuzz plan fuzz/corpus/plan
// -max_total_time=600 SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "targets.hpp"

namespace {

const lab::fuzz::Target* chosen = nullptr;

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc > 1) chosen = lab::fuzz::find_target((*argv)[1]);
  if (chosen == nullptr) {
    static_cast<void>(
        std::fputs("usage: fuzz TARGET [CORPUS] [-max_total_time=SECONDS]; targets:\n", stderr));
    for (const auto& target : lab::fuzz::targets())
      static_cast<void>(std::fprintf(stderr, "  %s\n", target.name));
    std::exit(2);
  }
  for (int index = 1; index + 1 < *argc; ++index) (*argv)[index] = (*argv)[index + 1];
  --*argc;
  return 0;
}

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
