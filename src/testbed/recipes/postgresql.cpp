// PostgreSQL: initdb, database `lab` and its extensions made before anybody can connect.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "testbed/ask.hpp"
#include "testbed/recipes.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

/// Debian's folders, which are not in PATH, the newest version first.
std::vector<fs::path> version_folders() {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code failure;
  for (fs::directory_iterator entry("/usr/lib/postgresql", failure), end; !failure && entry != end;
       entry.increment(failure))
    found.emplace_back(std::atoi(entry->path().filename().c_str()), entry->path() / "bin");
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> folders;
  for (const auto& [version, folder] : found) folders.push_back(folder);
  return folders;
}

Result<Installation> find(const ProgramSearch& search) {
  const auto server = search.program("postgresql", "postgres", version_folders());
  if (!server) return server.error();
  // Its tools of the same version.
  const fs::path folder = fs::path(*server).parent_path();
  const auto maker = find_program((folder / "initdb").string());
  if (!maker) return maker.error();
  return Installation{{{"postgres", *server}, {"initdb", *maker}}, {}};
}

/// Settings of the server, as arguments: docs/testbed.md says why each.
std::vector<std::string> settings(const Place& place) {
  std::vector<std::string> words;
  for (const char* setting :
       {"listen_addresses=127.0.0.1", "unix_socket_directories=", "autovacuum=off", "wal_recycle=off",
        "min_wal_size=32MB", "shared_preload_libraries=pg_stat_statements"}) {
    words.emplace_back("-c");
    words.emplace_back(setting);
  }
  words.emplace_back("-p");
  words.push_back(place.port());
  return words;
}

Status run_sql(const Place& place, Preparation& preparation, const std::string& database,
               const std::string& sql) {
  Command single{.argv = {place.file("postgres"), "--single", "-D", place.data().string(), database}};
  single.input = sql;
  const auto said = preparation.run(single);
  if (!said) return said.error();
  // In this mode an error in a statement does not change the exit code.
  if (said->find("ERROR:") == std::string::npos) return ok();
  return Error{ErrorCode::kRefused, "testbed.prepare", *said};
}

Status prepare(const Place& place, Preparation& preparation, const CallContext& /*call*/) {
  LAB_TRY(preparation.write("password", place.password + "\n"));
  const auto made = preparation.run(
      {.argv = {place.file("initdb"), "-D", place.data().string(), "-U", "lab", "--auth=scram-sha-256",
                "--pwfile=" + (place.home / "password").string(), "--no-sync", "-E", "UTF8", "--locale=C"}});
  if (!made) return made.error();
  LAB_TRY(preparation.remove("password"));
  LAB_TRY(run_sql(place, preparation, "postgres", "create database lab\n"));
  return run_sql(place, preparation, "lab",
                 "create extension pg_stat_statements\ncreate extension pgstattuple\n");
}

Command command(const Place& place) {
  Command server{.argv = {place.file("postgres"), "-D", place.data().string()}};
  for (std::string& word : settings(place)) server.argv.push_back(std::move(word));
  return server;
}

Result<bool> answers(const Place& place, const CallContext& call) {
  return accepts_login(place.ports[0], "lab", "lab", call);
}

}  // namespace

Recipe postgresql_recipe() {
  return {.name = "postgresql",
          .refuses_root = true,
          .stop_signal = SIGINT,  // "Fast": SIGTERM would wait for clients.
          .find = find,
          .prepare = prepare,
          .command = command,
          .answers = answers,
          .url = [](const Place& place) { return "postgresql://lab@127.0.0.1:" + place.port() + "/lab"; }};
}

}  // namespace lab::testbed
