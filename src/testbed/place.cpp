// SPDX-License-Identifier: Apache-2.0
#include "testbed/place.hpp"

#include <cstdlib>

namespace lab::testbed {

std::vector<std::string> server_environment(const Place& place, const std::string& token) {
  const char* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it.
  return {std::string("PATH=") + (path == nullptr ? "/usr/bin:/bin" : path) + ":/usr/sbin:/sbin",
          "HOME=" + place.home.string(), "TMPDIR=" + (place.home / "tmp").string(), "LANG=C.UTF-8",
          "DEDUPLAB_TESTBED=" + token};
}

}  // namespace lab::testbed
