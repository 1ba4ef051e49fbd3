// SPDX-License-Identifier: Apache-2.0
#include "probe/command_probe.hpp"

#include <gtest/gtest.h>

#include "core/log.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 30s, {}}; }

Result<ByteMap> run(const std::string& script, Millis limit = 20s) {
  return make_command_probe({.name = "pool", .argv = {"sh", "-c", script}, .limit = limit})->read(soon());
}

TEST(CommandProbe, WhatItPrintsIsTheFigure) {
  const auto read = run(R"(echo warning >&2; echo '{"bytes": 4096, "parts": {"log": 1024, "index.1": 0}}')");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read,
            (ByteMap{{"command:pool", 4'096}, {"command:pool:log", 1'024}, {"command:pool:index.1", 0}}));
  EXPECT_EQ(*run(R"(printf '{"bytes":0}')"), (ByteMap{{"command:pool", 0}}));
}

TEST(CommandProbe, ArgumentsAreNotSeenByAShell) {
  const auto probe = make_command_probe({.name = "x", .argv = {"printf", "%s", R"({"bytes": 1} $(exit))"}});
  EXPECT_EQ(probe->read(soon()).error().code, ErrorCode::kCorruption);
  EXPECT_EQ(*make_command_probe({.name = "x", .argv = {"printf", "%s", R"({"bytes": 1})"}})->read(soon()),
            (ByteMap{{"command:x", 1}}));
}

TEST(CommandProbe, OutputThatIsNotAsAgreedIsMissing) {
  for (const char* text : {"",
                           "4096",
                           "[]",
                           "null",
                           "\"4096\"",
                           "{",
                           "{}",
                           R"({"bytes": -1})",
                           R"({"bytes": 1.0})",
                           R"({"bytes": 1e3})",
                           R"({"bytes": "1"})",
                           R"({"bytes": null})",
                           R"({"bytes": true})",
                           R"({"bytes": 9223372036854775808})",
                           R"({"bytes": 18446744073709551616})",
                           R"({"bytes": NaN})",
                           R"({"bytes": 1} x)",
                           R"(x {"bytes": 1})",
                           R"({"bytes": 1}{"bytes": 2})",
                           R"({"bytes": 1, "bytes": 2})",
                           R"({"bytes": 1, "unit": "B"})",
                           R"({"Bytes": 1})",
                           R"({"bytes": 1, "parts": []})",
                           R"({"bytes": 1, "parts": {"log": -1}})",
                           R"({"bytes": 1, "parts": {"log": 2}})",
                           R"({"bytes": 9, "parts": {"log": 5, "x": 5}})",
                           R"({"bytes": 1, "parts": {"": 1}})",
                           R"({"bytes": 1, "parts": {"a b": 1}})",
                           R"({"bytes": 1, "parts": {"a": 1, "a": 0}})",
                           R"({"bytes": 1, "parts": {"a": {"b": 1}}})",
                           "{\"bytes\": 1, \"\xFF\": 1}"}) {
    SCOPED_TRACE(text);
    const auto bytes = parse_command_output(text, "command:x");
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code, ErrorCode::kCorruption);
    EXPECT_FALSE(bytes.error().detail.empty());
  }
  EXPECT_TRUE(parse_command_output(R"({"bytes": 9223372036854775807, "parts": {}})", "x"));
  EXPECT_TRUE(parse_command_output(" \n{\"bytes\": 1}\n", "x"));
}

TEST(CommandProbe, AFailureIsMissingWithTheLastOfWhatItSaid) {
  const auto failed = run(R"(echo '{"bytes": 1}'; echo one >&2; echo 'pool is away' >&2; exit 3)");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kRefused);
  EXPECT_EQ(failed.error().detail, "it ended with exit code 3: pool is away");
  EXPECT_EQ(run(R"(echo '{"bytes": 1}'; exit 3)").error().detail, "it ended with exit code 3 and no words");
  EXPECT_EQ(run("kill -9 $$").error().detail, "it ended with exit code 137 and no words");
  log_redact("hunter2");
  EXPECT_EQ(run("echo token=hunter2 >&2; exit 1").error().detail, "it ended with exit code 1: token=***");
  const auto none = make_command_probe({.name = "x", .argv = {"no-such-program-anywhere"}})->read(soon());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

TEST(CommandProbe, OneThatDoesNotEndIsEndedAtItsLimitAndIsMissing) {
  const auto began = Clock::now();
  const auto late = run(R"(echo '{"bytes": 1}'; sleep 600)", 300ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
  EXPECT_LT(Clock::now() - began, 20s);
  std::stop_source stop;
  stop.request_stop();
  const auto probe = make_command_probe({.name = "x", .argv = {"sleep", "600"}});
  EXPECT_EQ(probe->read({Clock::now() + 30s, stop.get_token()}).error().code, ErrorCode::kCancelled);
}

TEST(CommandProbe, OutputThatIsTooLongIsMissing) {
  const auto much = run(R"(head -c 100000 /dev/zero | tr '\0' ' '; echo '{"bytes": 1}')");
  ASSERT_FALSE(much);
  EXPECT_EQ(much.error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace lab
