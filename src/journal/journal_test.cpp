// What the journal promises: everything that was written comes back, and what does not count says so.
// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <thread>

#include "journal/test_support.hpp"

namespace lab {
namespace {

using namespace journal_test;  // NOLINT: a test file.
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(Journal, KeepsWhatTheRunIs) {
  const TempDirectory directory;
  ASSERT_TRUE(created(directory.path())->close());
  const auto reader = reading(directory.path());
  const RunInfo want = some_run();
  EXPECT_EQ(reader->info().run_id, want.run_id);
  EXPECT_EQ(reader->info().format, kJournalFormat);
  EXPECT_EQ(reader->info().seed, want.seed);
  EXPECT_EQ(reader->info().started_ms, want.started_ms);
  EXPECT_EQ(reader->info().plan_toml, want.plan_toml);
  EXPECT_EQ(reader->info().plan_hash, want.plan_hash);
  EXPECT_EQ(reader->info().tool, want.tool);
}

TEST(Journal, GivesBackRecordsInTheOrderOfWriting) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  for (const std::uint64_t number : {7U, 3U, 5U}) ASSERT_TRUE(add_cell(*journal, number));
  ASSERT_TRUE(journal->close());
  const auto stages = stages_in(directory.path());
  ASSERT_TRUE(stages) << stages.error().text();
  ASSERT_EQ(stages->size(), 3U);
  EXPECT_EQ((*stages)[0].record.objects, 7U);
  EXPECT_EQ((*stages)[1].record.objects, 3U);
  EXPECT_EQ((*stages)[2].record.objects, 5U);
  EXPECT_EQ((*stages)[2].record.after_bytes, (ByteMap{{"files", 5 * 4096}}));
  EXPECT_EQ((*stages)[2].block_id, "block");
  EXPECT_EQ((*stages)[2].attempt, 1);
  EXPECT_FALSE((*stages)[2].record.superseded);
}

TEST(Journal, GivesBackSamplesByTimeToTheLastBit) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  const std::vector<Sample> samples{
      {.timestamp_ms = -5, .metric = "files", .value = -0.0, .unit = "bytes"},
      {.timestamp_ms = 10, .metric = "files", .value = 0.1, .unit = "bytes"},
      {.timestamp_ms = 10, .metric = "reads", .value = 1e308, .unit = "1/s"},
      {.timestamp_ms = std::numeric_limits<std::int64_t>::max(),
       .metric = "files",
       .value = 5e-324,
       .unit = "bytes"},
  };
  const auto attempt = journal->begin_attempt("block", cell_name(1));
  ASSERT_TRUE(attempt);
  const std::vector<Sample> shuffled{samples[2], samples[0], samples[1], samples[3]};
  ASSERT_TRUE(journal->add_stage(*attempt, some_record(1), shuffled));
  ASSERT_TRUE(journal->add_stage(*attempt, some_record(1, "maintenance"), {}));
  const auto reader = reading(directory.path());
  const auto stages = all_stages(*reader);
  ASSERT_TRUE(stages);
  const auto stored = reader->samples((*stages)[0].id);
  ASSERT_TRUE(stored) << stored.error().text();
  EXPECT_TRUE(equal(*stored, samples));
  EXPECT_TRUE(std::signbit((*stored)[0].value));
  const auto none = reader->samples((*stages)[1].id);
  ASSERT_TRUE(none);
  EXPECT_THAT(*none, IsEmpty());
}

TEST(Journal, GivesBackEventsAndValues) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  const std::string odd("a\0b\n\xff", 5);
  ASSERT_TRUE(journal->add_event({.timestamp_ms = 2,
                                  .type = "retry",
                                  .system = "files",
                                  .payload = "p",
                                  .grade = "U50",
                                  .stage = "refill",
                                  .detail = odd}));
  ASSERT_TRUE(journal->add_event({.timestamp_ms = 1, .type = "run_started"}));
  ASSERT_TRUE(journal->set_value("environment", "old"));
  ASSERT_TRUE(journal->set_value("environment", odd));
  const auto reader = reading(directory.path());
  std::vector<Event> events;
  ASSERT_TRUE(reader->each_event([&](const Event& event) {
    events.push_back(event);
    return ok();
  }));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].timestamp_ms, 2);
  EXPECT_EQ(events[0].type, "retry");
  EXPECT_EQ(events[0].system, "files");
  EXPECT_EQ(events[0].payload, "p");
  EXPECT_EQ(events[0].grade, "U50");
  EXPECT_EQ(events[0].stage, "refill");
  EXPECT_EQ(events[0].detail, odd);
  EXPECT_EQ(events[1].type, "run_started");
  const auto value = reader->value("environment");
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, odd);
  const auto none = reader->value("nothing");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
}

