// Archives made for tests, honest ones and forged ones.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace lab {

using ArchiveFiles = std::vector<std::pair<std::string, std::string>>;  // Name and content, in this order.

/// Writes a file of the type that the ending of its name says. `options` are libarchive's; `passphrase`
/// encrypts a zip file.
inline void write_archive(const std::filesystem::path& path, const ArchiveFiles& files,
                          const std::string& options = {}, const std::string& passphrase = {}) {
  // Names are turned from and to the letters of the locale.
  const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const locale_t before = ::uselocale(utf8);
  const std::string name = path.filename().string();
  const bool single = name.find(".tar") == std::string::npos && !name.ends_with(".zip");
  archive* const out = archive_write_new();
  if (name.ends_with(".gz")) archive_write_add_filter_gzip(out);
  if (name.ends_with(".bz2")) archive_write_add_filter_bzip2(out);
  if (name.ends_with(".xz")) archive_write_add_filter_xz(out);
  if (name.ends_with(".zst")) archive_write_add_filter_zstd(out);
  const int format = single                   ? archive_write_set_format_raw(out)
                     : name.ends_with(".zip") ? archive_write_set_format_zip(out)
                                              : archive_write_set_format_pax_restricted(out);
  LAB_CHECK(format == ARCHIVE_OK, "the archive's format can be written");
  if (!options.empty())
    LAB_CHECK(archive_write_set_options(out, options.c_str()) == ARCHIVE_OK, "the options are known");
  if (!passphrase.empty()) archive_write_set_passphrase(out, passphrase.c_str());
  LAB_CHECK(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK, "the archive can be opened");
  for (const auto& [entry_name, content] : files) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname_utf8(entry, entry_name.c_str());
    const bool link = content.starts_with("-> ");
    archive_entry_set_filetype(entry, link ? AE_IFLNK : AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    if (link)
      archive_entry_set_symlink(entry, content.c_str() + 3);
    else
      archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    LAB_CHECK(archive_write_header(out, entry) == ARCHIVE_OK, archive_error_string(out));
    if (!link)
      LAB_CHECK(
          archive_write_data(out, content.data(), content.size()) == static_cast<la_ssize_t>(content.size()),
          "an entry can be written");
    archive_entry_free(entry);
  }
  LAB_CHECK(archive_write_close(out) == ARCHIVE_OK, "the archive can be closed");
  archive_write_free(out);
  ::uselocale(before);
  ::freelocale(utf8);
}

}  // namespace lab
