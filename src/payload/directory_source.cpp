// Scanning a directory into a pool of distinct contents, and reading its files again as payloads.
// SPDX-License-Identifier: Apache-2.0
#include "payload/directory_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <map>
#include <mutex>
#include <new>
#include <numeric>
#include <set>
#include <span>

#include "core/files.hpp"
#include "core/random.hpp"
#include "payload/content_stream.hpp"
#include "payload/folder_listing.hpp"

namespace lab {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNamesMax = 10;          // Of each sort, in the report.
constexpr std::size_t kReadBytes = 1U << 20U;  // Read at once; large enough to keep a disk busy.
constexpr std::string_view kOtherMime = "application/octet-stream";

struct MimeType {
  std::string_view extension{};
  std::string_view mime{};
};
constexpr std::array<MimeType, 30> kMimeTypes = {{
    {"bmp", "image/bmp"},         {"css", "text/css"},          {"csv", "text/csv"},
    {"eml", "message/rfc822"},    {"gif", "image/gif"},         {"gz", "application/gzip"},
    {"htm", "text/html"},         {"html", "text/html"},        {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},        {"js", "text/javascript"},    {"json", "application/json"},
    {"md", "text/markdown"},      {"mp3", "audio/mpeg"},        {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},         {"pdf", "application/pdf"},   {"png", "image/png"},
    {"svg", "image/svg+xml"},     {"tar", "application/x-tar"}, {"tif", "image/tiff"},
    {"tiff", "image/tiff"},       {"txt", "text/plain"},        {"wav", "audio/wav"},
    {"webm", "video/webm"},       {"webp", "image/webp"},       {"xml", "application/xml"},
    {"yaml", "application/yaml"}, {"zip", "application/zip"},   {"zst", "application/zstd"},
}};

Error with_path(Error error, const char* operation) {
  error.operation = operation;
  return error;
}

// --- Scanning ---

std::vector<std::string> first_names(const std::vector<std::string>& names) {
  return {names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kNamesMax))};
}

Result<PoolFile> hash_file(const fs::path& root, const std::string& name, std::span<std::byte> buffer) {
  const fs::path path = root / name;
  auto file = open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!file) return with_path(std::move(file).error(), "payload.directory");
  Sha256 hash;
  PoolFile read{.name = name};
  LAB_TRY(read_pieces(*file, path, buffer, [&](std::span<const std::byte> bytes) {
    hash.update(bytes);
    read.size += Bytes{std::ssize(bytes)};
    return ok();
  }));
  read.digest = hash.digest();
  return read;
}

Result<std::shared_ptr<const DirectoryPool>> scan(const fs::path& root) {
  auto listed = list_folder(root);
  if (!listed) return std::move(listed).error();
  const FolderListing& listing = *listed;

  auto pool = std::make_shared<DirectoryPool>();
  pool->root = root;
  DirectoryReport& report = pool->report;
  report.path = root.string();
  report.files = listing.files.size();
  report.symlinks = listing.symlinks.size();
  report.specials = listing.specials.size();
  report.symlink_names = first_names(listing.symlinks);
  report.special_names = first_names(listing.specials);

  std::set<Digest> seen;
  std::vector<std::byte> buffer(kReadBytes);
  for (const std::string& name : listing.files) {
    auto file = hash_file(root, name, buffer);
    if (!file) return std::move(file).error();
    report.bytes += file->size;
    if (seen.insert(file->digest).second) {
      report.distinct_bytes += file->size;
      pool->files.push_back(std::move(*file));
    } else {
      report.duplicates += 1;
      if (report.duplicate_names.size() < kNamesMax) report.duplicate_names.push_back(name);
    }
  }
  report.distinct = pool->files.size();
  return std::shared_ptr<const DirectoryPool>(std::move(pool));
}

// --- Reading ---

