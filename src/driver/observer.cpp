// The spelling of file parts.
// SPDX-License-Identifier: Apache-2.0
#include "driver/observer.hpp"

namespace lab {

std::string_view to_string(FilePart part) noexcept {
  switch (part) {
    case FilePart::kPayload:
      return "payload";
    case FilePart::kIndex:
      return "index";
    case FilePart::kLog:
      return "log";
    case FilePart::kMeta:
      return "meta";
    case FilePart::kOthers:
      return "others";
  }
  return "?";
}

}  // namespace lab
