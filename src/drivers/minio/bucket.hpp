// What is done with one bucket: made, listed by all its pages, emptied, dropped.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>

#include "drivers/minio/client.hpp"
#include "drivers/minio/xml.hpp"

namespace lab::minio {

/// The object that says that a bucket is ours. It holds the lock, and it is not counted as data.
inline constexpr const char* kMarkerKey = ".deduplab-marker";

enum class Versioning : std::uint8_t { kNever, kEnabled, kSuspended };

class Bucket {
 public:
  /// Both are borrowed. `operation` begins the text of each error.
  Bucket(Client& client, std::string name, const CallContext& call, const char* operation)
      : client_(client), name_(std::move(name)), call_(call), operation_(operation) {}

  const std::string& name() const noexcept { return name_; }

  Result<bool> exists() const;
  /// Errors: kRefused for a bucket that is there.
  Status create(const std::string& region) const;
  /// Some servers drop a bucket that is not empty, so look at its marker first.
  Status drop() const;

  Result<Versioning> versioning() const;
  /// Errors: kUnsupported where the server has no versioning.
  Status enable_versioning() const;

  /// All pages of its objects, the marker left out, in the order of their keys.
  Status each_page(const std::function<Status(std::span<const ListedObject>)>& take) const;
  Status each_version_page(const std::function<Status(std::span<const ListedVersion>)>& take) const;

  /// Up to 1,000 keys, or versions of keys, in one request; the answer must name each as deleted.
  Status remove(std::span<const ListedVersion> versions) const;

  /// The system's own logical delete: all objects by multi-object deletes. In a versioned bucket their data
  /// stays below delete markers.
  Status remove_objects() const;
  /// Deletes the versions that are not current, and all delete markers; how many of them were not the
  /// marker's.
  Result<std::uint64_t> remove_noncurrent() const;
  /// Everything but the marker, in all versions; unfinished uploads too.
  Status empty() const;
  /// The marker, in all versions: the last thing that is deleted.
  Status remove_marker() const;
  /// Unfinished multipart uploads.
  Result<std::vector<ListedUpload>> uploads() const;
  Status abort_uploads() const;

 private:
  Status remove_versions(const std::function<bool(const ListedVersion&)>& goes, std::uint64_t& removed) const;
  Request request(std::string method, std::map<std::string, std::string> query = {}) const;

  Client& client_;
  std::string name_;
  const CallContext& call_;
  const char* operation_;
};

}  // namespace lab::minio