TEST(Journal, StopsAtTheFirstErrorOfASink) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  for (const std::uint64_t number : {1U, 2U}) ASSERT_TRUE(add_cell(*journal, number));
  const auto reader = reading(directory.path());
  int calls = 0;
  const Status status = reader->each_stage([&](const StoredStage&) -> Status {
    ++calls;
    return Error{ErrorCode::kCancelled, "sink", "enough"};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST(Journal, IsNeverCreatedTwice) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  for (const char* what : {"while it is open", "after it was closed"}) {
    SCOPED_TRACE(what);
    const auto second = Journal::create(directory.path(), some_run());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kInUse);
    ASSERT_TRUE(journal->close());
  }
  EXPECT_THAT(directory.names(), ElementsAre("journal.db"));
}

TEST(Journal, IsNotCreatedBesideTheLogsOfAnother) {
  for (const char* name : {"journal.db-wal", "journal.db-journal"}) {
    SCOPED_TRACE(name);
    const TempDirectory directory;
    ASSERT_TRUE(write_file_atomic(directory.path() / name, "frames"));
    const auto journal = Journal::create(directory.path(), some_run());
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().code, ErrorCode::kRefused);
    EXPECT_THAT(journal.error().detail, HasSubstr(name));
    EXPECT_THAT(directory.names(), ElementsAre(name));
  }
}

TEST(Journal, SweepsWhatAKilledCreatorLeft) {
  const TempDirectory directory;
  ASSERT_TRUE(write_file_atomic(directory.path() / ".journal.db.123-0badcafe.new", "half"));
  ASSERT_TRUE(created(directory.path())->close());
  EXPECT_THAT(directory.names(), ElementsAre("journal.db"));
}

TEST(Journal, IsJustOneFileAfterClose) {
  for (const bool network : {false, true}) {
    SCOPED_TRACE(network);
    const TempDirectory directory;
    const auto journal = created(directory.path(), {.network_file_system = network});
    ASSERT_TRUE(add_cell(*journal, 1, 1'000));
    ASSERT_TRUE(journal->close());
    EXPECT_THAT(directory.names(), ElementsAre("journal.db"));
    EXPECT_TRUE(journal->close()) << "a second close does nothing";
    const Status late = journal->add_event({});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kRefused);
    const auto again = Journal::open(directory.path());
    ASSERT_TRUE(again) << again.error().text();
    ASSERT_TRUE((*again)->close());
    EXPECT_THAT(directory.names(), ElementsAre("journal.db"));
  }
}

TEST(Journal, OnANetworkFileSystemHasNoSharedMemory) {
  const TempDirectory directory;
  const auto free_of_shared_memory = [&] {
    for (const std::string& name : directory.names())
      if (name.ends_with("-wal") || name.ends_with("-shm")) return false;
    return true;
  };
  const auto journal = created(directory.path(), {.network_file_system = true});
  EXPECT_TRUE(free_of_shared_memory());
  const auto reader = reading(directory.path());
  for (std::uint64_t number = 1; number <= 3; ++number) {
    ASSERT_TRUE(add_cell(*journal, number));
    EXPECT_TRUE(free_of_shared_memory());
    const auto stages = all_stages(*reader);
    ASSERT_TRUE(stages) << stages.error().text();
    EXPECT_EQ(stages->size(), number);
    EXPECT_TRUE(free_of_shared_memory());
  }
  ASSERT_TRUE(journal->close());
  EXPECT_THAT(directory.names(), ElementsAre("journal.db"));
}

TEST(Journal, ReadsBesideALiveWriter) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  const auto reader = reading(directory.path());
  for (std::uint64_t number = 1; number <= 20; ++number) {
    ASSERT_TRUE(add_cell(*journal, number));
    const auto stages = all_stages(*reader);
    ASSERT_TRUE(stages) << stages.error().text();
    ASSERT_EQ(stages->size(), number);
    EXPECT_EQ(stages->back().record.objects, number);
  }
  EXPECT_TRUE(journal->close()) << "a reader that is still there does not matter";
  const auto stages = all_stages(*reader);
  ASSERT_TRUE(stages);
  EXPECT_EQ(stages->size(), 20U);
}

