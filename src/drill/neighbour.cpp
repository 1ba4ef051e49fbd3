// SPDX-License-Identifier: Apache-2.0
#include "drill/neighbour.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lab::drill {
namespace {

constexpr std::uint64_t kObjects = 8;
constexpr std::size_t kObjectBytes = 10'000;

ObjectId id_of(std::uint64_t number) {
  const Digest digest = sha256(fmt::format("neighbour {}", number));
  ObjectId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  id[6] = (id[6] & std::byte{0x0F}) | std::byte{0x40};  // Version and variant of a random UUID.
  id[8] = (id[8] & std::byte{0x3F}) | std::byte{0x80};
  return id;
}

std::string content_of(std::uint64_t number) {
  std::string content;
  while (content.size() < kObjectBytes)
    content += to_hex(sha256(fmt::format("{} {}", number, content.size())));
  return content;
}

/// A connection, with the session that it needs.
struct Connection {
  std::unique_ptr<Session> session{};
  std::unique_ptr<Driver> driver{};
};

Result<Connection> connect(const SystemEntry& entry, const SystemConfig& config, const CallContext& call) {
  Connection connection;
  auto session = open_session(entry, config, call);
  if (!session) return session.error();
  connection.session = std::move(*session);
  auto driver = connection.session->open_driver(call);
  if (!driver) return driver.error();
  connection.driver = std::move(*driver);
  return connection;
}

}  // namespace

Neighbour::Neighbour(const SystemEntry& entry, SystemConfig config)
    : entry_(entry), config_(std::move(config)) {
  config_.run_id = "drill-neighbour";
  config_.options["namespace"] = "drill-neighbour";
  config_.options.erase("namespace_mode");
}

Status Neighbour::move_in(const CallContext& call) {
  LAB_TRY(make_objects(call));
  auto first = digest(call);
  if (!first) return first.error();
  at_first_ = std::move(*first);
  return ok();
}

Status Neighbour::make_objects(const CallContext& call) const {
  auto connection = connect(entry_, config_, call);
  if (!connection) return connection.error();
  LAB_TRY(connection->driver->reset(call));
  for (std::uint64_t number = 0; number < kObjects; ++number) {
    const std::string content = content_of(number);
    LAB_TRY(connection->driver->put(call, {.number = number,
                                           .id = id_of(number),
                                           .mime = "text/plain",
                                           .payload = as_bytes(content),
                                           .digest = sha256(content)}));
  }
  return connection->driver->flush(call);
}

Result<std::string> Neighbour::digest(const CallContext& call) const {
  auto connection = connect(entry_, config_, call);
  if (!connection) return connection.error();
  std::vector<std::string> lines;
  LAB_TRY(connection->driver->read_all(
      call, [&](const ObjectId& id, std::uint32_t container, std::span<const std::byte> payload) {
        lines.push_back(fmt::format("{} {} {}\n", format_uuid(id), container, to_hex(sha256(payload))));
        return ok();
      }));
  std::sort(lines.begin(), lines.end());
  Sha256 all;
  for (const std::string& line : lines) all.update(line);
  return fmt::format("{} objects {}", lines.size(), to_hex(all.digest()));
}

Status Neighbour::move_out(const CallContext& call) const { return remove_namespace(entry_, config_, call); }

}  // namespace lab::drill
