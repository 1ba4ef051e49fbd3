// What is written down of a server, so that any later command finds it: after a crash, after a reboot.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/process_stamp.hpp"
#include "testbed/place.hpp"

namespace lab::testbed {

enum class Phase : std::uint8_t {
  kPreparing,  // Its home is being made; `process` is a program that makes it, if any.
  kStarting,   // The first start; `process` is the server.
  kReady,      // It has answered once: its data may be started again.
};

struct ServerRecord {
  std::string system{};
  std::string token{};  // Marks its home and its processes.
  Phase phase = Phase::kPreparing;
  std::optional<ProcessStamp> process{};
  std::vector<std::uint16_t> ports{};
  std::filesystem::path home{};
  Installation installation{};
  std::string user{};  // The name of the user it runs as; empty: the one who started it.
  std::int64_t started_ms = 0;
};

std::string to_text(const ServerRecord& record);

/// Errors: kCorruption for text that is no record.
Result<ServerRecord> parse_record(std::string_view text);

/// Nothing where there is no file. Errors: kCorruption with the file's name, kIo.
Result<std::optional<ServerRecord>> load_record(const std::filesystem::path& file);

/// Atomic and durable.
Status save_record(const std::filesystem::path& file, const ServerRecord& record);

}  // namespace lab::testbed
