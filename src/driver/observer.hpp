// What a system tells about itself: identity, settings, busy counters, activity, its own size figure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "model/record.hpp"

namespace lab {

/// Which part of the system's bytes a file holds. Others: data of somebody else on the same server, and
/// nothing of ours; where it grows, `files` are not known better than that (stage/others.hpp).
enum class FilePart : std::uint8_t { kPayload, kIndex, kLog, kMeta, kOthers };
std::string_view to_string(FilePart part) noexcept;  // "payload", "index", "log", "meta", "others"

/// One activity counter, cheap enough to be read ten times a second.
struct Counter {
  std::string name{};
  double value = 0;
  std::string unit{};  // "bytes", "pages", "1", ...; "failures": of background work (stage/background.hpp).
};

/// A connection of its own beside the driver's; same rules for calls. Not thread-safe.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual Result<ServerIdentity> identity(const CallContext&) = 0;

  /// Settings that differ from the system's defaults, the lab's own choices included.
  virtual Result<std::map<std::string, std::string>> settings(const CallContext&) = 0;

  /// Background work that still goes on: name -> how much. Quiet when every value is 0; an empty map where
  /// the driver declares no background work.
  virtual Result<std::map<std::string, double>> busy(const CallContext&) = 0;

  virtual Result<std::vector<Counter>> activity(const CallContext&) = 0;

  /// The engine's own figure. Errors: kUnsupported where it has none.
  virtual Result<Footprint> footprint(const CallContext&) = 0;

  /// Folders that hold all files of the lab's namespace on the local machine; empty where there are none
  /// here.
  virtual Result<std::vector<std::filesystem::path>> directories(const CallContext&) = 0;

  /// Part of a file below one of `directories()`, by its path relative to that folder; nothing where the
  /// engine keeps several parts in that one file (the parts then come from the engine's figure).
  virtual std::optional<FilePart> part_of(const std::filesystem::path& relative) const = 0;

  /// Bytes by which the system's files grow at a time (page, extent), for the systematic error.
  virtual Bytes quantum() const = 0;

  /// Application copies of each object, measured.
  virtual Result<double> copies(const CallContext&) = 0;

  /// The system's own seconds by statement class since it started; empty where it keeps none.
  virtual Result<std::map<std::string, double>> statement_seconds(const CallContext&) = 0;
};

}  // namespace lab
