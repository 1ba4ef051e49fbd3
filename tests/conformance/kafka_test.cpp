// What only a real Kafka cluster shows: topics of others, security that the broker does not speak.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/kafka.hpp"

#include <algorithm>

#include "drivers/kafka/admin_calls.hpp"
#include "drivers/kafka/producer.hpp"
#include "drivers/kafka/store.hpp"
#include "drivers/kafka/topics.hpp"
#include "server_suite.hpp"

namespace lab {
namespace {

constexpr const char* kOperation = "test";

/// A namespace of this suite's own, and a client beside the driver's, as somebody else would have.
class KafkaServer : public ServerSuite {
 protected:
  KafkaServer() : ServerSuite(kafka_system(), "dedup-kafka-suite") {}

  void SetUp() override {
    find_server();
    if (config_.url.empty()) return;
    kafka::Store store;
    ASSERT_TRUE(kafka::read_config(config_, store));
    access_ = store.access;
    auto other = kafka::Client::connect(access_, kafka::Client::Kind::kReader, kafka::reader_settings(),
                                        soon(), kOperation);
    ASSERT_TRUE(other) << other.error().text();
    other_ = std::move(*other);
    drop();  // What a run that crashed left.
  }
  void TearDown() override {
    if (other_ == nullptr) return;
    close();
    drop();
  }

