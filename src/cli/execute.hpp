// A run directory from its first write to its exit code: shared by `run` and `resume`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.hpp"
#include "model/plan.hpp"

namespace lab::cli {

struct ExecuteRequest {
  std::filesystem::path directory{};
  Plan plan{};
  std::string question{};  // The first comment line of the plan's file, with its #; may be empty.
  bool resume = false;     // The journal is there already.
  std::optional<Millis> stop_after{};
  std::vector<std::string> redo_systems{};
};

/// Takes the lease, makes or opens the journal, runs, exports, cleans up and prints the answer. Returns the
/// exit code. Results are exported before anything is cleaned up; a failed export forbids the clean-up.
int execute(const ExecuteRequest& request, const GlobalOptions& global);

/// Goes on with the run in `directory`, which must be of `plan`. Errors (exit 2): another plan or format.
int resume_with_plan(const std::filesystem::path& directory, const Plan& plan,
                     std::optional<Millis> stop_after, const std::vector<std::string>& redo,
                     const GlobalOptions& global);

/// True where `directory` holds a journal.
bool has_journal(const std::filesystem::path& directory);

/// The name under which a run, or a load, holds its namespaces: the time, and what it shares with no other.
std::string new_run_id(std::string_view what, std::int64_t started_ms);

/// How the program was called, for commands that are printed to be pasted; `called` sets it, once, in main.
std::string program_word(std::optional<std::string> called = std::nullopt);

/// "deduplab resume DIR", quoted for a shell.
std::string resume_command(const std::filesystem::path& directory);

}  // namespace lab::cli
