// How many copies of each known original lie in some files, whatever the layout around its bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"
#include "scan/census_index.hpp"
#include "scan/gear.hpp"

namespace lab {

/// The bytes of an original that was added, by its number; borrowed until the next call.
using BytesOf = std::function<Result<std::span<const std::byte>>(std::uint64_t number)>;

/// What was found of one original, in all files.
struct OriginalFound {
  Bytes located{};                 // Bytes that are the original's, each byte of a file at most once.
  std::uint64_t whole_copies = 0;  // How often its least frequent part was found.
};

struct OriginalCount {
  std::uint64_t number = 0;
  Bytes size{};
  std::uint64_t expected_copies = 0;     // Itself and what copies it.
  std::optional<OriginalFound> found{};  // Absent: no slice of it is its own, so nothing can be said.
};

struct ClassCount {
  Bytes scanned{};
  Bytes located{};
};

struct CensusResult {
  std::vector<OriginalCount> originals{};  // In the order of adding.
  std::vector<ClassCount> classes{};       // By file class.
  Bytes expected{};                        // Of the countable originals: size times expected copies.
  Bytes located{};
  std::uint64_t uncountable = 0;       // Originals without a slice of their own.
  std::uint64_t not_found = 0;         // Countable, and not a byte located: compressed, encrypted, or gone.
  std::uint64_t slices = 0;            // Usable ones.
  std::uint64_t ambiguous_slices = 0;  // In several originals or several times in one; not used.
  std::uint64_t false_hits = 0;        // Slices whose bytes were others after all.
  std::uint64_t slice_distance = 0;    // One slice in so many bytes, on average in random data.
  Bytes memory_per_slice{};
};

/// Add the originals, freeze, then file after file: begin_file, scan in spans of any length, end_file. Spans
/// do not change the result. Opens no file and keeps no payload: the caller gives the bytes again where a
/// slice was found. After an error it is of no use any more. Not thread-safe.
class Census {
 public:
  /// `memory` bounds the slices; counters take up to 256 bytes an original besides, buffers 0.4 MiB.
  /// Errors: kInvalidArgument below 4 KiB or above 64 GiB.
  static Result<Census> make(Bytes memory, BytesOf bytes_of);

  /// Errors: kInvalidArgument for an original of 4 GiB or more; kResourceExhausted.
  Status add_original(std::uint64_t number, std::uint64_t expected_copies, std::span<const std::byte> bytes);
  void freeze();

  void begin_file(std::uint32_t file_class);
  Status scan(std::span<const std::byte> bytes);  // Errors: those of bytes_of; kCorruption if a size changed.
  /// As scan() of so many zeros. What is in the middle of many is not looked at: nothing begins or ends
  /// there.
  Status zeros(std::uint64_t count);
  Status end_file();

  CensusResult result() const;

 private:
  struct Original {
    std::uint64_t number = 0;
    std::uint64_t size = 0;
    std::uint64_t expected = 0;
    std::uint64_t located = 0;
    std::size_t first_part = 0;
  };
  /// Where a match stands: the next byte of the file would be the next one of the original.
  struct Match {
    std::uint32_t original = 0;
    std::uint64_t file = 0;
    std::uint64_t offset = 0;
  };

  Census(Bytes memory, BytesOf bytes_of);
  Status work(bool last);
  bool in_zeros() const;
  Status try_slice(const Candidate& candidate, bool last);
  Status load(std::uint32_t original);
  void extend_back(Match match);
  bool follow(Match& match, bool last);
  bool jump(Match& match) const;
  void credit(std::uint32_t original, std::uint64_t begin, std::uint64_t end);
  std::uint64_t file_end() const { return base_ + buffer_.size(); }
  const std::byte* at(std::uint64_t file) const { return buffer_.data() + (file - base_); }

  SliceIndex index_;
  BytesOf bytes_of_;
  std::vector<Original> originals_{};
  std::vector<std::uint64_t> parts_{};  // Located bytes of each part of each original.
  std::vector<ClassCount> classes_{};
  std::uint64_t false_hits_ = 0;
  bool frozen_ = false;

  std::optional<std::uint32_t> loaded_{};
  std::span<const std::byte> known_{};  // The bytes of the loaded original.

  std::uint32_t file_class_ = 0;
  std::optional<GearScan> gear_{};
  std::vector<std::byte> buffer_{};  // Some of what was scanned, and what was not yet.
  std::uint64_t base_ = 0;           // Where the buffer begins in the file.
  std::uint64_t claimed_ = 0;        // Up to here each byte has been given to an original, or to none.
  std::vector<Candidate> candidates_{};
  std::optional<Match> open_{};  // A match that the end of the buffer has cut off.
};

}  // namespace lab