  void drop() {
    const Status dropped =
        kafka::delete_topics(*other_, soon(), kOperation,
                             {"dedup-kafka-suite-0", "dedup-kafka-suite-1", "dedup-kafka-suite-2",
                              "dedup-kafka-suite-2024", "dedup-kafka-suite-marker", "dedup-kafka-suite",
                              "dedup-kafka-suite-theirs", "dedup-kafka-suite2-0"});
    ASSERT_TRUE(dropped) << dropped.error().text();
  }
  void make_topic(const std::string& name, const kafka::TopicSettings& settings) {
    const Status made = kafka::create_topics(*other_, soon(), kOperation, {name}, settings, -1);
    ASSERT_TRUE(made) << made.error().text();
  }
  bool is_there(const std::string& name) {
    const auto state = other_->topic(soon(), kOperation, name);
    EXPECT_TRUE(state) << state.error().text();
    return state && state->find(name) != nullptr;
  }
  /// As somebody else may make it, with 20 records.
  void foreign_topic(const std::string& name) {
    ASSERT_NO_FATAL_FAILURE(make_topic(name, {}));
    auto producer =
        kafka::Producer::open(access_, kafka::producer_settings("none"), soon(), kOperation, nullptr);
    ASSERT_TRUE(producer) << producer.error().text();
    for (int number = 0; number < 20; ++number) {
      const std::string key = "key " + std::to_string(number);
      const std::string value = random_bytes(static_cast<std::uint64_t>(number) + 7, 5'000);
      const Status sent =
          (*producer)->send(soon(), kOperation, name, {.key = as_bytes(key), .value = as_bytes(value)});
      ASSERT_TRUE(sent) << sent.error().text();
    }
  }
  /// Every record's offset, key and value, as one digest.
  std::string content_of(const std::string& name) {
    const auto range = other_->watermarks(soon(), kOperation, name);
    EXPECT_TRUE(range) << range.error().text();
    if (!range) return "";
    std::string all;
    const Status read =
        other_->consume(soon(), kOperation, name, *range, [&](const rd_kafka_message_t& message) {
          all += std::to_string(message.offset);
          all.append(static_cast<const char*>(message.key), message.key_len);
          all.append(static_cast<const char*>(message.payload), message.len);
          return ok();
        });
    EXPECT_TRUE(read) << read.error().text();
    return std::to_string(all.size()) + " " + to_hex(sha256(all));
  }

  kafka::Access access_{};
  std::unique_ptr<kafka::Client> other_{};
};

bool did_not_pass(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& one) { return !one.passed; });
}

TEST_F(KafkaServer, TopicsOfOthersOutliveEverything) {
  const std::vector<std::string> topics{"dedup-kafka-suite", "dedup-kafka-suite-theirs",
                                        "dedup-kafka-suite2-0"};
  std::vector<std::string> before;
  for (const std::string& topic : topics) {
    ASSERT_NO_FATAL_FAILURE(foreign_topic(topic));
    before.push_back(content_of(topic));
  }
  for (const char* variant : {"delete", "compact"}) {
    SCOPED_TRACE(variant);
    config_.variant = variant;
    ASSERT_NO_FATAL_FAILURE(open());
    const Status emptied = driver_->reset(soon());
    ASSERT_TRUE(emptied) << emptied.error().text();
    ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 20, 1'000))));
    EXPECT_EQ(*driver_->count(soon()), 20U);
    ASSERT_TRUE(driver_->erase_all(soon(), DeleteAll::kDrop));
    ASSERT_TRUE(driver_->reset(soon()));
    driver_.reset();
    session_.reset();
    const Status removed = entry_.remove(config_, soon());
    ASSERT_TRUE(removed) << removed.error().text();
    for (std::size_t index = 0; index < topics.size(); ++index)
      EXPECT_EQ(content_of(topics[index]), before[index]) << topics[index];
  }
}

TEST_F(KafkaServer, TopicsOfOurNamesWithoutOurMarkerAreRefusedAndLeft) {
  ASSERT_NO_FATAL_FAILURE(foreign_topic("dedup-kafka-suite-0"));
  const std::string before = content_of("dedup-kafka-suite-0");
  EXPECT_EQ(entry_.open(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(entry_.remove(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_TRUE(did_not_pass(entry_.examine(config_, soon())));
  EXPECT_EQ(content_of("dedup-kafka-suite-0"), before);
}

/// Nothing but what we made ourselves is emptied or dropped, whatever it is called.
TEST_F(KafkaServer, ATopicWithAContainersNameThatWeDidNotMakeIsRefusedAndLeft) {
  config_.containers = 2;
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(driver_->reset(soon()));
  ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 10, 1'000))));
  for (const char* name : {"dedup-kafka-suite-2024", "dedup-kafka-suite-1"}) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(kafka::delete_topics(*other_, soon(), kOperation, {name}));  // Ours, where it has that name.
    ASSERT_NO_FATAL_FAILURE(foreign_topic(name));
    const std::string before = content_of(name);
    const std::string ours = content_of("dedup-kafka-suite-0");
    const auto refused = [&](const Status& status) {
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, ErrorCode::kRefused) << status.error().text();
      EXPECT_NE(status.error().detail.find(name), std::string::npos) << status.error().text();
    };
    if (driver_ != nullptr) {
      refused(driver_->reset(soon()));
      refused(driver_->erase_all(soon(), DeleteAll::kDrop));
    }
    close();
    const auto opened = entry_.open(config_, soon());
    refused(opened ? ok() : Status(opened.error()));
    refused(entry_.remove(config_, soon()));
    EXPECT_TRUE(did_not_pass(entry_.examine(config_, soon())));
    EXPECT_EQ(content_of(name), before);
    EXPECT_EQ(content_of("dedup-kafka-suite-0"), ours);
    ASSERT_TRUE(kafka::delete_topics(*other_, soon(), kOperation, {name}));
  }
  const Status removed = entry_.remove(config_, soon());
  EXPECT_TRUE(removed) << removed.error().text();
}

TEST_F(KafkaServer, TopicsOfAnEarlierRunWithMoreContainersAreRemoved) {
  config_.containers = 3;
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(driver_->reset(soon()));
  close();
  ASSERT_TRUE(is_there("dedup-kafka-suite-2"));
  config_.containers = 1;
  ASSERT_NO_FATAL_FAILURE(open());
  const Status emptied = driver_->reset(soon());
  ASSERT_TRUE(emptied) << emptied.error().text();
  EXPECT_TRUE(is_there("dedup-kafka-suite-0"));
  EXPECT_FALSE(is_there("dedup-kafka-suite-1"));
  EXPECT_FALSE(is_there("dedup-kafka-suite-2"));
}

/// Releases before the mark gave the topics all other settings.
TEST_F(KafkaServer, UnmarkedTopicsAreOursOnlyWithinThePlanAndWithAllOfOurSettings) {
  kafka::TopicSettings unmarked = kafka::topic_settings(kafka::setup_of("delete"));
  ASSERT_EQ(unmarked.erase("flush.messages"), 1U);
  ASSERT_NO_FATAL_FAILURE(make_topic("dedup-kafka-suite-marker", kafka::marker_settings()));
  ASSERT_NO_FATAL_FAILURE(make_topic("dedup-kafka-suite-0", unmarked));
  ASSERT_NO_FATAL_FAILURE(open());
  close();
  ASSERT_NO_FATAL_FAILURE(make_topic("dedup-kafka-suite-1", unmarked));
  const auto opened = entry_.open(config_, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << opened.error().text();
  EXPECT_NE(opened.error().detail.find("dedup-kafka-suite-1"), std::string::npos) << opened.error().text();
  EXPECT_EQ(opened.error().detail.find("dedup-kafka-suite-0"), std::string::npos) << opened.error().text();
  config_.containers = 2;
  ASSERT_NO_FATAL_FAILURE(open());
  const Status emptied = driver_->reset(soon());
  EXPECT_TRUE(emptied) << emptied.error().text();
}

TEST_F(KafkaServer, AnOperatorsTopicsAreEmptiedOnlyUpToTheContainersOfThePlan) {
  config_.options["namespace_mode"] = "existing";
  ASSERT_NO_FATAL_FAILURE(make_topic("dedup-kafka-suite-marker", kafka::marker_settings()));
  ASSERT_NO_FATAL_FAILURE(make_topic("dedup-kafka-suite-0", {{"cleanup.policy", "delete"}}));
  ASSERT_NO_FATAL_FAILURE(foreign_topic("dedup-kafka-suite-2024"));
  const std::string before = content_of("dedup-kafka-suite-2024");
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(driver_->reset(soon()));
  ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 10, 1'000))));
  ASSERT_TRUE(driver_->reset(soon()));
  EXPECT_EQ(*driver_->count(soon()), 0U);
  close();
  const Status removed = entry_.remove(config_, soon());
  EXPECT_TRUE(removed) << removed.error().text();
  EXPECT_EQ(content_of("dedup-kafka-suite-2024"), before);
}

TEST_F(KafkaServer, ATopicWithTheMarkersNameThatIsNoMarkerIsRefusedAndLeft) {
  ASSERT_NO_FATAL_FAILURE(foreign_topic("dedup-kafka-suite-marker"));
  const std::string before = content_of("dedup-kafka-suite-marker");
  EXPECT_EQ(entry_.open(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(entry_.remove(config_, soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(content_of("dedup-kafka-suite-marker"), before);
}

TEST_F(KafkaServer, ResetRefusesOnceTheMarkerIsGone) {
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(driver_->reset(soon()));
  ASSERT_TRUE(driver_->put_batch(soon(), views(made_many(0, 10, 1'000))));
  ASSERT_TRUE(kafka::delete_topics(*other_, soon(), kOperation, {"dedup-kafka-suite-marker"}));
  EXPECT_EQ(driver_->reset(soon()).error().code, ErrorCode::kRefused);
  EXPECT_EQ(*driver_->count(soon()), 10U);
}

/// The testbed's broker lets everybody do everything.
TEST_F(KafkaServer, SetupSaysPlainlyThatABrokerHasNoAuthorizer) {
  const auto admin = entry_.admin(config_);
  ASSERT_TRUE(admin) << admin.error().text();
  for (const Status& status : {(*admin)->apply(soon()), (*admin)->undo(soon())}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kUnsupported) << status.error().text();
    EXPECT_NE(status.error().detail.find("has no authorizer"), std::string::npos) << status.error().text();
  }
}

TEST_F(KafkaServer, AUserWithoutAPasswordIsRefusedByTheNameOfTheVariable) {
  config_.url = "kafka://lab@127.0.0.1:9?security=sasl_plaintext&mechanism=PLAIN";
  config_.password = "";
  const auto opened = entry_.open(config_, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << opened.error().text();
  EXPECT_NE(opened.error().detail.find("DEDUP_KAFKA_PASSWORD"), std::string::npos) << opened.error().text();
  const auto findings = entry_.examine(config_, soon());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_FALSE(findings[0].passed);
  EXPECT_EQ(findings[0].unreached, ErrorCode::kRefused) << "the advice about a password is found by it";
}

/// The broker of the tests speaks plain text without users; each other wish is an error, none is granted in
/// plain text.
TEST_F(KafkaServer, SecurityThatTheBrokerDoesNotSpeakIsAnErrorAndNeverPlainText) {
  const std::string plain = config_.url;
  ASSERT_NE(plain.find("security=plaintext"), std::string::npos) << plain;
  const std::string host = plain.substr(0, plain.find_first_of("/?", plain.find("://") + 3));
  const std::string with_user = "kafka://lab@" + host.substr(host.find("://") + 3);
  for (const std::string& url : {host + "?security=ssl", with_user + "?security=sasl_ssl&mechanism=PLAIN",
                                 with_user + "?security=sasl_plaintext&mechanism=PLAIN",
                                 with_user + "?security=sasl_plaintext&mechanism=SCRAM-SHA-512"}) {
    SCOPED_TRACE(url);
    config_.url = url;
    config_.password = "geheim-wie-nichts";
    const auto opened = entry_.open(config_, within(15s));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().text().find("geheim"), std::string::npos) << opened.error().text();
    EXPECT_NE(opened.error().code, ErrorCode::kInvalidArgument) << opened.error().text();
    const auto findings = entry_.examine(config_, within(15s));
    EXPECT_TRUE(did_not_pass(findings));
    for (const Finding& finding : findings) EXPECT_EQ(finding.detail.find("geheim"), std::string::npos);
  }
}

}  // namespace
}  // namespace lab
