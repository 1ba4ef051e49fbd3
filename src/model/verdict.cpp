// The spelling of verdicts, which scripts and reports depend on.
// SPDX-License-Identifier: Apache-2.0
#include "model/verdict.hpp"

namespace lab {

std::string_view to_string(VerdictWord word) noexcept {
  switch (word) {
    case VerdictWord::kNone:
      return "none";
    case VerdictWord::kPartial:
      return "partial";
    case VerdictWord::kFull:
      return "full";
    case VerdictWord::kInconclusive:
      return "inconclusive";
    case VerdictWord::kTooFewRepetitions:
      return "too_few_repetitions";
    case VerdictWord::kWithheld:
      return "withheld";
    case VerdictWord::kSemantic:
      return "semantic";
  }
  return "inconclusive";
}

}  // namespace lab
