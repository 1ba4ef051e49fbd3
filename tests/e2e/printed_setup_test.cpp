// What `setup --print` prints, given to the server by the very command that its first line names.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <regex>

#include "core/text.hpp"
#include "program_test_support.hpp"
#include "server_table.hpp"

namespace lab::e2e {
namespace {

constexpr const char* kLabPassword = "for-the-lab-alone";

class PrintedSetup : public ProgramTest {
 protected:
  /// Prints the set-up of the system's server. Without a server the test is skipped, or fails where it is
  /// required: a test goes on only if `table_` is not empty.
  void print_for(const char* system) {
    const auto table = table_of(system);
    if (!table && !required(system)) GTEST_SKIP() << "no server of " << system;
    ASSERT_TRUE(table) << system << " is required, and LAB_SERVERS has no table of it";
    system_ = system;
    const Ended printed = run({"setup", plan_of(*table), "--print"});
    ASSERT_EQ(printed.exit_code, 0) << printed.err;
    const auto password = password_of(*table);
    ASSERT_TRUE(password);
    EXPECT_EQ(printed.out.find(*password), std::string::npos);
    server_password_ = *password;
    bool undo = false;
    for (const std::string& line : split(printed.out, '\n')) {
      if (line == fmt::format("-- {}, to undo:", system)) {
        undo = true;
        continue;
      }
      (undo ? undo_ : apply_) += (undo && line.starts_with("-- ") ? line.substr(3) : line) + "\n";
    }
    const std::size_t at = apply_.find("grep -v");
    ASSERT_NE(at, std::string::npos) << apply_;
    command_ = apply_.substr(at, apply_.find('\n', at) - at);
    table_ = *table;
  }

  std::string plan_of(const std::string& table) const {
    return write("plan.toml", fmt::format("[dataset]\npayloads = [\"random_binary\"]\nobjects = 10\n"
                                          "object_size = \"4 KiB\"\n[stages]\nchains = [[\"bulk_insert\"]]\n"
                                          "[systems.{}]\n{}\n",
                                          system_, table))
        .string();
  }

  /// By the printed command, to whose last program `options` are added.
  Ended give(const std::string& statements, const std::string& options,
             std::map<std::string, std::string> environment) {
    std::string command = command_;
    command.replace(command.find("FILE"), 4, write("statements", statements).string());
    return Program({"sh", "-c", command + options}, scratch_, std::move(environment)).wait();
  }

  /// Of doctor, as the user that setup makes.
  Ended doctor_as_lab() {
    std::string table = with_password_of("LAB_PASSWORD_OF_TEST", table_);
    table = std::regex_replace(table, std::regex("(://)([^@'\"/]*@)?"), "$1dedup_lab@");
    return deduplab({"doctor", plan_of(table)}, scratch_, {{"LAB_PASSWORD_OF_TEST", kLabPassword}});
  }

  std::string system_{};
  std::string table_{};
  std::string apply_{};
  std::string undo_{};
  std::string command_{};
  std::string server_password_{};
};

class RedisServerPrintedSetup : public PrintedSetup {};
class ClickhouseServerPrintedSetup : public PrintedSetup {};

TEST_F(RedisServerPrintedSetup, MakesAUserThatSufficesAndTheUndoTakesItAway) {
  print_for("redis");
  if (table_.empty()) return;
  std::smatch port;
  ASSERT_TRUE(std::regex_search(table_, port, std::regex(":([0-9]+)")));
  const std::string options = fmt::format(" -p {}", port[1].str());
  const std::map<std::string, std::string> environment{{"REDISCLI_AUTH", server_password_},
                                                       {"DEDUP_REDIS_LAB_PASSWORD", kLabPassword}};
  EXPECT_NE(doctor_as_lab().exit_code, 0) << "there is no such user yet";
  const Ended given = give(apply_, options, environment);
  EXPECT_EQ(given.exit_code, 0) << given.err;
  EXPECT_EQ(given.out, "OK\n") << "one statement, and no comment that was taken for one";
  const Ended fit = doctor_as_lab();
  EXPECT_EQ(fit.exit_code, 0) << fit.out;
  EXPECT_EQ(give(undo_, options, environment).out, "1\n");
  EXPECT_NE(doctor_as_lab().exit_code, 0);
}

/// A server without users in SQL refuses the first statement, and the client stops there as the print says.
TEST_F(ClickhouseServerPrintedSetup, MakesAUserThatSufficesOrStopsAtTheFirstStatement) {
  print_for("clickhouse");
  if (table_.empty()) return;
  std::smatch found;
  ASSERT_TRUE(std::regex_search(table_, found, std::regex("directory = ['\"]([^'\"]+)['\"]")));
  const std::string config = text_of(std::filesystem::path(found[1].str()).parent_path() / "config.xml");
  if (!std::regex_search(config, found, std::regex("<tcp_port>([0-9]+)</tcp_port>")))
    GTEST_SKIP() << "no server of the testbed: where clickhouse-client reaches it is not known";
  const auto client =
      write("client.xml",
            fmt::format("<config><user>lab</user><password>{}</password></config>", server_password_));
  const std::string options =
      fmt::format(" --host 127.0.0.1 --port {} --config-file {}", found[1].str(), client.string());
  const std::map<std::string, std::string> environment{{"DEDUP_CLICKHOUSE_LAB_PASSWORD", kLabPassword}};
  const auto ask = [&](const std::string& sql) { return give(sql + ";\n", options, environment); };
  const Ended told = ask("SELECT toUInt32(splitByChar('.', version())[1])");
  ASSERT_EQ(told.exit_code, 0) << told.err;
  const bool has_users = std::stoi(told.out) > 20;
  const Ended given = give(apply_ + "CREATE DATABASE dedup_printed_end;\n", options, environment);
  const std::string reached =
      ask("SELECT count() FROM system.databases WHERE name = 'dedup_printed_end'").out;
  ask("DROP DATABASE IF EXISTS dedup_printed_end");
  EXPECT_EQ(given.exit_code == 0, has_users) << given.err;
  EXPECT_EQ(reached, has_users ? "1\n" : "0\n");
  EXPECT_EQ(doctor_as_lab().exit_code == 0, has_users);
  if (!has_users) return;
  const Ended undone = give(undo_, options, environment);
  EXPECT_EQ(undone.exit_code, 0) << undone.err;
  EXPECT_NE(doctor_as_lab().exit_code, 0);
}

}  // namespace
}  // namespace lab::e2e
