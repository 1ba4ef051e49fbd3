// The log's promises: whole JSON lines, no flood, no secret, and a run that goes on when the file fails.
// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class LogTest : public testing::Test {
 public:
  LogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "log-test-XXXXXX").string();
    LAB_CHECK(::mkdtemp(name.data()) != nullptr, "a temporary directory is needed");
    directory_ = name;
    file_ = directory_ / "log.jsonl";
  }
  ~LogTest() override {
    log_set_line_hook({});
    log_stop();
    ignore(remove_tree(directory_), "a test's rest");
  }

 protected:
  void start(LogOptions options = {}) {
    options.file = file_;
    ASSERT_TRUE(log_start(options, time_));
  }

  /// Runs `work` and returns what it wrote to standard error.
  std::string terminal(const std::function<void()>& work) {
    testing::internal::CaptureStderr();
    work();
    return testing::internal::GetCapturedStderr();
  }

  /// Standard error goes nowhere.
  void quietly(const std::function<void()>& work) { static_cast<void>(terminal(work)); }

  /// Each line must be JSON.
  std::vector<json> lines() {
    std::vector<json> all;
    const std::string bytes = *read_file(file_);
    EXPECT_TRUE(bytes.empty() || bytes.back() == '\n');
    for (const std::string& line : split(bytes, '\n'))
      if (!line.empty()) all.push_back(json::parse(line));
    return all;
  }

  /// held_back of each line of the file, 0 where it is absent.
  std::vector<std::uint64_t> held_back() {
    std::vector<std::uint64_t> all;
    for (const json& line : lines()) all.push_back(line.value("held_back", std::uint64_t{0}));
    return all;
  }

  std::filesystem::path directory_{};
  std::filesystem::path file_{};
  ScriptedTime time_{};
};

TEST_F(LogTest, WritesJsonLinesThatReadBack) {
  start();
  const std::string odd("quote\" back\\slash\nline\x1b[31m \xff\0end", 33);
  quietly([&] { log_event(LogLevel::kWarning, "it \"happened\"\n", {{"what", odd}, {"empty", ""}}); });
  const auto all = lines();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["level"], "warning");
  EXPECT_EQ(all[0]["event"], "it \"happened\"\n");
  EXPECT_EQ(all[0]["fields"]["what"], to_valid_utf8(odd));
  EXPECT_EQ(all[0]["fields"]["empty"], "");
  EXPECT_FALSE(all[0].contains("held_back"));
  EXPECT_THAT(all[0]["time"].get<std::string>(), testing::MatchesRegex("2...-..-..T..:..:..\\....Z"));
}

