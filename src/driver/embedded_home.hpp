// The folder of an embedded system: a marker that it is ours, and the engine's files below it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace lab {

/// Whether `text` is a run's id as new runs and loads have it: "20260131T120000Z-4f21c0de".
bool is_run_id(std::string_view text);

struct HomeContents {
  bool ours = false;                  // There is a marker.
  std::vector<std::string> others{};  // Names beside the marker and its data, in order; without one, all.
};

/// `others` in one line: three of them, and how many more. Control characters are written out.
std::string names_in_words(const std::vector<std::string>& others);

/// HOME/.deduplab holds the run's id and the system's name; the engine's files lie in HOME/data. A folder
/// with entries but without the marker is never touched, nor one whose marker names another system or is not
/// as this program writes it; a marker without a name, as earlier versions wrote it, is that of any system.
/// While an EmbeddedHome lives, its folder is locked (flock on the marker).
class EmbeddedHome {
 public:
  /// Makes the folder when missing; a folder that an earlier run of the same system left is taken over.
  /// Errors: kRefused when it has entries and no marker of ours or that of another system, kInUse (naming the
  /// run) while another EmbeddedHome holds it, kInvalidArgument for a `run_id` that is none.
  static Result<EmbeddedHome> open(const std::filesystem::path& home, const std::string& system,
                                   const std::string& run_id);

  /// What open and remove would meet: a folder of ours, or one that is missing or empty. Changes nothing; the
  /// lock is held for the moment of looking. Errors: those of open and remove.
  static Result<HomeContents> look(const std::filesystem::path& home, const std::string& system);

  /// What is there, whose it may be, by the names alone: `ours` where anything has the marker's name. Nothing
  /// of a folder that is missing.
  static Result<HomeContents> contents(const std::filesystem::path& home);

  /// The system that the marker of a folder names; nothing where there is no marker of ours or no name.
  static std::optional<std::string> system_of(const std::filesystem::path& home);

  const std::filesystem::path& data() const noexcept { return data_; }

  /// Removes everything in data() and leaves it empty and synced. Errors: kRefused when the marker is gone or
  /// data is no folder of its own; kTimeout and kCancelled between two files.
  Status empty_data(const CallContext& call = {}) const;

  /// Removes data and marker and, when then empty, the folder: what others have there stays. Missing is fine.
  /// Errors: as open.
  static Status remove(const std::filesystem::path& home, const std::string& system);

 private:
  EmbeddedHome(std::filesystem::path home, FileHandle marker);
  std::filesystem::path home_;
  std::filesystem::path data_;
  FileHandle marker_;  // Holds the lock.
};

}  // namespace lab
