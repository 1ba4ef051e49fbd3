// What stands in a lease file, and whether its holder still lives. Known to this folder alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/units.hpp"
#include "journal/lease.hpp"

namespace lab::journal_lease {

/// The content of a lease file.
struct Claim {
  HolderIdentity holder{};
  std::string run_id{};
  std::string token{};                 // Of one acquisition: tells our file from anybody else's.
  std::int64_t heartbeat_ms = 0;       // Wall clock of its holder.
  std::int64_t heartbeat_boot_ms = 0;  // Since its holder's boot, sleep included: no clock setting moves it.
};

/// CLOCK_BOOTTIME.
std::int64_t boot_time_ms();

std::string to_text(const Claim& claim);

/// A lease file as it was found.
struct FoundClaim {
  std::string bytes{};
  std::optional<Claim> claim{};     // Nothing where the bytes are no claim.
  std::int64_t written_ms = 0;      // Its modification time: the file server's clock.
  std::string name() const;         // The token, or what stands for it: file-name safe.
  std::string description() const;  // "pid 12 on host h (run r), heartbeat 3.0 s ago"
};

/// Nothing when there is no file.
Result<std::optional<FoundClaim>> find_claim(const std::filesystem::path& file);

enum class Life : std::uint8_t {
  kAlive,
  kGone,
  kUnclear,  // Only watching the file can tell.
};

/// `server_now_ms` is the time of the clock that stamps files in this directory, or nothing when unknown.
///
/// Gone:    its process ended, which only the same boot and pid namespace can tell; or its heartbeat is older
///          than `expiry`: on the same boot by the time since boot, else by our wall clock and by the file
///          server's, since one machine's clock may be wrong.
/// Unclear: the bytes are no claim, the heartbeat lies more than `expiry` in the future, or the clocks
/// disagree.
Life judge(const FoundClaim& found, const HolderIdentity& self, Millis expiry,
           std::optional<std::int64_t> server_now_ms);

}  // namespace lab::journal_lease
