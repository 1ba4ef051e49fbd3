// The folder of an embedded system: a marker that it is ours, and the engine's files below it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "core/files.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace lab {

/// HOME/.deduplab holds the run's id and the system's name; the engine's files lie in HOME/data. A folder
/// with entries but without the marker is never touched, nor one whose marker names another system; a marker
/// without a name, as earlier versions wrote it, is that of any system. While an EmbeddedHome lives, its
/// folder is locked (flock on the marker).
class EmbeddedHome {
 public:
  /// Makes the folder when missing; a folder that an earlier run of the same system left is taken over.
  /// Errors: kRefused when it has entries and no marker or that of another system, kInUse (naming the run)
  /// while another EmbeddedHome holds it.
  static Result<EmbeddedHome> open(const std::filesystem::path& home, const std::string& system,
                                   const std::string& run_id);

  /// What open and remove would meet: true for a folder of ours, false for one that is missing or empty.
  /// Changes nothing; the lock is held for the moment of looking. Errors: those of open and remove.
  static Result<bool> look(const std::filesystem::path& home, const std::string& system);

  const std::filesystem::path& data() const noexcept { return data_; }

  /// Removes everything in data() and leaves it empty and synced. Errors: kRefused when the marker is gone or
  /// data is no folder of its own; kTimeout and kCancelled between two files.
  Status empty_data(const CallContext& call = {}) const;

  /// Removes data and marker and, when then empty, the folder. Missing is fine. Errors: as open.
  static Status remove(const std::filesystem::path& home, const std::string& system);

 private:
  EmbeddedHome(std::filesystem::path home, FileHandle marker);
  std::filesystem::path home_;
  std::filesystem::path data_;
  FileHandle marker_;  // Holds the lock.
};

}  // namespace lab
