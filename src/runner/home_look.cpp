// SPDX-License-Identifier: Apache-2.0
#include "runner/home_look.hpp"

#include <fmt/format.h>

#include "core/plain_text.hpp"
#include "core/text.hpp"

namespace lab {

Result<HomeContents> look_at_home(const std::filesystem::path& home, const std::string& system,
                                  const Registry& registry) {
  auto found = EmbeddedHome::look(home, system);
  if (found || found.error().code != ErrorCode::kRefused) return found;
  const auto theirs = EmbeddedHome::system_of(home);
  if (!theirs || *theirs == system) return found;
  Error error = found.error();
  const SystemEntry* entry = find_system(registry, *theirs);
  if (entry != nullptr && entry->embedded && entry->has_files)
    error.detail +=
        fmt::format("; `deduplab clean --from {} --path {}` removes it", *theirs, shell_word(home.string()));
  else
    error.detail += fmt::format("; this program has no embedded system '{}' that could remove it",
                                without_controls(to_valid_utf8(*theirs)));
  return error;
}

}  // namespace lab
