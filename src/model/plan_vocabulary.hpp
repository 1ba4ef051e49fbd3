// The names that a plan may use: what is built in, and what is known but not built in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

struct SystemPlan;

/// What cannot be in a system's table.
struct SystemFault {
  std::string key{};  // Below [systems.NAME]: "url", "options.role".
  std::string what{};
};

struct SystemWords {
  std::string name{};
  bool built_in = true;
  bool native = false;                  // Has mode "native".
  bool embedded = true;                 // Has `path`; servers have `url` and `directory`.
  std::vector<std::string> variants{};  // "default" is always one. Not checked where not built in.
  std::vector<std::string> options{};   // Keys of [systems.NAME.options]. Not checked where not built in.
  /// What can be told to be wrong without the system itself; null: nothing.
  std::function<std::optional<SystemFault>(const SystemPlan&)> look{};
};

/// `directory:<path>` is a payload always and stands in neither list.
struct Vocabulary {
  std::vector<SystemWords> systems{};
  std::vector<std::string> payloads_built_in{};
  std::vector<std::string> payloads_known{};    // Known, not built in.
  std::vector<std::string> payloads_records{};  // Those whose objects can be whole records.
};

/// Adds the server systems of the experiment that `words` does not hold, as known but not built in.
Vocabulary with_known_servers(Vocabulary words);

const SystemWords* find_system_words(const Vocabulary& words, std::string_view name);

}  // namespace lab
