// SPDX-License-Identifier: Apache-2.0
#include "payload/folder_listing.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace lab {

namespace fs = std::filesystem;

namespace {

Status list_into(const fs::path& root, const fs::path& folder, FolderListing& listing) {
  const fs::path whole = folder.empty() ? root : root / folder;
  std::error_code failure;
  fs::directory_iterator entry(whole, failure);
  for (; !failure && entry != fs::directory_iterator{}; entry.increment(failure)) {
    const fs::path name = folder / entry->path().filename();
    std::error_code unknown;
    const fs::file_status status = entry->symlink_status(unknown);
    if (unknown) return errno_error("payload.directory", entry->path().string(), unknown.value());
    switch (status.type()) {
      case fs::file_type::regular:
        listing.files.push_back(name.string());
        break;
      case fs::file_type::symlink:
        listing.symlinks.push_back(name.string());
        break;
      case fs::file_type::directory:
        LAB_TRY(list_into(root, name, listing));
        break;
      default:
        listing.specials.push_back(name.string());
        break;
    }
  }
  if (failure) return errno_error("payload.directory", whole.string(), failure.value());
  return ok();
}

}  // namespace

Result<FolderListing> list_folder(const fs::path& root) {
  FolderListing listing;
  LAB_TRY(list_into(root, {}, listing));
  for (auto* names : {&listing.files, &listing.symlinks, &listing.specials}) std::ranges::sort(*names);
  return listing;
}

Status read_pieces(const FileHandle& file, const fs::path& path, std::span<std::byte> buffer,
                   const ByteSink& piece) {
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("payload.directory", path.string(), errno);
    if (got == 0) return ok();
    LAB_TRY(piece(buffer.first(static_cast<std::size_t>(got))));
  }
}

}  // namespace lab
