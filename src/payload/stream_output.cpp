// SPDX-License-Identifier: Apache-2.0
#include "payload/stream_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <vector>

#include "core/files.hpp"
#include "core/text.hpp"
#include "payload/tar.hpp"
#include "payload/write_objects.hpp"

namespace lab {
namespace {

constexpr std::size_t kPieceMax = 1U << 20U;
constexpr int kPollMs = 100;  // How soon a stop or a deadline is seen while a reader does not read.

/// Waits until the descriptor takes bytes, within the call's bounds.
Status wait_writable(int descriptor, const CallContext& call) {
  while (true) {
    LAB_TRY(allowed(call, "generate"));
    pollfd waiting{.fd = descriptor, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&waiting, 1, kPollMs);
    if (ready > 0) return ok();  // An error or a closed reader too: the write says which.
    if (ready < 0 && errno != EINTR) return errno_error("generate", "poll", errno);
  }
}

/// The descriptor, within the call's bounds.
class Stream {
 public:
  static Result<Stream> of(int descriptor, const CallContext& call) {
    struct stat info{};
    if (::fstat(descriptor, &info) != 0) return errno_error("generate", "output", errno);
    // A pipe that polls as writable takes PIPE_BUF bytes without blocking (POSIX write); more could hang.
    return Stream(descriptor, S_ISREG(info.st_mode) ? kPieceMax : std::size_t{PIPE_BUF}, call);
  }

  Status write(std::string_view bytes) const {
    while (!bytes.empty()) {
      LAB_TRY(wait_writable(descriptor_, call_));
      const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), piece_max_));
      if (written < 0 && errno != EINTR && errno != EAGAIN) return errno_error("generate", "output", errno);
      if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return ok();
  }

 private:
  Stream(int descriptor, std::size_t piece_max, const CallContext& call)
      : descriptor_(descriptor), piece_max_(piece_max), call_(call) {}

  int descriptor_;
  std::size_t piece_max_;
  const CallContext& call_;
};

std::string frame_of(std::size_t size) {
  std::string frame(sizeof(std::uint64_t), '\0');
  for (std::size_t i = 0; i < frame.size(); ++i)
    frame[frame.size() - 1 - i] = static_cast<char>(std::uint64_t{size} >> (8 * i));
  return frame;
}

/// The lines of a manifest until they are all there: in a file without a name, since they may be many.
class WaitingManifest {
 public:
  static Result<WaitingManifest> in(const std::filesystem::path& folder) {
    auto file = open_file(folder, O_TMPFILE | O_RDWR, 0600);
    if (!file) return std::move(file).error();
    return WaitingManifest(std::move(*file), folder);
  }

  Status add(const std::string& line) {
    lines_ += line;
    lines_ += '\n';
    return lines_.size() < kPieceMax ? ok() : flush();
  }

  Status write_to(const Stream& stream) {
    LAB_TRY(flush());
    LAB_TRY(stream.write(tar_header("manifest.jsonl", size_)));
    std::vector<char> piece(kPieceMax);
    for (std::uint64_t at = 0; at < size_;) {
      const ssize_t got = ::pread(file_.get(), piece.data(), piece.size(), static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return errno_error("generate", folder_.string(), got < 0 ? errno : EIO);
      LAB_TRY(stream.write({piece.data(), static_cast<std::size_t>(got)}));
      at += static_cast<std::uint64_t>(got);
    }
    return stream.write(tar_padding(size_));
  }

 private:
  WaitingManifest(FileHandle file, std::filesystem::path folder)
      : file_(std::move(file)), folder_(std::move(folder)) {}

  Status flush() {
    LAB_TRY(write_all(file_, lines_, folder_));
    size_ += lines_.size();
    lines_.clear();
    return ok();
  }

  FileHandle file_;
  std::filesystem::path folder_;
  std::string lines_{};
  std::uint64_t size_ = 0;
};

Result<GenerateSummary> write_tar(const Dataset& dataset, const Stream& stream, const StreamOutput& output,
                                  const CallContext& call, const GenerateProgress& progress,
                                  const GenerateAudit* audit) {
  auto manifest = WaitingManifest::in(output.temporary);
  if (!manifest) return std::move(manifest).error();
  auto summary = write_objects(
      dataset, call, progress, audit, [&](const ObjectFacts& facts, const MadeObject& object) -> Status {
        const std::size_t size = object.payload.size();
        LAB_TRY(stream.write(tar_header(fmt::format("objects/{}", facts.number), size)));
        LAB_TRY(stream.write(as_text(object.payload)));
        LAB_TRY(stream.write(tar_padding(size)));
        return manifest->add(
            manifest_line(facts, object.mime, Bytes{std::ssize(object.payload)}, object.digest));
      });
  if (!summary) return summary;
  LAB_TRY(add_last_line(audit, *manifest));
  LAB_TRY(manifest->write_to(stream));
  LAB_TRY(stream.write(tar_end()));
  return summary;
}

}  // namespace

Result<StreamFormat> parse_stream_format(std::string_view text) {
  if (text == "raw") return StreamFormat::kRaw;
  if (text == "framed") return StreamFormat::kFramed;
  if (text == "tar") return StreamFormat::kTar;
  const std::vector<std::string> names{"raw", "framed", "tar"};
  return Error{ErrorCode::kInvalidArgument, "generate",
               fmt::format("'{}' is not a format of a stream{}", text, suggestion(text, names))};
}

Result<GenerateSummary> generate_stream(const Dataset& dataset, const StreamOutput& output,
                                        const CallContext& call, const GenerateProgress& progress,
                                        const GenerateAudit* audit) {
  const auto stream = Stream::of(output.descriptor, call);
  if (!stream) return stream.error();
  if (output.format == StreamFormat::kTar) return write_tar(dataset, *stream, output, call, progress, audit);
  const bool framed = output.format == StreamFormat::kFramed;
  auto summary = write_objects(dataset, call, progress, audit,
                               [&](const ObjectFacts& /*facts*/, const MadeObject& object) -> Status {
                                 if (framed) LAB_TRY(stream->write(frame_of(object.payload.size())));
                                 return stream->write(as_text(object.payload));
                               });
  if (!summary || audit == nullptr) return summary;
  const auto line = audit->last_line();
  if (!line) return line.error();
  return summary;
}

}  // namespace lab
