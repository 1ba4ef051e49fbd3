// Kafka: one process that is broker and controller, without a login.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "testbed/ask.hpp"
#include "testbed/recipes.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

/// Whether it is the folder of jar files of a Kafka: what starts it is in one of them.
bool has_kafka(const fs::path& folder) {
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("kafka_") && name.ends_with(".jar")) return true;
  }
  return false;
}

/// What to give in place of it: the folder of jar files near it, if there is one.
Error no_kafka(const fs::path& given) {
  std::string detail = fmt::format(
      "{}: kafka=DIR wants the folder with Kafka's jar files, 'libs' of its archive, and no kafka_*.jar is "
      "there",
      given.string());
  for (const fs::path& near :
       {given / "libs", given.parent_path() / "libs", given.parent_path().parent_path() / "libs"})
    if (has_kafka(near))
      return {ErrorCode::kNotFound, "testbed.find",
              fmt::format("{}; did you mean kafka={}?", detail, near.lexically_normal().string())};
  return {ErrorCode::kNotFound, "testbed.find", std::move(detail)};
}

/// The jar files that scripts/setup fetches; `--program kafka=DIR` names another folder of them.
Result<Installation> find(const ProgramSearch& search) {
  const auto given = search.given.find("kafka");
  if (given != search.given.end() && !has_kafka(given->second)) return no_kafka(given->second);
  const auto java = find_program("java");
  if (!java) return java.error();
  if (given != search.given.end()) return Installation{{{"java", *java}, {"libs", given->second}}, {}};
  // The set-up writes the version last: without it the jar files may not be whole.
  LAB_TRY(search.in_folders("kafka/version"));
  const auto libs = search.in_folders("kafka/libs");
  if (!libs) return libs.error();
  return Installation{{{"java", *java}, {"libs", *libs}}, {}};
}

/// docs/testbed.md says why each setting of the second half.
std::string properties(const Place& place) {
  return fmt::format(R"(process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{1}
listeners=PLAINTEXT://127.0.0.1:{0},CONTROLLER://127.0.0.1:{1},PROXIED://127.0.0.1:{2}
advertised.listeners=PLAINTEXT://127.0.0.1:{0},PROXIED://127.0.0.1:{3}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
log.dirs={4}
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
message.max.bytes=67108864
log.initial.task.delay.ms=1000
log.retention.check.interval.ms=1000
log.segment.delete.delay.ms=1000
log.cleaner.backoff.ms=1000
)",
                     place.port(0), place.port(1), place.port(2), place.port(3), place.data().string());
}

Command java(const Place& place, const std::vector<std::string>& words) {
  Command command{.argv = {place.file("java"), "-cp", place.file("libs") + "/*",
                           "-Djava.io.tmpdir=" + (place.home / "tmp").string(), "-XX:TieredStopAtLevel=1",
                           "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"}};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  return command;
}

Status prepare(const Place& place, Preparation& preparation, const CallContext& /*call*/) {
  LAB_TRY(preparation.make_folder("data"));
  LAB_TRY(preparation.write("server.properties", properties(place)));
  // 16 bytes in base64: 22 characters, of which the last has only its upper bits. The password, which Kafka
  // has no use for, is a source of random ones.
  const std::string cluster = place.password.substr(0, 21) + "g";
  const auto formatted = preparation.run(java(place, {"kafka.tools.StorageTool", "format", "-t", cluster,
                                                      "-c", (place.home / "server.properties").string()}));
  return formatted ? ok() : Status(formatted.error());
}

Command command(const Place& place) {
  return java(place, {"-Xmx512m", "kafka.Kafka", (place.home / "server.properties").string()});
}

/// An ApiVersions request, version 0, answered with the request's number.
Result<bool> answers(const Place& place, const CallContext& call) {
  const std::string request{"\0\0\0\x11\0\x12\0\0\0\0\0\x2a\0\x07testbed", 21};
  constexpr std::size_t kHead = 10;  // Length, number, error code.
  const auto said = ask(place.ports[0], request, kHead, call);
  return said && said->size() >= kHead && said->substr(4, 6) == std::string("\0\0\0\x2a\0\0", 6);
}

}  // namespace

Recipe kafka_recipe() {
  return {
      .name = "kafka",
      .ports = 4,
      .proxy = ProxyPorts{.listen = 3, .server = 2},
      .with_password = false,
      .find = find,
      .prepare = prepare,
      .command = command,
      .answers = answers,
      .url = [](const Place& place) { return "kafka://127.0.0.1:" + place.port() + "?security=plaintext"; }};
}

}  // namespace lab::testbed
