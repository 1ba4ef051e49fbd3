// Redis with its append-only file on; the password stands in its configuration file.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "testbed/ask.hpp"
#include "testbed/recipes.hpp"

namespace lab::testbed {
namespace {

Result<Installation> find(const ProgramSearch& search) {
  const auto server = search.program("redis", "redis-server");
  if (!server) return server.error();
  return Installation{{{"redis-server", *server}}, {}};
}

Status prepare(const Place& place, Preparation& preparation, const CallContext& /*call*/) {
  LAB_TRY(preparation.make_folder("data"));
  // docs/testbed.md says why each.
  return preparation.write("redis.conf", fmt::format("bind 127.0.0.1\n"
                                                     "port {}\n"
                                                     "dir \"{}\"\n"
                                                     "daemonize no\n"
                                                     "set-proc-title no\n"
                                                     "requirepass {}\n"
                                                     "save \"\"\n"
                                                     "appendonly yes\n"
                                                     "auto-aof-rewrite-percentage 0\n"
                                                     "maxmemory-policy noeviction\n",
                                                     place.port(), place.data().string(), place.password));
}

Command command(const Place& place) {
  return {.argv = {place.file("redis-server"), (place.home / "redis.conf").string()}};
}

/// "LOADING" while it reads its files.
Result<bool> answers(const Place& place, const CallContext& call) {
  const std::string words = fmt::format("AUTH {}\r\nPING\r\n", place.password);
  const std::string ready = "+OK\r\n+PONG\r\n";
  const auto said = ask(place.ports[0], words, ready.size(), call);
  return said && *said == ready;
}

}  // namespace

Recipe redis_recipe() {
  return {.name = "redis",
          .find = find,
          .prepare = prepare,
          .command = command,
          .answers = answers,
          .url = [](const Place& place) { return "redis://127.0.0.1:" + place.port(); }};
}

}  // namespace lab::testbed
