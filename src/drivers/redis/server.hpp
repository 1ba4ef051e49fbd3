// What a Redis server is asked and told about itself: INFO, CONFIG, its persistence.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/redis/link.hpp"

namespace lab::redis {

using Info = std::map<std::string, std::string, std::less<>>;
using Settings = std::vector<std::pair<std::string, std::string>>;  // In the order in which they are set.

/// The lines "name:value" of INFO and of lists like "calls=1,usec=2" (with their own separators).
Info parse_info(std::string_view text, char line_end = '\n', char between = ':');

/// A number of INFO; 0 where this version of the server does not have it.
double number_of(const Info& info, std::string_view name);
/// The server's word for a name; empty where it has none.
std::string word_of(const Info& info, std::string_view name);

Result<Info> ask_info(Link& link, const CallContext& call, const char* operation, std::string_view section);

/// Values of the settings that the server has; a name that it does not know is absent.
Result<Info> config_get(Link& link, const CallContext& call, const char* operation,
                        const std::vector<std::string>& names);
/// Errors name the setting.
Status config_set(Link& link, const CallContext& call, const char* operation, const std::string& name,
                  const std::string& value);

/// Version of the protocol's server: major * 100 + minor, 700 for 7.0. Nothing for other text.
std::optional<int> version_number(std::string_view version);

/// Until the server has started and ended each save and rewrite that it has begun.
Status await_children(Link& link, const CallContext& call, const char* operation);

/// BGREWRITEAOF, until it has ended well. True when the server's counter says that it rewrote.
Result<bool> rewrite_aof(Link& link, const CallContext& call, const char* operation);

/// BGSAVE, until it has ended well. True when the server's counter says that it saved.
Result<bool> save_rdb(Link& link, const CallContext& call, const char* operation);

/// Sets appendonly and waits until that is so: switching it on writes a new append-only file.
Status switch_aof(Link& link, const CallContext& call, const char* operation, bool on);

}  // namespace lab::redis
