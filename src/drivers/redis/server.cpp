// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/server.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/text.hpp"
#include "driver/waiting.hpp"

namespace lab::redis {
namespace {

constexpr Millis kPoll{20};  // The server looks after its children ten times a second.

/// A save or rewrite: what begins it, and where INFO says how it went.
struct Child {
  const char* command;
  const char* status;
  const char* counter;
};
constexpr Child kRewrite{"BGREWRITEAOF", "aof_last_bgrewrite_status", "aof_rewrites"};
constexpr Child kSave{"BGSAVE", "rdb_last_bgsave_status", "rdb_saves"};

bool idle(const Info& info) {
  return number_of(info, "aof_rewrite_in_progress") + number_of(info, "aof_rewrite_scheduled") +
             number_of(info, "rdb_bgsave_in_progress") + number_of(info, "module_fork_in_progress") ==
         0;
}

/// The server refuses a child beside another one; that one may have begun between our look and our command.
bool because_of_another(const Error& error) {
  return error.detail.find("already in progress") != std::string::npos ||
         error.detail.find("Another child process") != std::string::npos ||
         error.detail.find("An AOF log rewriting") != std::string::npos ||
         error.detail.find("Another BG operation") != std::string::npos;
}

Result<bool> run_child(Link& link, const CallContext& call, const char* operation, const Child& child) {
  Info before;
  LAB_TRY(poll_until(call, kPoll, operation, [&]() -> Result<bool> {
    auto info = ask_info(link, call, operation, "persistence");
    if (!info) return std::move(info).error();
    if (!idle(*info)) return false;
    before = std::move(*info);
    const auto begun = link.ask(call, operation, {child.command});
    if (begun) return true;
    if (because_of_another(begun.error())) return false;
    Error error = begun.error();
    if (error.detail.find("allocate memory") != std::string::npos) error.code = ErrorCode::kResourceExhausted;
    return error;
  }));
  LAB_TRY(await_children(link, call, operation));
  const auto after = ask_info(link, call, operation, "persistence");
  if (!after) return after.error();
  if (word_of(*after, child.status) != "ok")
    return Error{ErrorCode::kIo, operation,
                 fmt::format("{} failed: {} is '{}'; the server's log says why", child.command, child.status,
                             word_of(*after, child.status))};
  if (!after->contains(child.counter)) return true;  // Before 7.0: there is its status alone.
  return number_of(*after, child.counter) > number_of(before, child.counter);
}

}  // namespace

Info parse_info(std::string_view text, char line_end, char between) {
  Info info;
  for (const std::string& line : split(text, line_end)) {
    const std::string_view trimmed = trim(line);
    const std::size_t at = trimmed.find(between);
    if (at == std::string_view::npos || trimmed.starts_with('#')) continue;
    info[std::string(trimmed.substr(0, at))] = std::string(trimmed.substr(at + 1));
  }
  return info;
}

double number_of(const Info& info, std::string_view name) {
  const std::string text = word_of(info, name);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string word_of(const Info& info, std::string_view name) {
  const auto found = info.find(name);
  return found == info.end() ? std::string() : found->second;
}

Result<Info> ask_info(Link& link, const CallContext& call, const char* operation, std::string_view section) {
  const auto told = link.ask(call, operation, {"INFO", section});
  if (!told) return told.error();
  return parse_info(told->text());
}

Result<Info> config_get(Link& link, const CallContext& call, const char* operation,
                        const std::vector<std::string>& names) {
  for (const std::string& name : names) LAB_TRY(link.send(call, operation, {"CONFIG", "GET", name}));
  Info values;
  std::optional<Error> bad;
  while (link.awaited() > 0) {
    const auto told = link.receive(call, operation);
    if (!told && !link.whole()) return told.error();
    if (!told) {
      if (!bad) bad = told.error();
      continue;
    }
    for (std::size_t at = 0; at + 1 < told->size(); at += 2)
      values[std::string((*told)[at].text())] = std::string((*told)[at + 1].text());
  }
  if (!bad) return values;
  bad->detail = "CONFIG GET: " + bad->detail;
  return *bad;
}

Status config_set(Link& link, const CallContext& call, const char* operation, const std::string& name,
                  const std::string& value) {
  const auto set = link.ask(call, operation, {"CONFIG", "SET", name, value});
  if (set) return ok();
  Error error = set.error();
  error.detail = fmt::format("CONFIG SET {}: {}", name, error.detail);
  return error;
}

std::optional<int> version_number(std::string_view version) {
  int major = 0;
  int minor = 0;
  const char* const end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, major);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  if (second.ec != std::errc{} || major < 0 || major > 9999 || minor < 0 || minor > 99) return std::nullopt;
  return major * 100 + minor;
}

Status await_children(Link& link, const CallContext& call, const char* operation) {
  return poll_until(call, kPoll, operation, [&]() -> Result<bool> {
    const auto info = ask_info(link, call, operation, "persistence");
    if (!info) return info.error();
    return idle(*info);
  });
}

Result<bool> rewrite_aof(Link& link, const CallContext& call, const char* operation) {
  return run_child(link, call, operation, kRewrite);
}

Result<bool> save_rdb(Link& link, const CallContext& call, const char* operation) {
  return run_child(link, call, operation, kSave);
}

Status switch_aof(Link& link, const CallContext& call, const char* operation, bool on) {
  LAB_TRY(config_set(link, call, operation, "appendonly", on ? "yes" : "no"));
  if (!on) return ok();
  LAB_TRY(await_children(link, call, operation));
  const auto info = ask_info(link, call, operation, "persistence");
  if (!info) return info.error();
  if (number_of(*info, "aof_enabled") == 1 && word_of(*info, kRewrite.status) == "ok") return ok();
  return Error{ErrorCode::kIo, operation, "the server could not begin an append-only file; its log says why"};
}

}  // namespace lab::redis
