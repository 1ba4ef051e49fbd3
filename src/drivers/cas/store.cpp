// Contents, references and the removal of contents that nothing refers to.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/cas/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>

namespace lab::cas {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 16U << 20U;  // Written between two looks at deadline and stop.
constexpr unsigned kFolders = 256;          // By the first byte of the digest.

Status write_file(const CallContext& call, const fs::path& path, std::span<const std::byte> payload,
                  bool sync) {
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return file.error();
  while (!payload.empty()) {
    LAB_TRY(allowed(call, "cas.write"));
    const auto piece = payload.first(std::min(kPiece, payload.size()));
    LAB_TRY(write_all(*file, as_text(piece), path));
    payload = payload.subspan(piece.size());
  }
  if (sync && ::fsync(file->get()) != 0) return errno_error("fsync", path.string(), errno);
  return ok();
}

Error missing(const char* operation, const ObjectId& id) {
  return {ErrorCode::kNotFound, operation, format_uuid(id)};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(EmbeddedHome home, std::uint32_t containers) {
  std::unique_ptr<Store> store(new Store(std::move(home), containers));
  LAB_TRY(store->load());
  return store;
}

Status Store::load() {
  index_.reset();
  objects_.clear();
  contents_.clear();
  figures_.objects = 0;
  figures_.contents = 0;
  figures_.content_bytes = 0;
  for (unsigned folder = 0; folder < kFolders; ++folder)
    LAB_TRY(make_directories(data() / "objects" / fmt::format("{:02x}", folder)));
  auto index = IndexFile::open(data() / "index", [this](const IndexRecord& record) { apply(record); });
  if (!index) return std::move(index).error();
  index_ = std::move(*index);
  figures_.index_bytes = index_->size().count;
  LAB_TRY(sync_directory(data() / "objects"));
  return sync_directory(data());
}

Status Store::reset(const CallContext& call) {
  const std::lock_guard lock(mutex_);
  index_.reset();
  LAB_TRY(home_.empty_data(call));
  return load();
}

void Store::apply(const IndexRecord& record) {
  if (const auto held = objects_.find(record.key); held != objects_.end()) {
    contents_[held->second].references -= 1;
    objects_.erase(held);
  }
  if (record.kind == IndexRecord::Kind::kPut) {
    const auto [content, is_new] =
        contents_.try_emplace(record.digest, Content{.references = 0, .size = record.size});
    content->second.references += 1;
    objects_.emplace(record.key, record.digest);
    if (is_new) {
      figures_.contents += 1;
      figures_.content_bytes += static_cast<std::int64_t>(record.size);
    } else {
      figures_.duplicates_met += 1;
    }
  } else {
    figures_.tombstones += 1;
  }
  figures_.objects = objects_.size();
}

Status Store::append(std::span<const IndexRecord> records) {
  if (!index_) return Error{ErrorCode::kIo, "cas.index", "the index is not open: a reset before failed"};
  LAB_TRY(index_->append(records));
  for (const IndexRecord& record : records) apply(record);
  figures_.index_bytes = index_->size().count;
  return ok();
}

fs::path Store::path_of(const Digest& digest) const {
  const std::string name = to_hex(digest);
  return data() / "objects" / name.substr(0, 2) / name;
}

Status Store::write_content(const CallContext& call, const Digest& digest, std::span<const std::byte> payload,
                            bool sync) {
  const fs::path path = path_of(digest);
  const fs::path temporary = path.parent_path() / (".tmp-" + path.filename().string());
  Status written = write_file(call, temporary, payload, sync);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = errno_error("cas.rename", path.string(), errno);
  if (!written) ::unlink(temporary.c_str());
  if (written && sync) return sync_directory(path.parent_path());
  return written;
}

Status Store::write_missing(const CallContext& call, std::span<const IndexRecord> records,
                            std::span<const Object> objects,
                            std::unordered_set<Digest, DigestHash>& written) {
  const bool one = objects.size() == 1;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const Digest& digest = records[i].digest;
    if (contents_.contains(digest) || written.contains(digest)) continue;
    LAB_TRY(write_content(call, digest, objects[i].payload, one));
    written.insert(digest);
  }
  // Many files: one syncfs costs less than a sync of each file and folder.
  if (!one && !written.empty()) return sync_file_system(data());
  return ok();
}

Status Store::put(const CallContext& call, std::span<const Object> objects) {
  std::vector<IndexRecord> records;
  records.reserve(objects.size());
  for (const Object& object : objects) {
    LAB_TRY(allowed(call, "cas.put"));
    LAB_TRY(check_container(object.container, containers_, "cas.put"));
    // Hashed here, not taken from the object: the address is the store's own promise.
    records.push_back({.kind = IndexRecord::Kind::kPut,
                       .key = {object.container, object.id},
                       .size = object.payload.size(),
                       .digest = sha256(object.payload)});
  }
  const std::lock_guard lock(mutex_);
  std::unordered_set<Digest, DigestHash> written;
  Status status = write_missing(call, records, objects, written);
  if (status) status = append(records);
  if (!status)
    for (const Digest& digest : written) ::unlink(path_of(digest).c_str());
  return status;
}

Status Store::erase(const CallContext& call, std::span<const ObjectKey> keys) {
  LAB_TRY(allowed(call, "cas.erase"));
  const std::lock_guard lock(mutex_);
  std::vector<IndexRecord> records;
  records.reserve(keys.size());
  for (const ObjectKey& key : keys) {
    const PlacedId placed{key.container, key.id};
    if (!objects_.contains(placed)) return missing("cas.erase", key.id);
    records.push_back({.kind = IndexRecord::Kind::kDrop, .key = placed});
  }
  return append(records);
}

Status Store::erase_all(const CallContext& call) {
  LAB_TRY(allowed(call, "cas.erase_all"));
  const std::lock_guard lock(mutex_);
  std::vector<IndexRecord> records;
  records.reserve(objects_.size());
  for (const auto& [key, digest] : objects_)
    records.push_back({.kind = IndexRecord::Kind::kDrop, .key = key});
  return append(records);
}

/// Walks the folders, not the map: so files that an interrupted put left are found too.
Result<std::uint64_t> Store::remove_unreferenced(const CallContext& call) {
  std::unordered_map<std::string, Digest> known;
  known.reserve(contents_.size());
  for (const auto& [digest, content] : contents_) known.emplace(to_hex(digest), digest);
  std::uint64_t removed = 0;
  for (unsigned folder = 0; folder < kFolders; ++folder) {
    const fs::path path = data() / "objects" / fmt::format("{:02x}", folder);
    std::error_code failure;
    fs::directory_iterator entry(path, failure);
    for (; !failure && entry != fs::directory_iterator{}; entry.increment(failure)) {
      LAB_TRY(allowed(call, "cas.maintain"));
      const auto found = known.find(entry->path().filename().string());
      if (found != known.end()) {
        const auto content = contents_.find(found->second);
        if (content->second.references > 0) continue;
        // Forgotten before it is gone: a put after an interruption here must write it anew.
        figures_.contents -= 1;
        figures_.content_bytes -= static_cast<std::int64_t>(content->second.size);
        contents_.erase(content);
      }
      if (::unlink(entry->path().c_str()) != 0)
        return errno_error("cas.unlink", entry->path().string(), errno);
      ++removed;
    }
    if (failure) return errno_error("cas.list", path.string(), failure.value());
  }
  return removed;
}

Result<MaintenanceOutcome> Store::collect_garbage(const CallContext& call) {
  LAB_TRY(allowed(call, "cas.maintain"));
  const std::lock_guard lock(mutex_);
  if (!index_) return Error{ErrorCode::kIo, "cas.index", "the index is not open: a reset before failed"};
  std::vector<IndexRecord> live;
  live.reserve(objects_.size());
  for (const auto& [key, digest] : objects_)
    live.push_back({.key = key, .size = contents_.at(digest).size, .digest = digest});
  const Bytes index_before = index_->size();
  // The index first: after a crash between the two no record names a content that is gone.
  LAB_TRY(index_->rewrite(live));
  figures_.index_bytes = index_->size().count;
  const auto removed = remove_unreferenced(call);
  if (!removed) return removed.error();
  LAB_TRY(sync_file_system(data()));
  return MaintenanceOutcome{fmt::format("garbage collection: {} contents removed, index {} -> {} bytes",
                                        *removed, index_before.count, index_->size().count),
                            *removed > 0 || index_->size() < index_before};
}

std::optional<Digest> Store::digest_of(const PlacedId& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return std::nullopt;
  return found->second;
}

Result<std::string> Store::get(const CallContext& call, const PlacedId& key) const {
  LAB_TRY(allowed(call, "cas.get"));
  const auto digest = digest_of(key);
  if (!digest) return missing("cas.get", key.id);
  return read_file(path_of(*digest), Bytes{INT64_MAX});
}

Status Store::read_all(const CallContext& call, const ObjectSink& sink) const {
  LAB_TRY(allowed(call, "cas.read_all"));
  std::vector<std::pair<PlacedId, Digest>> objects;
  {
    const std::lock_guard lock(mutex_);
    objects.assign(objects_.begin(), objects_.end());
  }
  for (const auto& [key, digest] : objects) {
    LAB_TRY(allowed(call, "cas.read_all"));
    const auto payload = read_file(path_of(digest), Bytes{INT64_MAX});
    if (!payload) return payload.error();
    LAB_TRY(sink(key.id, key.container, as_bytes(*payload)));
  }
  return allowed(call, "cas.read_all");
}

Status Store::sync(const CallContext& call) const {
  LAB_TRY(allowed(call, "cas.flush"));
  return sync_file_system(data());
}

}  // namespace lab::cas
