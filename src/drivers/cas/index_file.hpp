// The append-only index of the cas system: which object has which content.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "driver/placed_id.hpp"

namespace lab::cas {

/// A reference made or dropped. On disk: 72 bytes, integers little-endian - kind ('P' or 'D'), three 0 bytes,
/// u32 container, u64 size, id, SHA-256 of the content, first 8 bytes of the SHA-256 of the 64 before.
struct IndexRecord {
  enum class Kind : std::uint8_t { kPut, kDrop };
  Kind kind = Kind::kPut;
  PlacedId key{};
  std::uint64_t size = 0;
  Digest digest{};
  friend bool operator==(const IndexRecord&, const IndexRecord&) = default;
};

/// Not thread-safe.
class IndexFile {
 public:
  using Visitor = std::function<void(const IndexRecord&)>;

  /// Opens or makes the file and visits its records in order. A torn tail (a write that was never
  /// acknowledged) is cut off. Errors: kCorruption when a bad record stands before a good one or the file is
  /// no index; errno's.
  static Result<IndexFile> open(const std::filesystem::path& path, const Visitor& visit);

  /// Durable (fdatasync) when it returns; after an error the file is as before.
  Status append(std::span<const IndexRecord> records);

  /// Replaces the whole file atomically.
  Status rewrite(std::span<const IndexRecord> records);

  Bytes size() const noexcept { return size_; }

 private:
  explicit IndexFile(std::filesystem::path path) : path_(std::move(path)) {}
  Status start();

  std::filesystem::path path_;
  FileHandle file_{};
  Bytes size_{};
};

}  // namespace lab::cas
