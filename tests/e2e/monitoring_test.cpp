// A run whose volume is seen through a real Prometheus that goes away half-way and comes back.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "../probes/prometheus_server.hpp"
#include "core/text.hpp"
#include "driver/waiting.hpp"
#include "probe/testing/scripted_http.hpp"
#include "probe/tree_size.hpp"
#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kPassword = "hunter2";
constexpr std::int64_t kJournal = 4 << 20;  // Held by the volume beside the files.

class Monitoring : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    const auto found = PrometheusServer::program();
    const char* const list = std::getenv("LAB_REQUIRE");  // NOLINT(concurrency-mt-unsafe): nobody sets it.
    const auto names = split(list == nullptr ? "" : list, ',');
    const bool required = std::find(names.begin(), names.end(), "prometheus") != names.end();
    if (!found && !required) GTEST_SKIP() << found.error().text() << "; scripts/setup servers installs it";
    ASSERT_TRUE(found) << found.error().text();
    server_.emplace(exporters_.port(), kPassword, Millis{1'000});
    start();
  }

  /// Until it has a fresh figure.
  void start() {
    const Status started = server_->start();
    ASSERT_TRUE(started) << started.error().text();
    Prometheus prometheus({{.url = server_->url(), .user = "lab", .secret = kPassword}, Millis{5'000}});
    const CallContext soon{Clock::now() + Millis{30'000}, {}};
    const Status scraped = poll_until(soon, Millis{50}, "test.wait", [&]() -> Result<bool> {
      const auto samples = prometheus.query({"longhorn_volume_actual_size_bytes", {}}, soon);
      return samples && !samples->empty();
    });
    ASSERT_TRUE(scraped) << scraped.error().text();
  }

  /// What Longhorn and the kubelet would say of a volume that holds these files and is trimmed at once.
  ScriptedHttp::Answer exporters() const {
    const fs::path roots[] = {root_ / "volume"};
    std::error_code failure;
    fs::create_directories(roots[0], failure);
    const auto tree = measure_tree(roots, [](const fs::path&) { return FilePart::kPayload; });
    if (!tree) return {500, tree.error().text()};
    const std::int64_t used = tree->allocated.count;
    return {200, fmt::format(
                     "kube_persistentvolumeclaim_info{{namespace=\"db\",persistentvolumeclaim=\"data-0\","
                     "volumename=\"v\"}} 1\n"
                     "longhorn_volume_robustness{{volume=\"v\",node=\"n\",state=\"healthy\"}} 1\n"
                     "longhorn_engine_replica_mode{{volume=\"v\",replica=\"r1\",mode=\"RW\"}} 1\n"
                     "longhorn_engine_replica_mode{{volume=\"v\",replica=\"r2\",mode=\"RW\"}} 1\n"
                     "kubelet_volume_stats_used_bytes{{namespace=\"db\",persistentvolumeclaim=\"data-0\"}} "
                     "{}\nlonghorn_volume_actual_size_bytes{{volume=\"v\",node=\"n\"}} {}\n",
                     used, used + kJournal)};
  }

  /// `files` needs the volume's figure, `sqlite` takes it where it is there.
  std::string plan() const {
    const auto system = [&](const char* name, const char* probes) {
      return fmt::format("[systems.{}]\npath = \"{}\"\nvolume = \"longhorn:db/data-0\"\nprobes = {}\n", name,
                         (root_ / "volume" / name).string(), probes);
    };
    return write("plan.toml",
                 "[run]\nseed = 7\nrepetitions = 1\norder_of_work = \"plan\"\n"
                 "[dataset]\npayloads = [\"random_binary\"]\ngrades = [\"U0\", \"U50\"]\nobjects = 20\n"
                 "object_size = \"64 KiB\"\ncaches = [\"cold\"]\n"
                 "[stages]\nchains = [[\"bulk_insert\"]]\n"
                 "[settle]\nwindow = \"20ms\"\ninterval = \"200ms\"\nlimit = \"90s\"\nidle = \"20ms\"\n"
                 "[prometheus]\nurl = \"" +
                     server_->url() +
                     "\"\nuser = \"lab\"\npassword_env = \"MONITORING_PASSWORD\"\nsample_age = \"5s\"\n"
                     "kubelet_age = \"1s\"\n" +
                     system("files", "[\"files\", \"volume\"]") + system("sqlite", "[\"files\"]"))
        .string();
  }
  std::string out() const { return (root_ / "out").string(); }
  Ended run_as(const std::string& password, std::vector<std::string> arguments) const {
    return deduplab(std::move(arguments), scratch_, {{"MONITORING_PASSWORD", password}});
  }

  /// Waits until cells of `system` are valid; false where the program has ended before.
  bool wait_for(Program& program, const std::string& system) const {
    for (int tries = 0; tries < 2'000 && program.running(); ++tries) {
      const Ended status = deduplab({"--json", "status", out()}, root_.parent_path() / "scratch2");
      const json figures = json::parse(status.out, nullptr, false);
      if (figures.is_object() && figures["systems"][system].value("valid", 0) > 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
  std::vector<json> stages_of(const std::string& system) const {
    std::vector<json> found;
    const json results = json::parse(tree_of(out())["results.json"], nullptr, false);
    if (!results.is_object()) {
      ADD_FAILURE() << "no results.json";
      return found;
    }
    for (const json& stage : results["stages"])
      if (stage["system"] == system && !stage["superseded"].get<bool>()) found.push_back(stage);
    return found;
  }

  /// The volume's figure is that of the files on it, which the exporters have measured by themselves.
  static void expect_measured(const json& stage) {
    ASSERT_TRUE(stage["valid"].get<bool>()) << stage["reason"];
    EXPECT_EQ(stage["stored_bytes"]["volume"], stage["stored_bytes"]["files"]);
    EXPECT_EQ(stage["storage_copies"], 2.0);
    EXPECT_DOUBLE_EQ(stage["edr_cluster"]["volume"].get<double>(), stage["edr"]["volume"].get<double>() / 2);
  }
  static void expect_no_figure(const json& stage) {
    EXPECT_FALSE(stage.value("after_bytes", json::object()).contains("volume")) << stage.dump(1);
    EXPECT_FALSE(stage.value("stored_bytes", json::object()).contains("volume"));
    EXPECT_FALSE(stage.value("edr", json::object()).contains("volume"));
    EXPECT_FALSE(stage.contains("storage_copies"));
    EXPECT_NE(stage["missing"]["volume"].dump().find("asked 3 times"), std::string::npos) << stage["missing"];
  }

  ScriptedHttp exporters_{[this](const auto&) { return exporters(); }};
  std::optional<PrometheusServer> server_{};
};

TEST_F(Monitoring, WhereItStopsHalfWayCellsAreInvalidNothingIsInventedAndResumeCompletesThem) {
  const std::string file = plan();
  Program program({LAB_PROGRAM_PATH, "run", file, "--out", out(), "--no-progress"}, scratch_,
                  {{"MONITORING_PASSWORD", kPassword}});
  ASSERT_TRUE(wait_for(program, "files")) << program.wait().err;
  server_->stop();
  const Ended ended = program.wait();
  EXPECT_EQ(ended.exit_code, 1) << ended.err;
  EXPECT_NE(ended.err.find("required probe 'volume' is missing"), std::string::npos) << ended.err;
  const auto cut = stages_of("files");
  ASSERT_EQ(cut.size(), 2U);
  std::size_t valid = 0;
  for (const json& stage : cut) {
    SCOPED_TRACE(stage["grade"].dump());
    if (stage["valid"].get<bool>()) {
      ++valid;
      expect_measured(stage);
    } else {
      EXPECT_NE(stage["reason"].dump().find("required probe 'volume' is missing"), std::string::npos);
      expect_no_figure(stage);
    }
  }
  EXPECT_EQ(valid, 1U) << "the one from before the stop";
  for (const json& stage : stages_of("sqlite")) {
    EXPECT_TRUE(stage["valid"].get<bool>()) << "the volume is not required there: " << stage["reason"];
    expect_no_figure(stage);
    EXPECT_FALSE(stage.value("edr_cluster", json::object()).contains("files")) << "copies were not counted";
    EXPECT_TRUE(stage["edr"].contains("files"));
  }
  start();
  const Ended resumed = run_as(kPassword, {"resume", out(), "--no-progress"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  const auto whole = stages_of("files");
  ASSERT_EQ(whole.size(), 2U);
  for (const json& stage : whole) expect_measured(stage);
  for (const auto& [name, text] : tree_of(out()))
    EXPECT_EQ(text.find(kPassword), std::string::npos) << name << " holds the password";
  EXPECT_EQ((ended.out + ended.err).find(kPassword), std::string::npos);
}

TEST_F(Monitoring, ALoginThatIsNotRightRefusesTheRunBeforeItWritesAndIsNotRepeated) {
  const std::string file = plan();
  const Ended wrong = run_as("hunter3", {"run", file, "--out", out(), "--no-progress"});
  EXPECT_EQ(wrong.exit_code, 3) << wrong.err;
  EXPECT_NE(wrong.err.find("HTTP status 401"), std::string::npos) << wrong.err;
  EXPECT_EQ(wrong.err.find("hunter3"), std::string::npos);
  const Ended unset = run({"run", file, "--out", out(), "--no-progress"});
  EXPECT_EQ(unset.exit_code, 3);
  EXPECT_NE(unset.err.find("the variable MONITORING_PASSWORD that password_env names is not set"),
            std::string::npos)
      << unset.err;
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(Monitoring, ADryRunSaysWhatItWouldAskAndNoSecret) {
  const std::string file = plan();
  const Ended text = run_as(kPassword, {"run", file, "--dry-run"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("volume of files: longhorn:db/data-0\n"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("prometheus: " + server_->url() +
                          " as lab, secret in the variable MONITORING_PASSWORD; samples up to 5s old\n"),
            std::string::npos)
      << text.out;
  const json all = json::parse(run_as(kPassword, {"--json", "run", file, "--dry-run"}).out, nullptr, false);
  ASSERT_TRUE(all.is_object());
  EXPECT_EQ(all["volumes"]["files"]["volume"], "longhorn:db/data-0");
  EXPECT_EQ(all["prometheus"]["user"], "lab");
  EXPECT_EQ(all["prometheus"]["password_env"], "MONITORING_PASSWORD");
  EXPECT_EQ((text.out + all.dump()).find(kPassword), std::string::npos);
}

}  // namespace
}  // namespace lab::e2e
