// ClickHouse: its only user is `lab`, whose password stands as a digest in the users' file.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/hash.hpp"
#include "testbed/ask.hpp"
#include "testbed/recipes.hpp"

namespace lab::testbed {
namespace {

Result<Installation> find(const ProgramSearch& search) {
  const auto server = search.program("clickhouse", "clickhouse-server");
  if (!server) return server.error();
  return Installation{{{"clickhouse-server", *server}}, {}};
}

/// The root element has its old name: versions from 18 on know it. docs/testbed.md says why each setting.
std::string config_text(const Place& place) {
  const std::string home = place.home.string();
  return fmt::format(R"(<yandex>
  <logger><level>warning</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{}</http_port>
  <tcp_port>{}</tcp_port>
  <path>{}/data/</path>
  <tmp_path>{}/tmp/</tmp_path>
  <user_files_path>{}/files/</user_files_path>
  <format_schema_path>{}/schemas/</format_schema_path>
  <users_config>{}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size>
  <merge_tree><old_parts_lifetime>1</old_parts_lifetime></merge_tree>
</yandex>
)",
                     place.port(0), place.port(1), home, home, home, home, home);
}

std::string users_text(const Place& place) {
  return fmt::format(R"(<yandex>
  <profiles><default></default></profiles>
  <quotas><default></default></quotas>
  <users>
    <lab>
      <password_sha256_hex>{}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
    </lab>
  </users>
</yandex>
)",
                     to_hex(sha256(place.password)));
}

Status prepare(const Place& place, Preparation& preparation, const CallContext& /*call*/) {
  for (const char* name : {"data", "files", "schemas"}) LAB_TRY(preparation.make_folder(name));
  LAB_TRY(preparation.write("users.xml", users_text(place)));
  return preparation.write("config.xml", config_text(place));
}

Command command(const Place& place) {
  return {.argv = {place.file("clickhouse-server"), "--config-file=" + (place.home / "config.xml").string()}};
}

Result<bool> answers(const Place& place, const CallContext& call) {
  const auto said = http_get(place.ports[0], "/ping", call);
  return said && said->starts_with("200 Ok.");
}

}  // namespace

Recipe clickhouse_recipe() {
  return {.name = "clickhouse",
          .ports = 2,
          .find = find,
          .prepare = prepare,
          .command = command,
          .answers = answers,
          .url = [](const Place& place) { return "clickhouse://lab@127.0.0.1:" + place.port(); }};
}

}  // namespace lab::testbed
