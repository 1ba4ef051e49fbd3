// What the tests of this folder share: a directory that removes itself, records, and child processes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "journal/journal.hpp"

namespace lab::journal_test {

namespace fs = std::filesystem;

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (fs::temp_directory_path() / "journal-test-XXXXXX").string();
    LAB_CHECK(::mkdtemp(name.data()) != nullptr, "a temporary directory is needed");
    path_ = name;
  }
  ~TempDirectory() {
    ::chmod(path_.c_str(), 0755);
    ignore(remove_tree(path_), "a test's rest");
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const fs::path& path() const { return path_; }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(path_)) all.insert(entry.path().filename().string());
    return all;
  }

 private:
  fs::path path_;
};

inline RunInfo some_run() {
  return {.run_id = "run-1",
          .seed = 18'446'744'073'709'551'615ULL,
          .started_ms = 1'700'000'000'123,
          .plan_toml = "[run]\nseed = 1 # \xC3\xA9\n",
          .plan_hash = "abc",
          .tool = "deduplab 0.1.0"};
}

inline std::string cell_name(std::uint64_t number) { return "system=files;n=" + std::to_string(number); }

/// Record `number`: everything in it follows from the number, so that a reader can tell whether it is whole.
inline StageRecord some_record(std::uint64_t number, const std::string& stage = "bulk_insert") {
  StageRecord record;
  record.cell.system = "files";
  record.cell.variant = "default";
  record.cell.dataset.payload = "random_binary";
  record.cell.dataset.objects = number;
  record.cell.mode = "blob";
  record.cell.cache = "warm";
  record.cell_id = cell_name(number);
  record.chain = "bulk_insert>maintenance";
  record.stage = stage;
  record.valid = true;
  record.objects = number;
  record.after_bytes = {{"files", static_cast<std::int64_t>(number) * 4096}};
  record.maintenance = std::string(number % 500, 'm');
  return record;
}

inline std::vector<Sample> some_samples(std::uint64_t number, std::size_t count) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i)
    samples.push_back({.timestamp_ms = static_cast<std::int64_t>(1'000 + i),
                       .metric = "files",
                       .value = static_cast<double>(number) + static_cast<double>(i) / 8,
                       .unit = "bytes"});
  return samples;
}

inline bool operator_equal(const Sample& a, const Sample& b) {
  return a.timestamp_ms == b.timestamp_ms && a.metric == b.metric && a.value == b.value && a.unit == b.unit;
}

inline bool equal(const std::vector<Sample>& a, const std::vector<Sample>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), operator_equal);
}

/// A finished attempt with one record.
inline Status add_cell(Journal& journal, std::uint64_t number, std::size_t samples = 3) {
  const auto attempt = journal.begin_attempt("block", cell_name(number));
  if (!attempt) return attempt.error();
  LAB_TRY(journal.add_stage(*attempt, some_record(number), some_samples(number, samples)));
  return journal.finish_attempt(*attempt);
}

inline std::unique_ptr<Journal> created(const fs::path& directory, const JournalOptions& options = {}) {
  auto journal = Journal::create(directory, some_run(), options);
  EXPECT_TRUE(journal) << journal.error().text();
  return journal ? std::move(*journal) : nullptr;
}

inline std::unique_ptr<JournalReader> reading(const fs::path& directory) {
  auto reader = JournalReader::open(directory);
  EXPECT_TRUE(reader) << reader.error().text();
  return reader ? std::move(*reader) : nullptr;
}

inline Result<std::vector<StoredStage>> all_stages(JournalReader& reader) {
  std::vector<StoredStage> all;
  LAB_TRY(reader.each_stage([&](const StoredStage& stage) {
    all.push_back(stage);
    return ok();
  }));
  return all;
}

/// Opens a reader of its own.
inline Result<std::vector<StoredStage>> stages_in(const fs::path& directory) {
  auto reader = JournalReader::open(directory);
  if (!reader) return std::move(reader).error();
  return all_stages(**reader);
}

/// Runs `work` in a child, that ends without destructors, and returns its answer: empty is success.
/// As nobody (where this process is root), so that permissions count.
enum class ChildUser { kSame, kNobody };
inline std::string in_child(ChildUser user, const std::function<std::string()>& work) {
  int ends[2] = {};
  LAB_CHECK(::pipe(ends) == 0, "a pipe is needed");
  const pid_t child = ::fork();
  if (child == 0) {
    const bool drop = user == ChildUser::kNobody && ::geteuid() == 0;
    std::string answer = "the child could not become nobody";
    if (!drop || (::setgroups(0, nullptr) == 0 && ::setgid(65534) == 0 && ::setuid(65534) == 0))
      answer = work();
    const bool told = answer.empty() || ::write(ends[1], answer.data(), answer.size()) > 0;
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  std::string answer;
  char buffer[4096];
  while (true) {
    const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
    if (got <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0 && answer.empty()) answer = "the child ended with status " + std::to_string(status);
  return answer;
}

}  // namespace lab::journal_test
