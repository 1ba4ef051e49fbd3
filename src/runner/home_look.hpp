// Looking at an embedded system's folder, with what to do about one that is another system's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "driver/embedded_home.hpp"
#include "driver/system.hpp"

namespace lab {

/// EmbeddedHome::look. The error about another system's folder names the command that removes what is there,
/// or says that `registry` has no such system.
Result<HomeContents> look_at_home(const std::filesystem::path& home, const std::string& system,
                                  const Registry& registry);

}  // namespace lab
