// Ports behind which no server of the right kind answers: every command that looks at one says so soon, and
// in the same words. SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

using Json = nlohmann::json;
using std::chrono::seconds;

/// Its kernel takes connections; nobody reads them.
class SilentPort {
 public:
  SilentPort() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool listens = ::bind(listener_.get(), any, size) == 0 && ::listen(listener_.get(), 64) == 0 &&
                         ::getsockname(listener_.get(), any, &size) == 0;
    EXPECT_TRUE(listens);
    number_ = ntohs(address.sin_port);
  }
  std::string url(const std::string& start) const { return fmt::format("{}127.0.0.1:{}", start, number_); }

 private:
  FileHandle listener_;
  std::uint16_t number_ = 0;
};

class UnreachedServer : public ProgramTest {
 protected:
  std::filesystem::path plan_of(const std::vector<std::pair<std::string, std::string>>& urls) const {
    std::string text =
        "[run]\nseed = 1\nrepetitions = 1\n[dataset]\npayloads = [\"random_binary\"]\ngrades = [\"U0\"]\n"
        "objects = 10\nobject_size = \"16 KiB\"\n[stages]\nchains = [[\"bulk_insert\"]]\n";
    for (const auto& [system, url] : urls)
      text += fmt::format("[systems.{}]\nurl = \"{}\"\ndirectory = \"{}\"\n", system, url, root_.string());
    return write("plan.toml", text);
  }

  /// What doctor says of the connection of each server, in its order.
  std::vector<std::string> told_by_doctor(const std::filesystem::path& plan) const {
    const Ended ended = run({"doctor", plan, "--json"});
    EXPECT_EQ(ended.exit_code, 3) << ended.err;
    std::vector<std::string> all;
    for (const Json& check : Json::parse(ended.out))
      if (std::string name = check["check"]; name.ends_with(" connection"))
        all.push_back(name.substr(0, name.find(' ')) + ": " + std::string(check["detail"]));
    return all;
  }
};

TEST_F(UnreachedServer, ThatIsSilentIsToldSoonAndInTheSameWordsByDoctorCleanAndSetup) {
  const SilentPort port;
  const auto plan = plan_of({{"redis", port.url("redis://")}});
  const auto told = told_by_doctor(plan);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("it did not answer in time"), std::string::npos) << told[0];
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"clean", plan}, {"setup", plan, "--apply"}, {"setup", plan, "--undo"}}) {
    SCOPED_TRACE(command[0] + " " + command.back());
    const auto begun = std::chrono::steady_clock::now();
    const Ended ended = run(command);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(30));
    EXPECT_EQ(ended.exit_code, 3) << ended.err;
    EXPECT_NE(ended.out.find(told[0]), std::string::npos) << told[0] << "\nnot in\n" << ended.out;
  }
}

TEST_F(UnreachedServer, SeveralAreToldInTheTimeOfOneAndInThePlansOrder) {
  const SilentPort port;
  const auto begun = std::chrono::steady_clock::now();
  const auto told = told_by_doctor(plan_of({{"redis", port.url("redis://")},
                                            {"postgresql", port.url("postgresql://lab@")},
                                            {"clickhouse", port.url("clickhouse://lab@")},
                                            {"mariadb", port.url("mariadb://lab@")},
                                            {"cockroachdb", port.url("postgresql://lab@")},
                                            {"kafka", port.url("kafka://") + "?security=plaintext"}}));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(25)) << "one by one it takes 39 s";
  std::string order;
  for (const std::string& line : told) {
    order += line.substr(0, line.find(':')) + " ";
    EXPECT_NE(line.find("it did not answer in time"), std::string::npos) << line;
  }
  EXPECT_EQ(order, "redis postgresql clickhouse mariadb cockroachdb kafka ");
}

TEST_F(UnreachedServer, IsTheOneOfThePlanWhateverVariablesOfClientLibrariesSay) {
  const auto plan =
      plan_of({{"postgresql", "postgresql://lab@127.0.0.1:1"}, {"mariadb", "mariadb://lab@127.0.0.1:1"}});
  const Ended plain = run({"doctor", plan});
  EXPECT_NE(plain.out.find("Connection refused"), std::string::npos) << plain.out;
  const Ended with_variables = deduplab({"doctor", plan}, scratch_,
                                        {{"PGSERVICE", "nowhere"},
                                         {"PGOPTIONS", "-c fsync=off"},
                                         {"PGSSLMODE", "no such mode"},
                                         {"PGPORT", "2"}});
  EXPECT_EQ(with_variables.out, plain.out);
}

}  // namespace
}  // namespace lab::e2e