class DirectorySource final : public ContentSource {
 public:
  DirectorySource(std::shared_ptr<const DirectoryPool> pool, std::uint64_t dataset_seed)
      : pool_(std::move(pool)), order_(pool_->files.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    Random random(derive_seed(dataset_seed, Purpose::kPool));
    shuffle(std::span(order_), random);
  }

  std::uint64_t contents_max() const override { return order_.size(); }

  Result<Bytes> size_of(std::uint64_t content) const override {
    if (content >= order_.size()) return no_such(content);
    return file_of(content).size;
  }

  std::string_view mime_of(std::uint64_t content) const override {
    return content < order_.size() ? mime_of_name(file_of(content).name) : kOtherMime;
  }

  Status fill(std::uint64_t content, std::vector<std::byte>& out) const override try {
    if (content >= order_.size()) return no_such(content);
    const PoolFile& known = file_of(content);
    const fs::path path = pool_->root / known.name;
    auto file = open_file(path, O_RDONLY | O_NOFOLLOW);
    if (!file && file.error().code == ErrorCode::kNotFound) return changed(path);
    if (!file) return with_path(std::move(file).error(), "payload.directory");
    // The size first: a file that has grown without bounds is not read into memory.
    struct stat info{};
    if (::fstat(file->get(), &info) != 0) return errno_error("payload.directory", path.string(), errno);
    if (info.st_size != known.size.count) return changed(path);
    out.resize(static_cast<std::size_t>(known.size.count));
    std::size_t filled = 0;
    while (filled < out.size()) {
      const ssize_t got = ::read(file->get(), out.data() + filled, out.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error("payload.directory", path.string(), errno);
      if (got == 0) return changed(path);
      filled += static_cast<std::size_t>(got);
    }
    return sha256(out) == known.digest ? ok() : changed(path);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResourceExhausted, "payload.directory",
                 fmt::format("no memory for a file of {}", format_bytes(file_of(content).size))};
  }

 private:
  const PoolFile& file_of(std::uint64_t content) const { return pool_->files[order_[content]]; }

  Error no_such(std::uint64_t content) const {
    return {ErrorCode::kInvalidArgument, "payload.directory",
            fmt::format("content {} of {} distinct files", content, order_.size())};
  }

  static Status changed(const fs::path& path) {
    return Error{ErrorCode::kCorruption, "payload.directory",
                 path.string() + ": changed or removed since it was scanned"};
  }

  std::shared_ptr<const DirectoryPool> pool_;
  std::vector<std::size_t> order_;
};

}  // namespace

Result<std::shared_ptr<const DirectoryPool>> scan_directory(const fs::path& path) {
  std::error_code failure;
  const fs::path root = fs::canonical(path, failure);
  if (failure) return errno_error("payload.directory", path.string(), failure.value());
  if (!fs::is_directory(root, failure))
    return Error{ErrorCode::kInvalidArgument, "payload.directory", root.string() + ": not a directory"};

  // One scan a process: hashing a large tree takes minutes, and a plan makes dozens of datasets of it.
  static std::mutex guard;
  static std::map<fs::path, std::shared_ptr<const DirectoryPool>> pools;
  const std::lock_guard lock(guard);
  if (const auto known = pools.find(root); known != pools.end()) return known->second;
  auto pool = scan(root);
  if (pool) pools.emplace(root, *pool);
  return pool;
}

std::unique_ptr<const ContentSource> make_directory_source(std::shared_ptr<const DirectoryPool> pool,
                                                           std::uint64_t dataset_seed) {
  return std::make_unique<const DirectorySource>(std::move(pool), dataset_seed);
}

std::string_view mime_of_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return kOtherMime;
  std::string extension(name.substr(dot + 1));
  for (char& letter : extension) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  const auto known = std::ranges::find(kMimeTypes, std::string_view(extension), &MimeType::extension);
  return known == kMimeTypes.end() ? kOtherMime : known->mime;
}

}  // namespace lab
