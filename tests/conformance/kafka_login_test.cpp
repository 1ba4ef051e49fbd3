// Kafka's logins, encryption and rights, on a broker of this test that has them all and a CA of its own.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <csignal>
#include <thread>

#include "certificates.hpp"
#include "conformance.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "core/text.hpp"
#include "driver/waiting.hpp"
#include "drivers/kafka/admin.hpp"
#include "drivers/kafka/admin_calls.hpp"
#include "drivers/kafka/client.hpp"
#include "drivers/kafka/kafka.hpp"
#include "servers.hpp"
#include "testbed/recipes.hpp"
#include "testbed/testbed.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPassword = "the-right-words";  // Of this broker alone, which lives for seconds.
constexpr const char* kCluster = "bGFiLXRlc3Qta2Fma2EtbG";
constexpr int kScramMends = 0x020601ff;  // The first librdkafka whose SCRAM Kafka 4 takes.

/// Where prepare() finds the certificates: a recipe's functions know nothing but the server's place.
fs::path& certificates() {
  static fs::path folder;
  return folder;
}

std::string logins(const testbed::Place& place) {
  std::string text = fmt::format(
      "listeners=PLAINTEXT://127.0.0.1:{0},CONTROLLER://127.0.0.1:{1},SASL_PLAINTEXT://127.0.0.1:{2},"
      "SSL://127.0.0.1:{3},SASL_SSL://127.0.0.1:{4}\n"
      "advertised.listeners=PLAINTEXT://127.0.0.1:{0},SASL_PLAINTEXT://127.0.0.1:{2},SSL://127.0.0.1:{3},"
      "SASL_SSL://127.0.0.1:{4}\n"
      "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,"
      "SSL:SSL,SASL_SSL:SASL_SSL\n"
      "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
      "super.users=User:ANONYMOUS;User:lab\n"
      "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n"
      "ssl.keystore.type=PEM\nssl.keystore.location={5}\n",
      place.port(0), place.port(1), place.port(2), place.port(3), place.port(4),
      (certificates() / "server.pem").string());
  for (const char* listener : {"sasl_plaintext", "sasl_ssl"}) {
    text += fmt::format(
        "listener.name.{0}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule "
        "required user_lab=\"{1}\" user_bench=\"{1}\";\n",
        listener, kPassword);
    for (const char* mechanism : {"scram-sha-256", "scram-sha-512"})
      text += fmt::format(
          "listener.name.{}.{}.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule "
          "required;\n",
          listener, mechanism);
  }
  return text;
}

/// The testbed's broker, made anew with more listeners and with a user whose password SCRAM knows.
Status prepare(const testbed::Place& place, testbed::Preparation& preparation, const CallContext& call) {
  LAB_TRY(testbed::kafka_recipe().prepare(place, preparation, call));
  const auto usual = read_file(place.home / "server.properties");
  if (!usual) return usual.error();
  LAB_TRY(preparation.write("server.properties", *usual + logins(place)));  // The last line of a name counts.
  std::error_code failure;
  fs::remove_all(place.data(), failure);
  LAB_TRY(preparation.make_folder("data"));
  Command format{.argv = {place.file("java"), "-cp", place.file("libs") + "/*", "kafka.tools.StorageTool",
                          "format", "-t", kCluster, "-c", (place.home / "server.properties").string()}};
  for (const char* mechanism : {"SCRAM-SHA-256", "SCRAM-SHA-512"}) {
    format.argv.emplace_back("--add-scram");
    format.argv.push_back(fmt::format("{}=[name=lab,password={}]", mechanism, kPassword));
  }
  const auto formatted = preparation.run(format);
  return formatted ? ok() : Status(formatted.error());
}

testbed::Recipe broker() {
  testbed::Recipe recipe = testbed::kafka_recipe();
  recipe.ports = 5;
  recipe.prepare = prepare;
  recipe.url = [](const testbed::Place& place) {
    return fmt::format("{},{},{}", place.port(2), place.port(3), place.port(4));
  };
  return recipe;
}

