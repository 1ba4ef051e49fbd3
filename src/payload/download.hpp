// Fetches a list of files into the folder of real data: each is there as a whole and checked, or not at all.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>

#include "core/retry.hpp"
#include "core/time.hpp"
#include "payload/download_list.hpp"

namespace lab {

struct DownloadSetting {
  std::filesystem::path folder{};                 // real_world_dir: a file goes to its place() below it.
  std::optional<std::filesystem::path> mirror{};  // A folder that has the same; then no network is used.
  RetryPolicy retry{};
  std::chrono::seconds silence_max{30};  // Without a byte for so long, a connection is lost.
  TimeSource* time = &real_time();       // Of the pauses between attempts.
};

struct DownloadTally {
  std::uint64_t there = 0;    // Files that were there, and right.
  std::uint64_t copied = 0;   // From the mirror.
  std::uint64_t fetched = 0;  // Over the network.
  Bytes received{};           // Of these two, in this call.
};

/// Called now and then with the bytes of one file that are there.
using DownloadProgress = std::function<void(const Download& download, Bytes there)>;

/// In the order of the list. What was cut goes on where it was cut, in this call and in a later one. Errors:
/// the first that no attempt gets over. kConnectionLost names all files that are missing and where to put
/// them; kNotFound (the server or the mirror has no such file), kCorruption (other bytes than the list says;
/// also in the folder: no file of yours is replaced), kRefused (a redirect to an address that is not safe),
/// kInUse (another process fetches the same file), kTimeout, kCancelled, errno's.
Result<DownloadTally> download_all(std::span<const Download> downloads, const DownloadSetting& setting,
                                   const CallContext& call, const DownloadProgress& progress);

/// Fetches a file of which the address alone is known, puts it in its place and says what it measured: the
/// first bytes that come are believed. A list with what it gives holds later ones against them. Errors: as
/// download_all; kRefused where a file of that name is there, since nobody knows whether it is the right one.
Result<Download> fetch_unknown(const Download& download, const DownloadSetting& setting,
                               const CallContext& call, const DownloadProgress& progress);

}  // namespace lab
