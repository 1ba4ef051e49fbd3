// A whole dataset as one stream of bytes: for pipes into other tools.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "payload/manifest.hpp"

namespace lab {

enum class StreamFormat : std::uint8_t {
  kRaw,     // One payload after the other, with nothing in between.
  kFramed,  // Before each its length in bytes: 8 bytes, big-endian.
  kTar,     // objects/<number> from 0 on, then manifest.jsonl: what generate_directory writes.
};

/// "raw", "framed", "tar". Errors: kInvalidArgument with the nearest.
Result<StreamFormat> parse_stream_format(std::string_view text);

struct StreamOutput {
  int descriptor = -1;
  StreamFormat format = StreamFormat::kRaw;
  std::filesystem::path temporary = "/var/tmp";  // Where a tar's manifest waits until its size is known.
};

/// Writes to an open file descriptor, which may be a pipe that nobody reads: the call's bounds hold. SIGPIPE
/// is the caller's to ignore; a reader that went away is then kIo. Only a whole tar stream has its end. The
/// audit's last line stands in a tar's manifest; the other formats have none.
Result<GenerateSummary> generate_stream(const Dataset& dataset, const StreamOutput& output,
                                        const CallContext& call, const GenerateProgress& progress,
                                        const GenerateAudit* audit = nullptr);

}  // namespace lab
