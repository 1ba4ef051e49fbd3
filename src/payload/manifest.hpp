// The manifest: number, id, mime, size, SHA-256 and original of every object, one JSON object a line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "core/time.hpp"
#include "payload/dataset.hpp"

namespace lab {

struct GenerateSummary {
  std::uint64_t objects = 0;
  std::uint64_t distinct = 0;
  Bytes logical{};  // L
  Bytes unique{};   // U

  void add(const ObjectFacts& facts, Bytes size);
};

/// Progress of a long generation: objects done, bytes done. Called now and then.
using GenerateProgress = std::function<void(std::uint64_t objects, Bytes bytes)>;

/// Looks at what is written. Errors end the writing like any other.
struct GenerateAudit {
  std::function<Status(const ObjectFacts&, std::span<const std::byte> payload, const Digest&)> object{};
  /// After the last object: what a manifest then ends with, a line that is no object's, without its newline.
  std::function<Result<std::string>()> last_line{};
};

/// Writes DIR/objects/<number> (from 0) and DIR/manifest.jsonl (last, atomically): number, id, mime, size,
/// sha256, copy_of (number or null). DIR must be new or empty. On any error everything written is removed
/// again. Memory does not grow with the dataset's bytes.
Result<GenerateSummary> generate_directory(const Dataset& dataset, const std::filesystem::path& directory,
                                           const CallContext& call, const GenerateProgress& progress,
                                           const GenerateAudit* audit = nullptr);

/// One line of the manifest, without its newline.
std::string manifest_line(const ObjectFacts& facts, std::string_view mime, Bytes size, const Digest& digest);

}  // namespace lab
