// MariaDB: its only user is `lab`, made before the server listens for the first time.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include "testbed/ask.hpp"
#include "testbed/recipes.hpp"

namespace lab::testbed {
namespace {

Result<Installation> find(const ProgramSearch& search) {
  const auto server = search.program("mariadb", "mariadbd");
  if (!server) return server.error();
  const auto maker = find_program("mariadb-install-db");
  if (!maker) return maker.error();
  return Installation{{{"mariadbd", *server}, {"mariadb-install-db", *maker}}, {}};
}

/// What both programs are told. --no-defaults has to be the first.
std::vector<std::string> common(const Place& place) {
  std::vector<std::string> words{"--no-defaults", "--datadir=" + place.data().string()};
  if (::geteuid() == 0) words.emplace_back("--user=root");
  return words;
}

Status prepare(const Place& place, Preparation& preparation, const CallContext& /*call*/) {
  Command make{.argv = {place.file("mariadb-install-db")}};
  for (std::string& word : common(place)) make.argv.push_back(std::move(word));
  make.argv.insert(make.argv.end(), {"--auth-root-authentication-method=normal", "--skip-test-db"});
  const auto made = preparation.run(make);
  if (!made) return made.error();
  Command sql{.argv = {place.file("mariadbd")}};
  for (std::string& word : common(place)) sql.argv.push_back(std::move(word));
  sql.argv.emplace_back("--bootstrap");
  // One statement a line. The grants have to be loaded before users can be made.
  sql.input = fmt::format(
      "flush privileges;\n"
      "delete from mysql.global_priv where user <> 'mariadb.sys';\n"
      "flush privileges;\n"
      "create user lab@'%' identified by '{}';\n"
      "grant all on *.* to lab@'%' with grant option;\n",
      place.password);
  const auto granted = preparation.run(sql);
  return granted ? ok() : Status(granted.error());
}

Command command(const Place& place) {
  Command server{.argv = {place.file("mariadbd")}};
  for (std::string& word : common(place)) server.argv.push_back(std::move(word));
  // The socket's name counts from the data directory: a whole path may be longer than a socket's name can be.
  // docs/testbed.md says why each of the others.
  server.argv.insert(server.argv.end(),
                     {"--port=" + place.port(), "--bind-address=127.0.0.1", "--socket=socket",
                      "--pid-file=pid", "--skip-name-resolve", "--max-allowed-packet=64M",
                      "--performance-schema=ON", "--innodb-stats-on-metadata=0"});
  return server;
}

/// It greets a client, which is an error (255) while it does not want any.
Result<bool> answers(const Place& place, const CallContext& call) {
  constexpr std::size_t kHead = 5;  // Length, number, and the protocol's version: 10.
  const auto said = ask(place.ports[0], "", kHead, call);
  return said && said->size() >= kHead && (*said)[4] == 10;
}

}  // namespace

Recipe mariadb_recipe() {
  return {.name = "mariadb",
          .find = find,
          .prepare = prepare,
          .command = command,
          .answers = answers,
          .url = [](const Place& place) { return "mariadb://lab@127.0.0.1:" + place.port() + "/"; }};
}

}  // namespace lab::testbed
