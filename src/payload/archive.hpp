// Archives and compressed files, read from one end to the other: nothing is unpacked under a name of theirs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/units.hpp"
#include "payload/folder_listing.hpp"

namespace lab {

/// True for the names that read_archive reads: .zip, .tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst, .tgz, and
/// single files in .gz, .bz2, .xz, .zst. Upper case is folded.
bool is_archive_name(std::string_view name);

/// What a name says of the content: "a.csv.gz" is a compressed "a.csv", "a.csv" is itself. Nothing for an
/// archive of many files.
std::optional<std::string> content_name(std::string_view name);

/// Bytes that archives may still expand to: what a few bytes of a forged one become has no other end.
struct ExpansionBudget {
  Bytes limit{};
  Bytes used{};
  // Of one archive, whose entries wait in memory: names of nothing expand without end, too.
  std::uint64_t entries_max = 4'000'000;
  Bytes names_max{256LL << 20};
};

struct ArchiveTally {
  std::uint64_t files = 0;    // Regular ones.
  std::uint64_t skipped = 0;  // Of these, those that were not wanted.
  std::uint64_t others = 0;   // Links and special files, which are not followed; folders do not count.
};

/// Who reads an archive. `begin` says whether the bytes of a regular file are wanted.
struct ArchiveReader {
  std::function<Result<bool>(const std::string& name)> begin{};
  ByteSink bytes{};
};

/// In the archive's own order. The one file of a compressed one has its name without the ending. Errors:
/// kCorruption (broken, cut short, changed while it is read, not what its ending says, other bytes behind its
/// end, of which a tar archive alone may have zeros), kRefused (encrypted,
/// or a name that is absolute, leads upwards or has control characters: a forged archive), kResourceExhausted
/// (the budget), errno's; each names the archive, and the entry where there is one.
Result<ArchiveTally> read_archive(const std::filesystem::path& path, ExpansionBudget& budget,
                                  const ArchiveReader& reader);

/// The same for a zip file in memory; `label` stands for its path.
Result<ArchiveTally> read_zip(const std::string& label, std::string_view bytes, ExpansionBudget& budget,
                              const ArchiveReader& reader);

}  // namespace lab
