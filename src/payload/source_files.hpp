// The files of one kind of real data below `real_world_dir`, in folders and in archives, in one order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "payload/archive.hpp"

namespace lab {

/// One file, wherever it lies. Valid during the call that it is given to.
struct SourceFile {
  std::string label{};    // For messages: "text_corpus/all.zip: a.txt", below real_world_dir.
  std::string content{};  // The name that tells its type: "a.txt", of "a.txt.gz" too.
  Bytes size{};           // When it was opened; a compressed file's is that of its content.
  /// From the beginning, in pieces. Errors: kCorruption when it shrinks or grows meanwhile, errno's, the
  /// sink's.
  std::function<Status(const ByteSink&)> read{};
};

/// What was met on the way.
struct SourceTally {
  std::uint64_t files = 0;     // That were given to the visitor.
  std::uint64_t left_out = 0;  // Files of other types, archives in archives among them.
  std::uint64_t symlinks = 0;  // Not followed; those in archives too.
  std::uint64_t specials = 0;
};

struct SourceQuery {
  std::filesystem::path root{};  // real_world_dir
  std::string kind{};            // What is read: the entries `kind` and `kind.*` of root.
  std::function<bool(std::string_view)> is_wanted{};  // By the name of the content.
  Bytes expanded_max{16LL << 30};                     // Of all archives together.
  std::filesystem::path temporary{};                  // For what archives expand to, one archive at a time.
};

/// Gives each wanted file to `visit`, in bytewise order of the paths, and in an archive in that of its names.
/// Errors: kNotFound (no such folder, or nothing of the kind in it, with what to put where), those of
/// read_archive, errno's with the path, and the visitor's.
Result<SourceTally> visit_sources(const SourceQuery& query,
                                  const std::function<Status(const SourceFile&)>& visit);

}  // namespace lab
