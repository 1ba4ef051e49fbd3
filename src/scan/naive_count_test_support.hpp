// Files with duplicates, zeros and holes in them, and the plainest way to count what is redundant.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "core/random.hpp"
#include "core/testing/temporary_folder.hpp"
#include "scan/chunker.hpp"
#include "scan/scan.hpp"

namespace lab::scan {

inline std::string random_text(Random& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& letter : text) letter = static_cast<char>(random.next());
  return text;
}

/// Pieces of a few kinds, of which a pool of originals comes back again and again.
inline std::string mixed_content(Random& random, const std::vector<std::string>& pool) {
  std::string text;
  for (std::uint64_t pieces = random.below(12); pieces > 0; --pieces) {
    const std::size_t length = random.below(20'000);
    switch (random.below(5)) {
      case 0:
        text += std::string(length, '\0');
        break;
      case 1:
        text += std::string(length, '\xff');
        break;
      case 2:
        text += random_text(random, length);
        break;
      default:
        text += pool[random.below(pool.size())];
    }
  }
  return text;
}

/// Writes `text` with a hole for each 4 KiB block of zeros.
inline void write_sparse(const std::filesystem::path& path, const std::string& text) {
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  ASSERT_TRUE(file);
  ASSERT_EQ(::ftruncate(file->get(), static_cast<off_t>(text.size())), 0);
  for (std::size_t at = 0; at < text.size(); at += 4096) {
    const std::string block = text.substr(at, 4096);
    if (block.find_first_not_of('\0') == std::string::npos) continue;
    ASSERT_EQ(::pwrite(file->get(), block.data(), block.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(block.size()));
  }
}

/// A file's chunks, cut in the plainest way.
inline std::vector<std::string> naive_chunks(const std::string& text, const ChunkerSpec& spec) {
  std::vector<std::string> chunks;
  if (spec.kind == ChunkerSpec::Kind::kFixed) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = at == 0 && spec.align > 0 ? spec.align : spec.size;
      chunks.push_back(text.substr(at, length));
      at += length;
    }
    return chunks;
  }
  auto chunker = Chunker::make({chunk_setting(Bytes{spec.size})}, GearPath::kScalar);
  EXPECT_TRUE(chunker);
  const auto take = [&](const std::vector<Cut>& cuts) {
    for (const Cut& cut : cuts) chunks.push_back(text.substr(cut.begin, cut.end - cut.begin));
  };
  chunker->feed(std::as_bytes(std::span(text)));
  take(chunker->cuts(0));
  chunker->finish();
  take(chunker->cuts(0));
  return chunks;
}

/// How often each chunk occurs.
using NaiveCount = std::map<std::string, std::uint64_t>;

inline NaiveCount naive_count(const std::vector<std::string>& files, const ChunkerSpec& spec) {
  NaiveCount count;
  for (const std::string& text : files)
    for (const std::string& chunk : naive_chunks(text, spec)) count[chunk] += 1;
  return count;
}

}  // namespace lab::scan
