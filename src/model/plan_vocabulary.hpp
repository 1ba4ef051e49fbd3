// The names that a plan may use: what is built in, and what is known but not built in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lab {

struct SystemWords {
  std::string name{};
  bool built_in = true;
  bool native = false;                  // Has mode "native".
  bool embedded = true;                 // Has `path`; servers have `url` and `directory`.
  std::vector<std::string> variants{};  // "default" is always one. Not checked where not built in.
  std::vector<std::string> options{};   // Keys of [systems.NAME.options]. Not checked where not built in.
};

/// `directory:<path>` is a payload always and stands in neither list.
struct Vocabulary {
  std::vector<SystemWords> systems{};
  std::vector<std::string> payloads_built_in{};
  std::vector<std::string> payloads_known{};  // Known, not built in.
};

/// Adds the server systems of the experiment that `words` does not hold, as known but not built in.
Vocabulary with_known_servers(Vocabulary words);

const SystemWords* find_system_words(const Vocabulary& words, std::string_view name);

}  // namespace lab