TEST(Journal, WritesNothingOnceItsLeaseIsLost) {
  const TempDirectory directory;
  bool lost = false;
  const auto journal = created(directory.path(), {.lost = [&lost] { return lost; }});
  ASSERT_TRUE(add_cell(*journal, 1));
  lost = true;
  const Status refused = add_cell(*journal, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInUse);
  EXPECT_EQ(stages_in(directory.path())->size(), 1U);
}

TEST(Journal, CallsOfManyThreadsDoNotMix) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  std::vector<std::thread> threads;
  for (std::uint64_t first : {100U, 200U, 300U})
    threads.emplace_back([&journal, first] {
      for (std::uint64_t number = first; number < first + 10; ++number)
        EXPECT_TRUE(add_cell(*journal, number));
    });
  for (std::thread& thread : threads) thread.join();
  const auto reader = reading(directory.path());
  const auto cells = reader->finished_cells();
  ASSERT_TRUE(cells);
  EXPECT_EQ(cells->size(), 30U);
}

TEST(JournalAttempts, CountOnlyOnceFinished) {
  const TempDirectory directory;
  auto journal = created(directory.path());
  const auto attempt = journal->begin_attempt("block", cell_name(1));
  ASSERT_TRUE(attempt);
  ASSERT_TRUE(journal->add_stage(*attempt, some_record(1), {}));
  auto stages = stages_in(directory.path());
  ASSERT_TRUE(stages);
  EXPECT_TRUE((*stages)[0].record.superseded);
  EXPECT_EQ((*stages)[0].record.reason, "not finished");
  EXPECT_THAT(*reading(directory.path())->finished_cells(), IsEmpty());

  ASSERT_TRUE(journal->finish_attempt(*attempt));
  stages = stages_in(directory.path());
  EXPECT_FALSE((*stages)[0].record.superseded);
  EXPECT_EQ((*stages)[0].record.reason, "");
  EXPECT_THAT(*reading(directory.path())->finished_cells(), ElementsAre(Pair(cell_name(1), true)));
}

TEST(JournalAttempts, AreInterruptedWhenTheirWriterWent) {
  const TempDirectory directory;
  auto journal = created(directory.path());
  ASSERT_TRUE(add_cell(*journal, 1));
  const auto attempt = journal->begin_attempt("block", cell_name(2));
  ASSERT_TRUE(attempt);
  ASSERT_TRUE(journal->add_stage(*attempt, some_record(2), {}));
  journal.reset();
  auto again = Journal::open(directory.path());
  ASSERT_TRUE(again) << again.error().text();
  const auto stages = stages_in(directory.path());
  ASSERT_TRUE(stages);
  ASSERT_EQ(stages->size(), 2U);
  EXPECT_FALSE((*stages)[0].record.superseded);
  EXPECT_TRUE((*stages)[1].record.superseded);
  EXPECT_EQ((*stages)[1].record.reason, "interrupted");
  const Status late = (*again)->finish_attempt(*attempt);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kRefused);
  ASSERT_TRUE(add_cell(**again, 2));
  EXPECT_EQ(stages_in(directory.path())->back().attempt, 2);
}

TEST(JournalAttempts, OfASupersededBlockAreKeptAndMarked) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  ASSERT_TRUE(add_cell(*journal, 1));
  const auto lost = journal->begin_attempt("block", cell_name(2));
  ASSERT_TRUE(lost);
  StageRecord record = some_record(2);
  record.valid = false;
  record.reason = "the server went away";
  ASSERT_TRUE(journal->add_stage(*lost, record, some_samples(2, 5)));
  const auto other = journal->begin_attempt("other block", cell_name(3));
  ASSERT_TRUE(other);
  ASSERT_TRUE(journal->add_stage(*other, some_record(3), {}));
  ASSERT_TRUE(journal->finish_attempt(*other));

  ASSERT_TRUE(journal->supersede_block("block", "the block runs again"));
  ASSERT_TRUE(journal->supersede_block("block", "a second time changes nothing"));
  const auto reader = reading(directory.path());
  const auto stages = all_stages(*reader);
  ASSERT_TRUE(stages);
  ASSERT_EQ(stages->size(), 3U);
  EXPECT_TRUE((*stages)[0].record.superseded);
  EXPECT_EQ((*stages)[0].record.reason, "the block runs again");
  EXPECT_TRUE((*stages)[1].record.superseded);
  EXPECT_EQ((*stages)[1].record.reason, "the block runs again; the server went away");
  EXPECT_FALSE((*stages)[2].record.superseded);
  EXPECT_EQ(reader->samples((*stages)[1].id)->size(), 5U);
  EXPECT_THAT(*reader->finished_cells(), ElementsAre(Pair(cell_name(3), true)));
}

