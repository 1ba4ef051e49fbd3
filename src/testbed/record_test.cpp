// What is written down of a server is read back as it was; anything else is refused.
// SPDX-License-Identifier: Apache-2.0
#include "testbed/record.hpp"

#include <gtest/gtest.h>

#include "core/testing/temporary_folder.hpp"

namespace lab::testbed {
namespace {

ServerRecord sample() {
  ServerRecord record;
  record.system = "redis";
  record.token = "0123456789abcdef0123456789abcdef";
  record.phase = Phase::kReady;
  record.process = ProcessStamp{4711, "123456", "a-boot"};
  record.ports = {1025, 65535};
  record.home = "/tmp/with \"quotes\" and ü/home";
  record.installation = {{{"server", "/usr/bin/server"}}, "this in place of that"};
  record.user = "nobody";
  record.started_ms = 1'700'000'000'123;
  return record;
}

/// The record's text with one part replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = to_text(sample());
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(TestbedRecord, EveryFieldComesBack) {
  const ServerRecord record = sample();
  const auto back = parse_record(to_text(record));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->system, record.system);
  EXPECT_EQ(back->token, record.token);
  EXPECT_EQ(back->phase, record.phase);
  EXPECT_EQ(back->process, record.process);
  EXPECT_EQ(back->ports, record.ports);
  EXPECT_EQ(back->home, record.home);
  EXPECT_EQ(back->installation.files, record.installation.files);
  EXPECT_EQ(back->installation.stand_in, record.installation.stand_in);
  EXPECT_EQ(back->user, record.user);
  EXPECT_EQ(back->started_ms, record.started_ms);
}

TEST(TestbedRecord, ARecordBeforeAnyProcessHasNone) {
  ServerRecord record = sample();
  record.process.reset();
  record.phase = Phase::kPreparing;
  const auto back = parse_record(to_text(record));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_FALSE(back->process.has_value());
}

TEST(TestbedRecord, WhatIsNoRecordIsRefused) {
  const std::pair<const char*, std::string> cases[] = {
      {"nothing", ""},
      {"cut short", to_text(sample()).substr(0, 60)},
      {"another format", changed("\"format\": 1", "\"format\": 2")},
      {"an unknown phase", changed("\"ready\"", "\"bored\"")},
      {"a port out of range", changed("65535", "\"x\"")},
      {"process 1", changed("\"pid\": 4711", "\"pid\": 1")},
      {"a negative process, which is a group", changed("\"pid\": 4711", "\"pid\": -4711")},
      {"no token", changed("0123456789abcdef0123456789abcdef", "")},
      {"a relative home", changed("\"/tmp/with", "\"tmp/with")},
  };
  for (const auto& [what, text] : cases) {
    SCOPED_TRACE(what);
    const auto record = parse_record(text);
    ASSERT_FALSE(record);
    EXPECT_EQ(record.error().code, ErrorCode::kCorruption);
  }
}

TEST(TestbedRecord, AMissingFileIsNoRecordAndADamagedOneIsNamed) {
  const TemporaryFolder folder;
  const auto missing = load_record(folder.path() / "server.json");
  ASSERT_TRUE(missing);
  EXPECT_FALSE(missing->has_value());
  ASSERT_TRUE(write_file_atomic(folder.path() / "server.json", "{"));
  const auto damaged = load_record(folder.path() / "server.json");
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().detail.find("server.json"), std::string::npos);
  ASSERT_TRUE(save_record(folder.path() / "server.json", sample()));
  EXPECT_TRUE(load_record(folder.path() / "server.json"));
}

}  // namespace
}  // namespace lab::testbed
