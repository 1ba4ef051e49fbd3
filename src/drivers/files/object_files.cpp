// Names, writing and listing of object files.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/files/object_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/files.hpp"

namespace lab::files {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 16U << 20U;  // Written between two looks at deadline and stop.

std::optional<unsigned> hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
  return std::nullopt;
}

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

std::optional<ObjectId> parse_uuid(std::string_view text) {
  ObjectId id{};
  std::size_t at = 0;
  for (std::size_t byte = 0; byte < id.size(); ++byte) {
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) {
      if (at >= text.size() || text[at] != '-') return std::nullopt;
      ++at;
    }
    if (at + 2 > text.size()) return std::nullopt;
    const auto high = hex_digit(text[at]);
    const auto low = hex_digit(text[at + 1]);
    if (!high || !low) return std::nullopt;
    id[byte] = static_cast<std::byte>(*high << 4U | *low);
    at += 2;
  }
  if (at != text.size()) return std::nullopt;
  return id;
}

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
