// What speaks at an address where the server that was wanted does not: told by its first bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace lab {

/// What servers speak, as far as their first bytes tell them apart.
enum class Protocol : std::uint8_t { kPostgresql, kMysql, kRedis, kKafka, kClickhouse, kS3, kHttp };

/// "PostgreSQL", "MySQL or MariaDB", ...
std::string_view to_string(Protocol protocol) noexcept;

/// By the first bytes that came after a connection was made; nothing where they are of none of these.
std::optional<Protocol> protocol_in(std::string_view bytes);

struct Place {
  std::string host{};
  std::uint16_t port = 0;
};

/// Host and port (of the first server, where it lists several) of a url that has both. Nothing where it
/// names no port: the one that it means is known to the system's driver alone.
std::optional<Place> place_of(std::string_view url);

/// "127.0.0.1:5432", "[::1]:5432".
std::string to_string(const Place& place);

/// Connects up to three times, without TLS and without logging in, with a question that does no harm to a
/// server of any kind. Nothing where nobody answers within 2 s, or it is none of these.
std::optional<Protocol> what_answers(const Place& place, const CallContext& call);

}  // namespace lab
