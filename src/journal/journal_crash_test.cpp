// What remains of a journal after kill -9, a full disk, a file cut short, or on a copy without write
// permission. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "core/random.hpp"
#include "journal/test_support.hpp"

namespace lab {
namespace {

using namespace journal_test;  // NOLINT: a test file.
using testing::ElementsAre;
using testing::HasSubstr;

/// Empty when the record is the whole one that some_record made.
std::string check_whole(JournalReader& reader, const StoredStage& stage, std::size_t samples) {
  const std::uint64_t number = stage.record.objects;
  const StageRecord want = some_record(number);
  if (stage.record.cell_id != want.cell_id || stage.record.after_bytes != want.after_bytes ||
      stage.record.maintenance != want.maintenance)
    return "record " + std::to_string(number) + " is not whole";
  const auto stored = reader.samples(stage.id);
  if (!stored) return stored.error().text();
  if (!equal(*stored, some_samples(number, samples)))
    return "samples of record " + std::to_string(number) + " are not whole";
  return "";
}

/// A run directory as a killed writer leaves it: `cells` acknowledged cells in a WAL, or not if `network`.
void leave_killed(const fs::path& directory, std::uint64_t cells, bool network = false) {
  const std::string problem = in_child(ChildUser::kSame, [&]() -> std::string {
    auto journal = Journal::create(directory, some_run(), {.network_file_system = network});
    if (!journal) return journal.error().text();
    for (std::uint64_t number = 1; number <= cells; ++number)
      if (const Status added = add_cell(**journal, number); !added) return added.error().text();
    static_cast<void>(journal->release());  // Nothing is closed: the child just ends.
    return "";
  });
  ASSERT_EQ(problem, "");
}

/// Opens what is left after damage; the records must be the first ones, whole. Returns how many, or -1 for an
/// error, that must be corruption.
int readable_prefix(const fs::path& directory, const char* what) {
  SCOPED_TRACE(what);
  auto reader = JournalReader::open(directory);
  if (!reader) {
    EXPECT_EQ(reader.error().code, ErrorCode::kCorruption) << reader.error().text();
    return -1;
  }
  std::uint64_t count = 0;
  std::string problem;
  const Status status = (*reader)->each_stage([&](const StoredStage& stage) {
    ++count;
    EXPECT_EQ(stage.record.objects, count);
    if (problem.empty()) problem = check_whole(**reader, stage, 3);
    return ok();
  });
  if (!status) {
    EXPECT_EQ(status.error().code, ErrorCode::kCorruption) << status.error().text();
    return -1;
  }
  EXPECT_EQ(problem, "");
  return static_cast<int>(count);
}

/// Without the fsyncs of write_file_atomic: hundreds of damaged copies need no power-loss safety.
void put(const fs::path& file, std::string_view bytes) {
  const auto handle = open_file(file, O_WRONLY | O_CREAT | O_TRUNC);
  ASSERT_TRUE(handle);
  ASSERT_TRUE(write_all(*handle, bytes, file));
}

void expect_writer_opens_or_says_corrupt(const fs::path& directory) {
  const auto writer = Journal::open(directory);
  if (writer) {
    EXPECT_TRUE(add_cell(**writer, 1'000));
  } else {
    EXPECT_EQ(writer.error().code, ErrorCode::kCorruption) << writer.error().text();
  }
}

TEST(JournalCutShort, IsCorruptOrAValidPrefixAtEveryLength) {
  const TempDirectory whole;
  leave_killed(whole.path(), 6);
  ASSERT_TRUE((*Journal::open(whole.path()))->close());
  const std::string bytes = *read_file(whole.path() / "journal.db");
  int complete = 0;
  for (std::size_t length = 0; length <= bytes.size(); length += 512) {
    SCOPED_TRACE(length);
    const TempDirectory cut;
    ASSERT_NO_FATAL_FAILURE(put(cut.path() / "journal.db", bytes.substr(0, length)));
    if (readable_prefix(cut.path(), "reader") == 6) ++complete;
    if (length % 4096 == 512) expect_writer_opens_or_says_corrupt(cut.path());
  }
  EXPECT_EQ(complete, 1) << "only the whole file holds everything";
}

TEST(JournalCutShort, GivesAValidPrefixWhenItsLogIsCut) {
  const TempDirectory whole;
  leave_killed(whole.path(), 6);
  const std::string bytes = *read_file(whole.path() / "journal.db");
  const std::string log = *read_file(whole.path() / "journal.db-wal");
  ASSERT_GT(log.size(), 6U * 512U);
  int before = 0;
  for (std::size_t length = 0; length <= log.size(); length += 512) {
    SCOPED_TRACE(length);
    const TempDirectory cut;
    ASSERT_NO_FATAL_FAILURE(put(cut.path() / "journal.db", bytes));
    ASSERT_NO_FATAL_FAILURE(put(cut.path() / "journal.db-wal", log.substr(0, length)));
    const int records = readable_prefix(cut.path(), "reader");
    EXPECT_GE(records, before) << "a longer log holds no less";
    before = records;
    if (length % 4096 == 512) expect_writer_opens_or_says_corrupt(cut.path());
  }
  EXPECT_EQ(before, 6);
}

TEST(JournalCutShort, IsCorruptOrValidWhenAPageIsOverwritten) {
  const TempDirectory whole;
  leave_killed(whole.path(), 6);
  ASSERT_TRUE((*Journal::open(whole.path()))->close());
  const std::string bytes = *read_file(whole.path() / "journal.db");
  for (std::size_t page = 0; page < bytes.size(); page += 4096) {
    SCOPED_TRACE(page);
    const TempDirectory damaged;
    std::string copy = bytes;
    std::fill_n(copy.begin() + static_cast<std::ptrdiff_t>(page), 4096, '\xA5');
    ASSERT_NO_FATAL_FAILURE(put(damaged.path() / "journal.db", copy));
    expect_writer_opens_or_says_corrupt(damaged.path());
    const auto reader = JournalReader::open(damaged.path());
    if (!reader) {
      EXPECT_EQ(reader.error().code, ErrorCode::kCorruption) << reader.error().text();
      continue;
    }
    const auto stages = all_stages(**reader);
    if (!stages) {
      EXPECT_EQ(stages.error().code, ErrorCode::kCorruption) << stages.error().text();
    }
  }
}

/// Writes cells first, first + 1, ... until it is killed; each number goes to `pipe` once it is acknowledged.
[[noreturn]] void write_until_killed(const fs::path& directory, std::uint64_t first, int pipe, bool network) {
  const JournalOptions options{.network_file_system = network};
  const bool is_new = !fs::exists(directory / "journal.db");
  const auto journal =
      is_new ? Journal::create(directory, some_run(), options) : Journal::open(directory, options);
  if (!journal) ::_exit(2);
  for (std::uint64_t number = first;; ++number) {
    if (!add_cell(**journal, number, number % 300)) ::_exit(3);
    if (::write(pipe, &number, sizeof number) != sizeof number) ::_exit(4);
  }
}

/// Lets a child write for `pause` after its first acknowledgement, kills it, and returns the last one.
std::uint64_t write_and_kill(const fs::path& directory, std::uint64_t first, Micros pause, bool network) {
  int ends[2] = {};
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) write_until_killed(directory, first, ends[1], network);
  ::close(ends[1]);
  std::uint64_t acknowledged = 0;
  const auto heard = [&] {
    return ::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged;
  };
  EXPECT_TRUE(heard()) << "the child must write at least one cell";
  std::this_thread::sleep_for(pause);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << status;
  while (heard()) continue;
  ::close(ends[0]);
  return acknowledged;
}

void expect_all_there(const fs::path& directory, std::uint64_t acknowledged) {
  auto reader = JournalReader::open(directory);
  ASSERT_TRUE(reader) << reader.error().text();
  std::vector<bool> found(acknowledged + 1, false);
  std::string problem;
  ASSERT_TRUE((*reader)->each_stage([&](const StoredStage& stage) {
    if (problem.empty()) problem = check_whole(**reader, stage, stage.record.objects % 300);
    if (stage.record.objects <= acknowledged && !stage.record.superseded) found[stage.record.objects] = true;
    return ok();
  }));
  EXPECT_EQ(problem, "");
  EXPECT_EQ(std::count(found.begin() + 1, found.end(), false), 0) << "acknowledged cells are missing";
}

TEST(JournalKilled, HoldsEveryAcknowledgedRecordWhole) {
  for (const bool network : {false, true}) {
    SCOPED_TRACE(network);
    const TempDirectory directory;
    Random random(7);
    std::uint64_t acknowledged = 0;
    for (int round = 0; round < (network ? 10 : 20); ++round) {
      SCOPED_TRACE(round);
      const Micros pause{static_cast<std::int64_t>(random.below(60'000))};
      acknowledged = write_and_kill(directory.path(), acknowledged + 1, pause, network);
      expect_all_there(directory.path(), acknowledged);
    }
    const auto journal = Journal::open(directory.path());
    ASSERT_TRUE(journal) << journal.error().text();
    expect_all_there(directory.path(), acknowledged);
    ASSERT_TRUE((*journal)->close());
    EXPECT_THAT(directory.names(), ElementsAre("journal.db"));
    expect_all_there(directory.path(), acknowledged);
  }
}

TEST(JournalKilled, OnALocalDiskGoesOnOnANetworkFileSystem) {
  const TempDirectory directory;
  leave_killed(directory.path(), 4);
  ASSERT_TRUE(fs::exists(directory.path() / "journal.db-wal"));
  ASSERT_TRUE(fs::remove(directory.path() / "journal.db-shm"));  // As a copy without it.
  const auto journal = Journal::open(directory.path(), {.network_file_system = true});
  ASSERT_TRUE(journal) << journal.error().text();
  for (const std::string& name : directory.names())
    EXPECT_FALSE(name.ends_with("-wal") || name.ends_with("-shm"));
  ASSERT_TRUE(add_cell(**journal, 5));
  EXPECT_EQ(readable_prefix(directory.path(), "all five"), 5);
}

/// As its owner, to whom alone a run belongs, may give it to others.
void give_to_read(const fs::path& directory) {
  for (const auto& entry : fs::directory_iterator(directory)) ::chmod(entry.path().c_str(), 0444);
  ::chmod(directory.c_str(), 0555);
}

TEST(JournalWithoutWritePermission, IsReadAsACopy) {
  for (const bool closed : {true, false}) {
    SCOPED_TRACE(closed ? "closed cleanly" : "header still in WAL mode, log gone");
    const TempDirectory directory;
    leave_killed(directory.path(), 4);
    if (closed) {
      ASSERT_TRUE((*Journal::open(directory.path()))->close());
    } else {
      Journal::open(directory.path())
          ->reset();  // Without close(): SQLite keeps the mode and removes the log.
    }
    ASSERT_THAT(directory.names(), ElementsAre("journal.db"));
    give_to_read(directory.path());
    const std::string problem = in_child(ChildUser::kNobody, [&]() -> std::string {
      const auto stages = stages_in(directory.path());
      if (!stages) return stages.error().text();
      return stages->size() == 4 ? "" : "not four records";
    });
    EXPECT_EQ(problem, "");
    EXPECT_THAT(directory.names(), ElementsAre("journal.db"));
  }
}

TEST(JournalWithoutWritePermission, SaysWhyALogCannotBeRead) {
  const TempDirectory directory;
  leave_killed(directory.path(), 4);
  ASSERT_TRUE(fs::remove(directory.path() / "journal.db-shm"));
  give_to_read(directory.path());
  const std::string words = in_child(ChildUser::kNobody, [&]() -> std::string {
    const auto stages = stages_in(directory.path());
    return stages ? "read " + std::to_string(stages->size()) : stages.error().text();
  });
  EXPECT_THAT(words, HasSubstr("left a WAL"));
  ::chmod(directory.path().c_str(), 0755);
  EXPECT_EQ(readable_prefix(directory.path(), "once it may write"), 4);
}

/// No file of this process grows above `limit` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t limit) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit now{limit, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

constexpr std::size_t kTooManySamples = 200'000;  // 3.2 MB.

/// After two cells of before and a call that failed, in a journal that still has no space.
void expect_earlier_cells_only(const fs::path& directory, const Status& failed) {
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kResourceExhausted) << failed.error().text();
  const auto stages = stages_in(directory);
  ASSERT_TRUE(stages) << stages.error().text();
  ASSERT_EQ(stages->size(), 2U);
  EXPECT_EQ(stages->back().record.objects, 2U);
}

TEST(JournalWithoutSpace, FailsTheCallAndKeepsTheRest) {
  for (const bool network : {false, true}) {
    SCOPED_TRACE(network);
    const TempDirectory directory;
    const auto journal = Journal::create(directory.path(), some_run(), {.network_file_system = network});
    ASSERT_TRUE(journal);
    for (const std::uint64_t number : {1U, 2U}) ASSERT_TRUE(add_cell(**journal, number));
    const auto attempt = (*journal)->begin_attempt("block", cell_name(3));
    ASSERT_TRUE(attempt);
    const std::vector<Sample> samples = some_samples(3, kTooManySamples);
    {
      const FileSizeLimit limit(1 << 20);
      const Status failed = (*journal)->add_stage(*attempt, some_record(3), samples);
      expect_earlier_cells_only(directory.path(), failed);
      EXPECT_TRUE((*journal)->add_event({.type = "no_space"})) << "what still fits is written";
    }
    ASSERT_TRUE((*journal)->add_stage(*attempt, some_record(3), samples));
    ASSERT_TRUE((*journal)->finish_attempt(*attempt));
    ASSERT_TRUE((*journal)->close());
    EXPECT_EQ(stages_in(directory.path())->size(), 3U);
  }
}

/// A file system of one megabyte, for as long as it lives.
class SmallFileSystem {
 public:
  explicit SmallFileSystem(const fs::path& at) : at_(at) {
    mounted_ = ::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=1m,mode=0755") == 0;
  }
  ~SmallFileSystem() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallFileSystem(const SmallFileSystem&) = delete;
  SmallFileSystem& operator=(const SmallFileSystem&) = delete;
  bool mounted() const { return mounted_; }

 private:
  fs::path at_;
  bool mounted_ = false;
};

/// Takes every free byte of the file system.
void fill(const fs::path& file) {
  auto handle = open_file(file, O_WRONLY | O_CREAT | O_APPEND);
  ASSERT_TRUE(handle);
  for (const std::size_t step : {std::size_t{65'536}, std::size_t{4'096}, std::size_t{1}})
    while (write_all(*handle, std::string(step, 'f'), file)) continue;
}

TEST(JournalWithoutSpace, GoesOnWhenTheFullDiskHasSpaceAgain) {
  const TempDirectory directory;
  const SmallFileSystem disk(directory.path());
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  for (const bool network : {false, true}) {
    SCOPED_TRACE(network);
    const fs::path run = directory.path() / (network ? "network" : "local");
    ASSERT_TRUE(make_directories(run));
    const auto journal = Journal::create(run, some_run(), {.network_file_system = network});
    ASSERT_TRUE(journal) << journal.error().text();
    for (const std::uint64_t number : {1U, 2U}) ASSERT_TRUE(add_cell(**journal, number));
    const fs::path filler = directory.path() / "filler";
    ASSERT_NO_FATAL_FAILURE(fill(filler));
    const Status failed = add_cell(**journal, 3, 10'000);
    expect_earlier_cells_only(run, failed);
    ASSERT_TRUE(fs::remove(filler));
    ASSERT_TRUE(add_cell(**journal, 3, 10'000));
    ASSERT_TRUE((*journal)->close());
    EXPECT_EQ(stages_in(run)->back().record.objects, 3U);
    ASSERT_TRUE(remove_tree(run));
  }
}

TEST(JournalWithoutSpace, LeavesNoHalfMadeFile) {
  const TempDirectory directory;
  {
    const FileSizeLimit limit(8'192);
    const auto journal = Journal::create(directory.path(), some_run());
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().code, ErrorCode::kResourceExhausted) << journal.error().text();
    EXPECT_TRUE(directory.names().empty());
  }
  EXPECT_TRUE(Journal::create(directory.path(), some_run()));
}

}  // namespace
}  // namespace lab
