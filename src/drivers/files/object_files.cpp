// Names, writing and listing of object files.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/files/object_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/files.hpp"
#include "core/hash.hpp"

namespace lab::files {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 16U << 20U;  // Written between two looks at deadline and stop.

Status fill(const CallContext& call, const fs::path& path, std::span<const std::byte> payload, bool sync) {
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return file.error();
  while (!payload.empty()) {
    LAB_TRY(allowed(call, "files.write"));
    const auto piece = payload.first(std::min(kPiece, payload.size()));
    LAB_TRY(write_all(*file, as_text(piece), path));
    payload = payload.subspan(piece.size());
  }
  if (sync && ::fsync(file->get()) != 0) return errno_error("fsync", path.string(), errno);
  return ok();
}

}  // namespace

Status write_object(const CallContext& call, const fs::path& path, std::span<const std::byte> payload,
                    bool sync) {
  Status filled = fill(call, path, payload, sync);
  if (!filled) ::unlink(path.c_str());
  return filled;
}

Status visit_entries(const CallContext& call, const fs::path& folder,
                     const std::function<Status(const fs::path&)>& visit) {
  std::error_code failure;
  fs::directory_iterator entry(folder, failure);
  for (; !failure && entry != fs::directory_iterator{}; entry.increment(failure)) {
    LAB_TRY(allowed(call, "files.list"));
    LAB_TRY(visit(entry->path()));
  }
  if (failure) return errno_error("files.list", folder.string(), failure.value());
  return allowed(call, "files.list");
}

}  // namespace lab::files
