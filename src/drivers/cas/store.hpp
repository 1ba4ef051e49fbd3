// The content-addressed store: contents as files, references in the index, both also in memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "driver/driver.hpp"
#include "driver/embedded_home.hpp"
#include "drivers/cas/index_file.hpp"

namespace lab::cas {

/// Thread-safe: one lock, held while a change is written.
class Store {
 public:
  static Result<std::unique_ptr<Store>> open(EmbeddedHome home, std::uint32_t containers);

  /// Empties the folder and makes it as new.
  Status reset(const CallContext& call);

  /// Writes the contents that are not there, then appends one record an object. All or nothing.
  Status put(const CallContext& call, std::span<const Object> objects);

  /// Appends a tombstone for each key. Nothing is erased when one of them is not there (kNotFound).
  Status erase(const CallContext& call, std::span<const ObjectKey> keys);
  Status erase_all(const CallContext& call);

  /// Writes the index without tombstones, then removes every content without a reference.
  Result<MaintenanceOutcome> collect_garbage(const CallContext& call);

  Result<std::string> get(const CallContext& call, const PlacedId& key) const;
  Status read_all(const CallContext& call, const ObjectSink& sink) const;
  Status sync(const CallContext& call) const;

  struct Figures {
    std::atomic<std::uint64_t> objects{0};
    std::atomic<std::uint64_t> contents{0};  // Files, with and without a reference.
    std::atomic<std::int64_t> content_bytes{0};
    std::atomic<std::int64_t> index_bytes{0};
    std::atomic<std::uint64_t> duplicates_met{0};  // Puts whose content was there.
    std::atomic<std::uint64_t> tombstones{0};
  };
  const Figures& figures() const noexcept { return figures_; }
  std::filesystem::path data() const { return home_.data(); }

 private:
  struct Content {
    std::uint64_t references = 0;
    std::uint64_t size = 0;
  };
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const noexcept { return leading_u64(digest); }
  };

  Store(EmbeddedHome home, std::uint32_t containers) : home_(std::move(home)), containers_(containers) {}
  Status load();
  void apply(const IndexRecord& record);
  Status append(std::span<const IndexRecord> records);
  Status write_missing(const CallContext& call, std::span<const IndexRecord> records,
                       std::span<const Object> objects, std::unordered_set<Digest, DigestHash>& written);
  Status write_content(const CallContext& call, const Digest& digest, std::span<const std::byte> payload,
                       bool sync);
  Result<std::uint64_t> remove_unreferenced(const CallContext& call);
  std::filesystem::path path_of(const Digest& digest) const;
  std::optional<Digest> digest_of(const PlacedId& key) const;

  EmbeddedHome home_;
  std::uint32_t containers_;
  mutable std::mutex mutex_{};
  std::optional<IndexFile> index_{};
  std::unordered_map<PlacedId, Digest, PlacedIdHash> objects_{};
  std::unordered_map<Digest, Content, DigestHash> contents_{};
  Figures figures_{};
};

}  // namespace lab::cas