TEST_F(LogTest, WritesOneLineOfTextWithoutControlCharacters) {
  start();
  const std::string text = terminal([] {
    log_event(LogLevel::kError, "lost\nit",
              {{"reason", "went \x1b[2J away"}, {"system", "files"}, {"note", ""}, {"said", "\"no\""}});
  });
  EXPECT_THAT(
      text,
      HasSubstr(
          "Z error lost\\nit reason=\"went \\x1b[2J away\" system=files note=\"\" said=\"\\\"no\\\"\"\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(LogTest, WritesJsonToTheTerminalWhereAsked) {
  start({.format = LogFormat::kJson});
  const std::string text = terminal([] { log_event(LogLevel::kInfo, "started {} %v", {{"a", "b"}}); });
  EXPECT_EQ(json::parse(text), lines().at(0));
  EXPECT_EQ(json::parse(text)["event"], "started {} %v");
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  start({.level = LogLevel::kWarning});
  const std::string text = terminal([] {
    log_event(LogLevel::kInfo, "small");
    log_event(LogLevel::kWarning, "large");
  });
  EXPECT_THAT(text, Not(HasSubstr("small")));
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(LogTest, AppendsAndClosesALineThatAnEarlierProcessLeftOpen) {
  ASSERT_TRUE(write_file_atomic(file_, "{\"event\":\"old\"}\n{\"ev"));
  start();
  quietly([] { log_event(LogLevel::kInfo, "new"); });
  const std::string bytes = *read_file(file_);
  EXPECT_THAT(bytes, HasSubstr("{\"event\":\"old\"}\n{\"ev\n{\"time\""));
}

TEST_F(LogTest, HoldsBackAFloodAndTellsHowMany) {
  start();
  const std::string text = terminal([&] {
    for (int i = 0; i < 100; ++i) log_event(LogLevel::kError, "server gone", {{"try", std::to_string(i)}});
    log_event(LogLevel::kError, "another message");
    log_event(LogLevel::kWarning, "server gone");
    time_.advance(seconds(29));
    log_event(LogLevel::kError, "server gone");
    time_.advance(seconds(1));
    log_event(LogLevel::kError, "server gone");
    log_event(LogLevel::kError, "server gone");
    time_.advance(seconds(15));
    log_event(LogLevel::kError, "server gone");
    time_.advance(seconds(15));
    log_event(LogLevel::kError, "server gone");
  });
  EXPECT_THAT(held_back(), ElementsAre(0, 0, 0, 0, 0, 0, 0, 96, 2));
  EXPECT_THAT(text, HasSubstr("(96 held back)"));
  EXPECT_EQ(lines()[5]["event"], "another message");
  EXPECT_EQ(lines()[6]["level"], "warning");
}

TEST_F(LogTest, BeginsAnewAfterQuiet) {
  start();
  quietly([&] {
    for (int i = 0; i < 6; ++i) log_event(LogLevel::kError, "a");
    time_.advance(seconds(30));
    for (int i = 0; i < 6; ++i) log_event(LogLevel::kError, "a");
  });
  // What the first flood held back is told before the second one begins.
  EXPECT_THAT(held_back(), ElementsAre(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0));
}

TEST_F(LogTest, TellsAtTheEndWhatIsStillHeldBack) {
  start();
  quietly([&] {
    for (int i = 0; i < 8; ++i) log_event(LogLevel::kError, "a");
    log_stop();
  });
  EXPECT_THAT(held_back(), ElementsAre(0, 0, 0, 0, 0, 3));
  EXPECT_EQ(lines().back()["event"], "a");
}

TEST_F(LogTest, NeverTellsASecret) {
  start();
  log_redact("pa/ss");
  log_redact("pa/ss and more");
  log_redact("");
  const std::string text = terminal([] {
    log_event(LogLevel::kError, "url postgresql://lab:pa/ss@host and pa/ss and more",
              {{"encoded", "lab:pa%2Fss@host"}, {"pa/ss", "key"}, {"twice", "pa/sspa/ss"}});
  });
  const std::string file = *read_file(file_);
  for (const std::string& written : {text, file}) {
    EXPECT_THAT(written, Not(HasSubstr("pa/ss")));
    EXPECT_THAT(written, Not(HasSubstr("pa%2Fss")));
    EXPECT_THAT(written, Not(HasSubstr("and more")));
  }
  EXPECT_EQ(lines()[0]["event"], "url postgresql://lab:***@host and ***");
  EXPECT_EQ(lines()[0]["fields"]["twice"], "******");
}

TEST_F(LogTest, AShortSecretLeavesTheTextReadable) {
  log_redact("q");
  EXPECT_EQ(log_redacted("quite a question for lab:q@host"), "quite a question for lab:***@host");
}

TEST_F(LogTest, CallsTheHookAroundEachLineOnTheTerminal) {
  start({.level = LogLevel::kInfo});
  const std::string text = terminal([] {
    log_set_line_hook([] { std::fputs("<", stderr); }, [] { std::fputs(">", stderr); });
    log_event(LogLevel::kDebug, "not written");
    log_event(LogLevel::kInfo, "written");
    log_set_line_hook({});
    log_event(LogLevel::kInfo, "without");
  });
  EXPECT_EQ(text.front(), '<');
  EXPECT_THAT(text, HasSubstr("written\n>"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '<'), 1);
}

TEST_F(LogTest, GoesOnWhenTheFileFails) {
  file_ = "/dev/full";
  start();
  const std::string text = terminal([] {
    log_event(LogLevel::kInfo, "one");
    log_event(LogLevel::kInfo, "two");
  });
  EXPECT_THAT(text, HasSubstr("one"));
  EXPECT_THAT(text, HasSubstr("two"));
  EXPECT_THAT(text, HasSubstr("No space left"));
  const std::size_t told = text.find("cannot be written");
  ASSERT_NE(told, std::string::npos);
  EXPECT_EQ(text.find("cannot be written", told + 1), std::string::npos) << "told once";
  EXPECT_EQ(log_lines_lost(), 2U);
}

TEST_F(LogTest, TakesBackTheLineThatDidNotFit) {
  start();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto write_some = [](const char* what) {
    for (int i = 0; i < 5; ++i)
      log_event(LogLevel::kInfo, what + std::to_string(i), {{"text", std::string(200, 'x')}});
  };
  // Standard error is a file during the capture, and the limit is for it too.
  log_set_line_hook([] { static_cast<void>(::ftruncate(STDERR_FILENO, 0) == 0); });
  quietly([&] {
    write_some("full ");
    ::setrlimit(RLIMIT_FSIZE, &before);
    write_some("free ");
  });
  ::signal(SIGXFSZ, handler);
  const auto all = lines();
  EXPECT_EQ(all.size() + log_lines_lost(), 10U);
  EXPECT_GT(log_lines_lost(), 0U);
  EXPECT_EQ(all[0]["event"], "full 0");
  EXPECT_EQ(all.back()["event"], "free 4");
}

TEST_F(LogTest, SaysThatItsFileCannotBeOpenedAndStillLogs) {
  const Status status = log_start({.file = directory_ / "missing" / "log.jsonl"}, time_);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(terminal([] { log_event(LogLevel::kInfo, "still here"); }), HasSubstr("still here"));
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  start();
  quietly([] {
    std::vector<std::jthread> threads;
    for (int number = 0; number < 4; ++number)
      threads.emplace_back([number] {
        for (int i = 0; i < 100; ++i)
          log_event(LogLevel::kInfo, std::to_string(number * 1000 + i), {{"text", std::string(200, 'x')}});
      });
  });
  EXPECT_EQ(lines().size(), 400U);
}

TEST(LogLevelNames, ReadBack) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError})
    EXPECT_EQ(*parse_log_level(to_string(level)), level);
  const auto unknown = parse_log_level("warnin");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().detail, HasSubstr("'warning'"));
}

}  // namespace
}  // namespace lab
