// SPDX-License-Identifier: Apache-2.0
#include "core/process_stamp.hpp"

#include <charconv>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

/// False for text that is no number.
bool read_number(const std::string& text, pid_t& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // Field 2, the name, may hold spaces and brackets: the fields to count follow the last bracket.
  const std::size_t bracket = text.rfind(')');
  if (bracket == std::string_view::npos || bracket + 2 >= text.size()) return std::nullopt;
  const std::vector<std::string> fields = split(text.substr(bracket + 2), ' ');
  if (fields.size() < 20 || fields[0].empty()) return std::nullopt;
  ProcessStat stat;
  stat.state = fields[0][0];
  stat.started = fields[19];
  if (!read_number(fields[1], stat.parent) || !read_number(fields[3], stat.session)) return std::nullopt;
  return stat;
}

std::optional<ProcessStat> process_stat(std::string_view process) {
  const auto text = read_file("/proc/" + std::string(process) + "/stat");
  if (!text) return std::nullopt;
  return parse_process_stat(*text);
}

std::string boot_id() {
  const auto boot = read_file("/proc/sys/kernel/random/boot_id");
  return boot ? std::string(trim(*boot)) : std::string();
}

Result<ProcessStamp> stamp_of(pid_t pid) {
  const auto stat = process_stat(std::to_string(pid));
  if (!stat || stat->ended())
    return Error{ErrorCode::kNotFound, "process.stamp", "no process " + std::to_string(pid) + " runs"};
  return ProcessStamp{pid, stat->started, boot_id()};
}

bool runs(const ProcessStamp& stamp) {
  if (stamp.pid <= 0 || stamp.boot != boot_id()) return false;
  const auto stat = process_stat(std::to_string(stamp.pid));
  return stat && !stat->ended() && stat->started == stamp.started;
}

}  // namespace lab