TEST(JournalAttempts, LeaveOneRecordThatCountsForACellAndStage) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  ASSERT_TRUE(add_cell(*journal, 1));
  const auto given_up = journal->begin_attempt("block", cell_name(1));
  ASSERT_TRUE(given_up);
  ASSERT_TRUE(journal->add_stage(*given_up, some_record(1), {}));
  ASSERT_TRUE(add_cell(*journal, 1));
  const auto stages = stages_in(directory.path());
  ASSERT_TRUE(stages);
  ASSERT_EQ(stages->size(), 3U);
  EXPECT_EQ((*stages)[0].record.reason, "run again");
  EXPECT_EQ((*stages)[1].record.reason, "given up");
  EXPECT_FALSE((*stages)[2].record.superseded);
  EXPECT_EQ((*stages)[2].attempt, 3);
}

TEST(JournalAttempts, AnswerForEachFinishedCellWhetherAllItsRecordsHold) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  struct Case {
    const char* what;
    bool valid, unsupported;
    bool want;
  };
  const Case cases[] = {{"valid", true, false, true},
                        {"not valid", false, false, false},
                        {"not declared by the variant", false, true, true}};
  std::uint64_t number = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const auto attempt = journal->begin_attempt("block", cell_name(++number));
    ASSERT_TRUE(attempt);
    ASSERT_TRUE(journal->add_stage(*attempt, some_record(number), {}));
    StageRecord record = some_record(number, "maintenance");
    record.valid = c.valid;
    record.unsupported = c.unsupported;
    ASSERT_TRUE(journal->add_stage(*attempt, record, {}));
    ASSERT_TRUE(journal->finish_attempt(*attempt));
    const auto cells = reading(directory.path())->finished_cells();
    ASSERT_TRUE(cells);
    EXPECT_EQ(cells->at(cell_name(number)), c.want);
  }
  const auto empty = journal->begin_attempt("block", "no record");
  ASSERT_TRUE(journal->finish_attempt(*empty));
  EXPECT_FALSE(reading(directory.path())->finished_cells()->at("no record"));
}

TEST(JournalAttempts, RefuseWhatDoesNotBelongToThem) {
  const TempDirectory directory;
  const auto journal = created(directory.path());
  const auto attempt = journal->begin_attempt("block", cell_name(1));
  ASSERT_TRUE(attempt);
  ASSERT_TRUE(journal->add_stage(*attempt, some_record(1), {}));
  const auto code = [](const Status& status) { return status ? ErrorCode::kInternal : status.error().code; };
  EXPECT_EQ(code(journal->add_stage(*attempt + 1, some_record(1), {})), ErrorCode::kNotFound);
  EXPECT_EQ(code(journal->finish_attempt(*attempt + 1)), ErrorCode::kNotFound);
  EXPECT_EQ(code(journal->add_stage(*attempt, some_record(2), {})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(journal->add_stage(*attempt, some_record(1), {})), ErrorCode::kRefused)
      << "the same stage twice";
  ASSERT_TRUE(journal->finish_attempt(*attempt));
  EXPECT_EQ(code(journal->add_stage(*attempt, some_record(1, "maintenance"), {})), ErrorCode::kRefused);
  EXPECT_EQ(code(journal->finish_attempt(*attempt)), ErrorCode::kRefused);
  EXPECT_EQ(stages_in(directory.path())->size(), 1U) << "a failed call changes nothing";
}

TEST(NetworkFileSystem, IsNotWhatTheRootOfTheProcessTableIsOn) {
  EXPECT_FALSE(on_network_file_system("/proc"));
  EXPECT_TRUE(on_network_file_system("/no/such/path")) << "unknown takes the mode that works everywhere";
}

}  // namespace
}  // namespace lab
