// SPDX-License-Identifier: Apache-2.0
#include "program_test_support.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace lab::e2e {

namespace fs = std::filesystem;

namespace {

/// NAME=value of our own, with these in their place.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& own) {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!own.contains(std::string(text.substr(0, text.find('='))))) all.emplace_back(text);
  }
  for (const auto& [key, value] : own) all.push_back(key + "=" + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Not by fork: where a test has threads, as a session has, a child that asks for memory may wait for ever.
/// Returns 0, or errno's.
int spawn(std::vector<std::string>& arguments, const fs::path& scratch, std::vector<std::string> environment,
          pid_t& pid) {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  constexpr int kFresh = O_CREAT | O_TRUNC | O_WRONLY;
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (scratch / "out").c_str(), kFresh, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (scratch / "err").c_str(), kFresh, 0600);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  const std::vector<char*> argv = pointers_to(arguments);
  const std::vector<char*> envp = pointers_to(environment);
  const int failure = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

}  // namespace

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Program::Program(std::vector<std::string> arguments, fs::path scratch,
                 const std::map<std::string, std::string>& environment)
    : scratch_(std::move(scratch)) {
  fs::create_directories(scratch_);
  const int failure = spawn(arguments, scratch_, environment_with(environment), pid_);
  if (failure == 0) return;
  ADD_FAILURE() << arguments[0] << ": " << std::strerror(failure);
  pid_ = -1;
  reaped_ = true;
  status_ = 127 << 8;  // As a shell says of a program that is not there.
}

Program::~Program() {
  if (reaped_ || pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status_, 0);
}

bool Program::running() {
  if (!reaped_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) reaped_ = true;
  return !reaped_;
}

void Program::signal(int number) const { ::kill(pid_, number); }

Ended Program::wait(std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (running() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (running()) {
    ADD_FAILURE() << "the program was still there after " << limit.count() << " s";
    signal(SIGKILL);
    ::waitpid(pid_, &status_, 0);
    reaped_ = true;
  }
  const int code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  return {code, text_of(scratch_ / "out"), text_of(scratch_ / "err")};
}

Ended deduplab(std::vector<std::string> arguments, const fs::path& scratch,
               const std::map<std::string, std::string>& environment) {
  arguments.insert(arguments.begin(), LAB_PROGRAM_PATH);
  return Program(std::move(arguments), scratch, environment).wait();
}

void ProgramTest::SetUp() {
  std::string name = (fs::temp_directory_path() / "program_XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  root_ = fs::path(name) / "work";
  scratch_ = fs::path(name) / "scratch";
  fs::create_directories(root_);
  fs::create_directories(scratch_);
}

void ProgramTest::TearDown() { fs::remove_all(root_.parent_path()); }

fs::path ProgramTest::write(const std::string& name, const std::string& text) const {
  std::ofstream(root_ / name) << text;
  return root_ / name;
}

fs::path ProgramTest::small_plan(int repetitions, const std::string& more) const {
  return write("small.toml", R"([run]
seed = 42
repetitions = )" + std::to_string(repetitions) +
                                 R"(
[dataset]
payloads = ["random_binary"]
grades = ["U0", "U50"]
objects = 20
object_size = "16 KiB"
[stages]
chains = [["bulk_insert"], ["perfile_insert", "perfile_delete", "maintenance", "refill"]]
[settle]
window = "20ms"
interval = "10ms"
idle = "20ms"
[systems.files]
[systems.cas]
)" + more);
}

std::map<std::string, std::string> tree_of(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    all[entry.path().lexically_relative(folder).string()] =
        entry.is_regular_file() ? text_of(entry.path()) : "";
  return all;
}

Figures figures_of(const fs::path& run_directory) {
  Figures all;
  const auto results = nlohmann::json::parse(text_of(run_directory / "results.json"), nullptr, false);
  EXPECT_TRUE(results.is_object()) << "results.json of " << run_directory;
  if (!results.is_object()) return all;
  for (const auto& stage : results["stages"]) {
    if (stage["superseded"].get<bool>()) continue;
    const std::string key = stage["cell_id"].get<std::string>() + "|" + stage["chain"].get<std::string>() +
                            "|" + stage["stage"].get<std::string>();
    EXPECT_FALSE(all.contains(key)) << "counts twice: " << key;
    StageFigures& figures = all[key];
    figures.valid = stage["valid"].get<bool>();
    if (!stage.contains("stored_bytes")) continue;
    for (const auto& [probe, bytes] : stage["stored_bytes"].items())
      if (probe != "filesystem") figures.stored_bytes[probe] = bytes.get<std::int64_t>();
  }
  return all;
}

namespace {

constexpr std::int64_t kExtentBlocks = 2 * 4096;

bool agree(const StageFigures& left, const StageFigures& right) {
  const auto near = [](const auto& mine, const auto& other) {
    const bool blocks = mine.first.starts_with("files") || mine.first == "extents";
    const std::int64_t slack = blocks ? kExtentBlocks : 0;
    return mine.first == other.first && std::llabs(mine.second - other.second) <= slack;
  };
  return left.valid == right.valid && left.stored_bytes.size() == right.stored_bytes.size() &&
         std::equal(left.stored_bytes.begin(), left.stored_bytes.end(), right.stored_bytes.begin(), near);
}

std::string text_of_figures(const Figures& all, const std::string& key) {
  const auto found = all.find(key);
  if (found == all.end()) return "none";
  return (found->second.valid ? "valid " : "not valid ") + nlohmann::json(found->second.stored_bytes).dump();
}

}  // namespace

std::string difference_of(const Figures& left, const Figures& right) {
  std::string text;
  const auto add = [&](const std::string& key) {
    text += key + "\n  " + text_of_figures(left, key) + "\n  " + text_of_figures(right, key) + "\n";
  };
  for (const auto& [key, figures] : left)
    if (const auto other = right.find(key); other == right.end() || !agree(figures, other->second)) add(key);
  for (const auto& [key, figures] : right)
    if (!left.contains(key)) add(key);
  return text;
}

}  // namespace lab::e2e
