// Writing a whole dataset into a directory with its manifest, all or nothing.
// SPDX-License-Identifier: Apache-2.0
#include "payload/manifest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "payload/manifest_writer.hpp"
#include "payload/write_objects.hpp"

namespace lab {

namespace fs = std::filesystem;

namespace {

constexpr const char* kManifestName = "manifest.jsonl";

/// What was made on the way, and how to take it back.
class Undo {
 public:
  explicit Undo(fs::path directory) : directory_(std::move(directory)) {}
  ~Undo() {
    if (kept_) return;
    // The error that led here is the one to report; what cannot be removed stays visible to the user.
    ignore(remove_tree(directory_ / "objects"), "an earlier error is reported");
    ::unlink((directory_ / kManifestName).c_str());
    for (const fs::path& folder : made_) ::rmdir(folder.c_str());  // Only if empty: others may have used it.
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;

  /// Remembers which folders of the path are missing, the innermost first.
  void note_missing() {
    std::error_code unknown;
    for (fs::path folder = directory_; !folder.empty() && !fs::exists(folder, unknown);
         folder = folder.parent_path())
      made_.push_back(folder);
  }
  void keep() { kept_ = true; }

 private:
  fs::path directory_;
  std::vector<fs::path> made_{};
  bool kept_ = false;
};

/// The path without a slash at its end and without "." parts, so that its parents are its parents.
Result<fs::path> target_of(const fs::path& directory) {
  std::error_code failure;
  fs::path target = fs::absolute(directory, failure).lexically_normal();
  if (failure) return errno_error("generate", directory.string(), failure.value());
  if (!target.has_filename()) target = target.parent_path();
  const fs::file_status status = fs::status(target, failure);
  if (!fs::exists(status)) return target;
  if (!fs::is_directory(status))
    return Error{ErrorCode::kRefused, "generate", target.string() + ": exists and is not a directory"};
  const auto used = has_entries(target);
  if (!used) return used.error();
  if (*used)
    return Error{ErrorCode::kRefused, "generate",
                 target.string() + ": not empty; name a new or an empty directory"};
  return target;
}

}  // namespace

void GenerateSummary::add(const ObjectFacts& facts, Bytes size) {
  objects += 1;
  logical += size;
  if (facts.copy_of) return;
  distinct += 1;
  unique += size;
}

std::string manifest_line(const ObjectFacts& facts, std::string_view mime, Bytes size, const Digest& digest) {
  return fmt::format(R"({{"number":{},"id":"{}","mime":{},"size":{},"sha256":"{}","copy_of":{}}})",
                     facts.number, format_uuid(facts.id), nlohmann::json(mime).dump(), size.count,
                     to_hex(digest), facts.copy_of ? std::to_string(*facts.copy_of) : "null");
}

Result<GenerateSummary> generate_directory(const Dataset& dataset, const fs::path& directory,
                                           const CallContext& call, const GenerateProgress& progress,
                                           const GenerateAudit* audit) {
  const auto target = target_of(directory);
  if (!target) return target.error();
  Undo undo(*target);
  undo.note_missing();
  const fs::path objects = *target / "objects";
  LAB_TRY(make_directories(objects));
  auto manifest = ManifestWriter::open(*target / kManifestName);
  if (!manifest) return std::move(manifest).error();
  auto summary = write_objects(
      dataset, call, progress, audit, [&](const ObjectFacts& facts, const MadeObject& object) -> Status {
        const fs::path path = objects / std::to_string(facts.number);
        auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (!file) return std::move(file).error();
        LAB_TRY(write_all(*file, as_text(object.payload), path));
        return manifest->add(
            manifest_line(facts, object.mime, Bytes{std::ssize(object.payload)}, object.digest));
      });
  if (!summary) return summary;
  LAB_TRY(add_last_line(audit, *manifest));
  // One sync for all objects, before the manifest that vouches for them appears.
  LAB_TRY(sync_file_system(objects));
  LAB_TRY(manifest->finish());
  undo.keep();
  return summary;
}

}  // namespace lab
