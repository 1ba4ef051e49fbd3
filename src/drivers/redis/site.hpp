// What one session works on: the server, our namespace there, the variant and what it asks of the server.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "driver/system.hpp"
#include "drivers/redis/layout.hpp"

namespace lab::redis {

constexpr const char* kDefaultNamespace = "dedup";
constexpr const char* kPasswordVariable = "DEDUP_REDIS_PASSWORD";
constexpr int kOldestVersion = 600;

/// What a variant decides.
struct Setup {
  std::string variant{};
  bool aof = true;         // Else snapshots alone.
  bool compressed = true;  // rdbcompression.
  LayoutKind layout = LayoutKind::kString;
  const NativeSchema* schema = nullptr;  // Of kNative.
};

const std::vector<VariantInfo>& variants();
/// `schema` is that of mode "native"; null in mode "blob".
Setup setup_of(const std::string& variant, const NativeSchema* schema = nullptr);

/// The settings that the variant needs, appendonly last.
Settings settings_of(const Setup& setup);

struct Site {
  Address address{};
  KeySpace space{};
  Setup setup{};
  std::uint32_t containers = 1;
  std::string run_id{};
  std::filesystem::path directory{};  // Empty: not known here.

  // What the server says at the opening of a session.
  int version = 0;
  std::string server_run{};
  Info files{};  // dir, dbfilename, appendfilename, appenddirname
  std::int64_t object_size_max = 0;

  /// The file that each save or rewrite of the variant puts in place anew; nothing without a directory.
  std::optional<std::filesystem::path> persistent_file() const;
};

/// Errors: kInvalidArgument, kUnsupported, as resolve_config and parse_server_url say.
Result<Site> site_of(const SystemEntry& entry, const SystemConfig& config);

/// One thing looked at, and what its failure means to a session.
struct Judged {
  Finding finding{};
  ErrorCode code = ErrorCode::kRefused;
};

/// Looks at version, kind, memory policy and files of the server, and notes what it says in `site`. Writes
/// nothing. Errors: those of asking.
Result<std::vector<Judged>> judge(Link& link, const CallContext& call, const char* operation, Site& site);

/// Writes the variant's file anew (BGREWRITEAOF or BGSAVE) and waits for it. True when it was written.
/// Errors: kRefused where the site's directory shows no new file: then it is not this server's.
Result<bool> persist(Link& link, const CallContext& call, const char* operation, const Site& site);

/// That the server still has the settings of the variant. Errors: kRefused.
Status check_settings(Link& link, const CallContext& call, const char* operation, const Site& site);

}  // namespace lab::redis