class KafkaServerLogins : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = broker().find({.given = {}, .folders = testbed::server_folders()});
    if (!found && !server_required("kafka")) GTEST_SKIP() << found.error().detail;
    ASSERT_TRUE(found) << found.error().text();
    certificates() = folder_.path() / "certificates";
    fs::create_directories(certificates());
    ASSERT_NO_FATAL_FAILURE(make_certificates(certificates()));
    const auto up = bed().up(broker(), within(120s));
    ASSERT_TRUE(up) << up.error().text();
    const auto status = bed().status(broker(), within(20s));
    ASSERT_TRUE(status) << status.error().text();
    const auto ports = split(status->url, ',');
    ASSERT_EQ(ports.size(), 3U);
    ports_ = {{"sasl_plaintext", ports[0]}, {"ssl", ports[1]}, {"sasl_ssl", ports[2]}};
  }
  void TearDown() override {
    const auto down = bed().down(broker(), within(60s));
    EXPECT_TRUE(down) << down.error().text();
  }

  testbed::Testbed bed() const {
    return testbed::Testbed({.state = folder_.path() / "state",
                             .directory = {},
                             .search = {.given = {}, .folders = testbed::server_folders()}});
  }

  std::string plain_url(const std::string& user) const {
    return fmt::format("kafka://{}@127.0.0.1:{}?security=sasl_plaintext&mechanism=PLAIN", user,
                       ports_.at("sasl_plaintext"));
  }
  /// Of a user who has no rights yet.
  SystemConfig bench_in(const std::string& space) const {
    SystemConfig bench;
    bench.url = plain_url("bench");
    bench.password = kPassword;
    bench.run_id = "rights";
    bench.options["namespace"] = space;
    return bench;
  }
  /// Who may give them.
  Result<std::unique_ptr<kafka::Client>> connect_lab() const {
    const auto address = kafka::parse_address(plain_url("lab"));
    if (!address) return address.error();
    return kafka::Client::connect({.address = *address, .password = kPassword}, kafka::Client::Kind::kReader,
                                  kafka::reader_settings(), within(20s), "test");
  }

  /// Loads, counts and removes, as a run does. Errors: of the first call that failed.
  Status use(const std::string& url, const std::string& password) const {
    SystemConfig config;
    config.url = url;
    config.password = password;
    config.run_id = "login";
    config.options["namespace"] = "dedup-login";
    const SystemEntry entry = kafka_system();
    {
      auto session = entry.open(config, within(20s));
      if (!session) return session.error();
      auto driver = (*session)->open_driver(within(20s));
      if (!driver) return driver.error();
      LAB_TRY((*driver)->reset(within(20s)));
      LAB_TRY((*driver)->put_batch(within(20s), views(made_many(0, 10, 1'000))));
      const auto count = (*driver)->count(within(20s));
      if (!count) return count.error();
      EXPECT_EQ(*count, 10U);
    }
    return entry.remove(config, within(20s));
  }

  TemporaryFolder folder_{};
  std::map<std::string, std::string> ports_{};
};

/// User `lab` may do everything, `bench` only what it is given. What was given is in force a moment later.
TEST_F(KafkaServerLogins, TheRightsOfSetupAreEnoughForARunAndItsUndoTakesNoOthers) {
  const auto config_of = [&](const char* user, const char* space) {
    SystemConfig config;
    config.url = fmt::format("kafka://{}@127.0.0.1:{}?security=sasl_plaintext&mechanism=PLAIN", user,
                             ports_.at("sasl_plaintext"));
    config.password = kPassword;
    config.options = {{"namespace", space}, {"lab_user", "bench"}};
    return config;
  };
  const SystemConfig bench = config_of("bench", "dedup-login");
  const auto may = [&] { return use(bench.url, kPassword); };
  const auto wait_for = [&](bool wanted) {
    return poll_until(within(20s), 200ms, "test",
                      [&]() -> Result<bool> { return may().has_value() == wanted; });
  };
  const Status before = may();
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().code, ErrorCode::kRefused) << before.error().text();
  const auto admin = kafka_system().admin(config_of("lab", "dedup-login"));
  const auto other = kafka_system().admin(config_of("lab", "dedup-other"));
  ASSERT_TRUE(admin && other);
  for (int time = 0; time < 2; ++time) {
    const Status applied = (*admin)->apply(within(20s));
    ASSERT_TRUE(applied) << applied.error().text();
  }
  const Status given = wait_for(true);
  EXPECT_TRUE(given) << given.error().text();
  for (const Finding& finding : kafka_system().examine(bench, within(20s))) {
    EXPECT_TRUE(finding.passed) << finding.what << ": " << finding.detail;
    EXPECT_EQ(finding.detail.find("does not tell its settings"), std::string::npos) << finding.detail;
  }
  ASSERT_TRUE((*other)->apply(within(20s)));
  ASSERT_TRUE((*other)->undo(within(20s)));
  std::this_thread::sleep_for(1s);
  const Status kept = may();
  EXPECT_TRUE(kept) << kept.error().text();
  const Status undone = (*admin)->undo(within(20s));
  ASSERT_TRUE(undone) << undone.error().text();
  EXPECT_TRUE(wait_for(false)) << "the rights are still there";
  EXPECT_TRUE((*admin)->undo(within(20s))) << "a second time changes nothing";
}

/// All that is known of the topics whose names begin with `prefix`: how much they hold, and their settings.
std::string state_of(kafka::Client& client, const std::string& prefix) {
  const auto cluster = client.topics(within(20s), "test");
  if (!cluster) return cluster.error().text();
  std::string text;
  for (const kafka::TopicState& topic : cluster->topics) {
    if (!topic.name.starts_with(prefix)) continue;
    const auto marks = client.watermarks(within(20s), "test", topic.name);
    const auto settings = kafka::describe_topic(client, within(20s), "test", topic.name);
    EXPECT_TRUE(marks && settings) << topic.name;
    if (!marks || !settings) continue;
    text += fmt::format("{} {}..{}", topic.name, marks->low, marks->high);
    for (const auto& [key, value] : kafka::own_settings(*settings)) text += fmt::format(" {}={}", key, value);
    text += "\n";
  }
  return text;
}

/// What the user `bench` has in a namespace, given and taken by `lab`.
class Bench {
 public:
  Bench(kafka::Client& lab, const std::string& prefix, SystemConfig config)
      : lab_(lab), config_(std::move(config)) {
    kafka::Store store;
    store.names.prefix = prefix;
    rules_ = kafka::rules_of(store, "bench");
    EXPECT_TRUE(kafka::create_acls(lab_, within(20s), "test", rules_));
  }

  /// Until examine finds nothing missing. Rights that are given are in force a moment later.
  void has_all() {
    EXPECT_TRUE(poll_until(within(20s), 100ms, "test", [&]() -> Result<bool> { return failures().empty(); }))
        << join(failures(), "; ");
  }

  /// Takes one right on topics; examine names it, and no other.
  void misses(rd_kafka_AclOperation_t operation, const std::string& name) {
    SCOPED_TRACE(name);
    const std::vector<kafka::AclRule> one = rules_on(operation);
    ASSERT_EQ(one.size(), 1U);
    ASSERT_TRUE(kafka::delete_acls(lab_, within(20s), "test", one));
    const std::string words = "the right " + name + " is missing";
    EXPECT_TRUE(poll_until(within(20s), 100ms, "test", [&]() -> Result<bool> {
      const auto found = failures();
      return !found.empty() && found.front().find(words) != std::string::npos;
    })) << join(failures(), "; ");
    for (const std::string& failure : failures())
      EXPECT_TRUE(failure.find("is missing") == std::string::npos || failure.find(words) != std::string::npos)
          << failure;
  }
  void gets(rd_kafka_AclOperation_t operation) {
    ASSERT_TRUE(kafka::create_acls(lab_, within(20s), "test", rules_on(operation)));
    has_all();
  }

 private:
  std::vector<std::string> failures() const {
    std::vector<std::string> all;
    for (const Finding& finding : kafka_system().examine(config_, within(20s)))
      if (!finding.passed) all.push_back(finding.what + ": " + finding.detail);
    return all;
  }
  std::vector<kafka::AclRule> rules_on(rd_kafka_AclOperation_t operation) const {
    std::vector<kafka::AclRule> some;
    for (const kafka::AclRule& rule : rules_)
      if (rule.operation == operation && rule.resource == RD_KAFKA_RESOURCE_TOPIC) some.push_back(rule);
    return some;
  }

  kafka::Client& lab_;
  SystemConfig config_;
  std::vector<kafka::AclRule> rules_{};
};

TEST_F(KafkaServerLogins, ARightThatIsMissingIsFoundBeforeARunAndTheSearchWritesNothing) {
  const std::string space = "dedup-rights";
  const SystemConfig bench = bench_in(space);
  auto lab = connect_lab();
  ASSERT_TRUE(lab) << lab.error().text();
  Bench user(**lab, space, bench);
  user.has_all();
  for (const auto& [operation, name] : {std::pair{RD_KAFKA_ACL_OPERATION_CREATE, "Create"},
                                        {RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS, "AlterConfigs"}}) {
    user.misses(operation, name);
    user.gets(operation);
  }
  EXPECT_EQ(state_of(**lab, space), "") << "no topic was there, and none is";
  {
    auto session = kafka_system().open(bench, within(20s));
    ASSERT_TRUE(session) << session.error().text();
    auto driver = (*session)->open_driver(within(20s));
    ASSERT_TRUE(driver) << driver.error().text();
    ASSERT_TRUE((*driver)->reset(within(20s)));
    ASSERT_TRUE((*driver)->put_batch(within(20s), views(made_many(0, 10, 1'000))));
  }
  const std::string before = state_of(**lab, space);
  EXPECT_NE(before.find("dedup-rights-0 0..10"), std::string::npos) << before;
  for (const auto& [operation, name] : {std::pair{RD_KAFKA_ACL_OPERATION_READ, "Read"},
                                        {RD_KAFKA_ACL_OPERATION_WRITE, "Write"},
                                        {RD_KAFKA_ACL_OPERATION_DELETE, "Delete"},
                                        {RD_KAFKA_ACL_OPERATION_CREATE, "Create"},
                                        {RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS, "AlterConfigs"}}) {
    user.misses(operation, name);
    user.gets(operation);
  }
  EXPECT_EQ(state_of(**lab, space), before);
  ASSERT_TRUE(kafka_system().remove(bench, within(20s)));
}

TEST_F(KafkaServerLogins, WithoutDescribeConfigsOnTheClusterTheRightIsNamedAndNotTheDirectory) {
  const std::string space = "dedup-cluster";
  SystemConfig bench = bench_in(space);
  auto lab = connect_lab();
  ASSERT_TRUE(lab) << lab.error().text();
  kafka::Store store;
  store.names.prefix = space;
  std::vector<kafka::AclRule> rules = kafka::rules_of(store, "bench");
  std::erase_if(rules, [](const kafka::AclRule& rule) {
    return rule.operation == RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS &&
           rule.resource != RD_KAFKA_RESOURCE_TOPIC;
  });
  ASSERT_TRUE(kafka::create_acls(**lab, within(20s), "test", rules));
  const auto said = [&](bool passed) {
    std::vector<std::string> all;
    for (const Finding& finding : kafka_system().examine(bench, within(20s)))
      if (finding.passed == passed) all.push_back(finding.what + ": " + finding.detail);
    return all;
  };
  const std::string words = "the right DescribeConfigs on the cluster is missing";
  EXPECT_TRUE(poll_until(within(20s), 100ms, "test", [&]() -> Result<bool> { return said(false).empty(); }))
      << join(said(false), "; ") << ": without a directory it is a warning";
  EXPECT_NE(join(said(true), "\n").find(words), std::string::npos);
  const auto status = bed().status(broker(), within(20s));
  ASSERT_TRUE(status) << status.error().text();
  bench.directory = status->directory;
  const auto failures = said(false);
  ASSERT_EQ(failures.size(), 1U) << join(failures, "; ");
  EXPECT_TRUE(failures[0].starts_with("rights: ")) << failures[0];
  EXPECT_NE(failures[0].find(words), std::string::npos) << failures[0];
  const auto session = kafka_system().open(bench, within(20s));
  ASSERT_FALSE(session);
  EXPECT_NE(session.error().detail.find(words), std::string::npos) << session.error().text();
}

/// Of topics that are not there a broker tells nothing about deleting, so the session asks behind its marker.
TEST_F(KafkaServerLogins, WithoutTheRightToDeleteNoObjectIsWritten) {
  const std::string space = "dedup-keep";
  const SystemConfig bench = bench_in(space);
  auto lab = connect_lab();
  ASSERT_TRUE(lab) << lab.error().text();
  kafka::Store store;
  store.names.prefix = space;
  std::vector<kafka::AclRule> rules = kafka::rules_of(store, "bench");
  std::erase_if(rules,
                [](const kafka::AclRule& rule) { return rule.operation == RD_KAFKA_ACL_OPERATION_DELETE; });
  ASSERT_TRUE(kafka::create_acls(**lab, within(20s), "test", rules));
  std::string said;
  EXPECT_TRUE(poll_until(within(20s), 100ms, "test", [&]() -> Result<bool> {
    const auto session = kafka_system().open(bench, within(20s));
    said = session ? "it was opened" : session.error().text();
    return said.find("the right Delete is missing") != std::string::npos;
  })) << said;
  const std::string left = state_of(**lab, space);
  EXPECT_TRUE(left.starts_with("dedup-keep-marker 0..0 ")) << left;
  EXPECT_EQ(left.find('\n'), left.size() - 1) << left;
}

/// A process that does nothing for as long as this lives.
class Stopped {
 public:
  explicit Stopped(pid_t pid) : pid_(pid) { EXPECT_EQ(::kill(pid_, SIGSTOP), 0); }
  ~Stopped() { ::kill(pid_, SIGCONT); }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

 private:
  pid_t pid_;
};

TEST_F(KafkaServerLogins, ABrokerThatHangsHoldsNeitherACallNorTheEndOfASessionUp) {
  const auto status = bed().status(broker(), within(20s));
  ASSERT_TRUE(status) << status.error().text();
  ASSERT_GT(status->pid, 0);
  SystemConfig config;
  config.url = fmt::format("kafka://lab@127.0.0.1:{}?security=sasl_plaintext&mechanism=PLAIN",
                           ports_.at("sasl_plaintext"));
  config.password = kPassword;
  config.run_id = "hang";
  config.options["namespace"] = "dedup-hang";
  auto session = kafka_system().open(config, within(20s));
  ASSERT_TRUE(session) << session.error().text();
  auto driver = (*session)->open_driver(within(20s));
  ASSERT_TRUE(driver) << driver.error().text();
  ASSERT_TRUE((*driver)->reset(within(20s)));
  const auto address = kafka::parse_address(config.url);
  ASSERT_TRUE(address) << address.error().text();
  auto client =
      kafka::Client::connect({.address = *address, .password = kPassword}, kafka::Client::Kind::kReader,
                             kafka::reader_settings(), within(20s), "test");
  ASSERT_TRUE(client) << client.error().text();
  const auto marks = (*client)->watermarks(within(20s), "test", "dedup-hang-marker");
  ASSERT_TRUE(marks) << marks.error().text();
  EXPECT_LT(marks->low, marks->high) << "the lock is a record";
  {
    const Stopped hung(status->pid);
    const Made object = made(1, "what the broker never says that it has");
    const Status put = (*driver)->put(within(2s), object.view());
    ASSERT_FALSE(put) << "in the client's queue is not at the broker";
    auto begun = Clock::now();
    const auto none = (*client)->watermarks(within(2s), "test", "dedup-hang-marker");
    ASSERT_FALSE(none);
    const ErrorCode code = none.error().code;  // Later releases of librdkafka cut the connection themselves.
    EXPECT_TRUE(code == ErrorCode::kTimeout || code == ErrorCode::kConnectionLost) << none.error().text();
    EXPECT_LT(Clock::now() - begun, 5s);
    begun = Clock::now();
    driver->reset();
    session->reset();
    EXPECT_LT(Clock::now() - begun, 15s) << "a request of librdkafka may take 60 s";
  }
}

/// So what librdkafka is refused with is not the broker's or the password's fault.
TEST_F(KafkaServerLogins, TheBrokersOwnClientLogsInByScram) {
  const auto found = broker().find({.given = {}, .folders = testbed::server_folders()});
  ASSERT_TRUE(found);
  const fs::path settings = folder_.path() / "client.properties";
  ASSERT_TRUE(write_file_atomic(
      settings,
      fmt::format("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n"
                  "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
                  "username=\"lab\" password=\"{}\";\n",
                  kPassword)));
  const auto ended = run_command(
      within(60s),
      {.argv = {found->files.at("java"), "-cp", found->files.at("libs").string() + "/*",
                "org.apache.kafka.tools.TopicCommand", "--bootstrap-server",
                "127.0.0.1:" + ports_.at("sasl_plaintext"), "--command-config", settings, "--list"}});
  ASSERT_TRUE(ended) << ended.error().text();
  EXPECT_EQ(ended->exit_code, 0) << ended->output;
}

TEST_F(KafkaServerLogins, EachKindIsSpokenOrRefusedAndNoneFallsBackToPlainText) {
  const std::string ca = "&tls_ca=" + (certificates() / "ca.pem").string();
  const std::string other_ca = "&tls_ca=" + (certificates() / "other-ca.pem").string();
  struct Case {
    const char* what = "";
    const char* security = "";
    std::string mechanism{};
    const char* host = "";
    std::string more{};
    const char* password = "";
    bool taken = false;
  };
  const bool scram = rd_kafka_version() >= kScramMends;
  const Case cases[] = {
      {"password", "sasl_plaintext", "PLAIN", "127.0.0.1", "", kPassword, true},
      {"wrong password", "sasl_plaintext", "PLAIN", "127.0.0.1", "", "wrong-words", false},
      {"encrypted", "ssl", "", "127.0.0.1", ca, "", true},
      {"unknown CA", "ssl", "", "127.0.0.1", "", "", false},
      {"another CA", "ssl", "", "127.0.0.1", other_ca, "", false},
      {"a name that the certificate has not", "ssl", "", "localhost", ca, "", false},
      {"password, encrypted", "sasl_ssl", "PLAIN", "127.0.0.1", ca, kPassword, true},
      {"wrong password, encrypted", "sasl_ssl", "PLAIN", "127.0.0.1", ca, "wrong-words", false},
      {"SCRAM", "sasl_plaintext", "SCRAM-SHA-256", "127.0.0.1", "", kPassword, scram},
      {"SCRAM, wrong password", "sasl_plaintext", "SCRAM-SHA-256", "127.0.0.1", "", "wrong-words", false},
      {"SCRAM, encrypted", "sasl_ssl", "SCRAM-SHA-512", "127.0.0.1", ca, kPassword, scram},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    const std::string user = one.mechanism.empty() ? "" : "lab@";
    const std::string mechanism = one.mechanism.empty() ? "" : "&mechanism=" + one.mechanism;
    const Status used = use(fmt::format("kafka://{}{}:{}?security={}{}{}", user, one.host,
                                        ports_.at(one.security), one.security, mechanism, one.more),
                            one.password);
    EXPECT_EQ(used.has_value(), one.taken) << (used ? "taken" : used.error().text());
    if (used || one.taken) continue;
    EXPECT_EQ(used.error().text().find(one.password), one.password[0] == '\0' ? 0U : std::string::npos)
        << used.error().text();
    EXPECT_EQ(used.error().code, ErrorCode::kRefused) << used.error().text();
    const bool says_version = used.error().detail.find("librdkafka 2.6.1") != std::string::npos;
    EXPECT_EQ(says_version, one.mechanism.starts_with("SCRAM") && !scram) << used.error().text();
  }
}

}  // namespace
}  // namespace lab
