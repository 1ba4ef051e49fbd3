// SPDX-License-Identifier: Apache-2.0
// Whose folder it is, who may touch it, and that nothing of others is ever removed.
#include "driver/embedded_home.hpp"

#include <gtest/gtest.h>

#include "core/testing/temporary_folder.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRun = "20260131T120000Z-7e57ab1e";
constexpr const char* kNextRun = "20260131T120500Z-0ffee123";

class EmbeddedHomeTest : public testing::Test {
 protected:
  fs::path home() const { return folder_.path() / "home"; }
  static void write(const fs::path& path, const std::string& text) {
    ASSERT_TRUE(make_directories(path.parent_path()));
    ASSERT_TRUE(write_file_atomic(path, text));
  }
  TemporaryFolder folder_{};
};

TEST_F(EmbeddedHomeTest, MakesTheFolderWithTheRunAndTheSystemInItsMarker) {
  const auto opened = EmbeddedHome::open(home() / "deep", "sqlite", kRun);
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(*read_file(home() / "deep" / ".deduplab"), std::string(kRun) + "\nsystem sqlite\n");
  EXPECT_TRUE(fs::is_directory(opened->data()));
}

TEST_F(EmbeddedHomeTest, RefusesAFolderThatHasEntriesAndNoMarkerAndLeavesItAlone) {
  write(home() / "thesis.txt", "years of work");
  const auto opened = EmbeddedHome::open(home(), "sqlite", kRun);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused);
  const Status removed = EmbeddedHome::remove(home(), "sqlite");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused);
  EXPECT_EQ(*read_file(home() / "thesis.txt"), "years of work");
  EXPECT_EQ(std::distance(fs::directory_iterator(home()), fs::directory_iterator()), 1);
}

TEST_F(EmbeddedHomeTest, NamesTheRunThatHoldsTheFolder) {
  const auto first = EmbeddedHome::open(home(), "sqlite", kRun);
  ASSERT_TRUE(first);
  const auto second = EmbeddedHome::open(home(), "sqlite", kNextRun);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  EXPECT_NE(second.error().detail.find(kRun), std::string::npos) << second.error().detail;
  const Status removed = EmbeddedHome::remove(home(), "sqlite");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kInUse);
}

TEST_F(EmbeddedHomeTest, TakesOverWhatAnEarlierRunLeft) {
  ASSERT_TRUE(EmbeddedHome::open(home(), "sqlite", kRun));
  const auto again = EmbeddedHome::open(home(), "sqlite", kNextRun);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*read_file(home() / ".deduplab"), std::string(kNextRun) + "\nsystem sqlite\n");
}

TEST_F(EmbeddedHomeTest, RefusesTheFolderOfAnotherSystemAndLeavesItAlone) {
  const fs::path kept = [&] {
    const auto theirs = EmbeddedHome::open(home(), "rocksdb", kRun);
    EXPECT_TRUE(theirs);
    write(theirs->data() / "file", "theirs");
    return theirs->data() / "file";
  }();
  for (const Status& refused : {EmbeddedHome::remove(home(), "sqlite"), [&]() -> Status {
                                  const auto opened = EmbeddedHome::open(home(), "sqlite", kNextRun);
                                  return opened ? ok() : Status(opened.error());
                                }()}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_NE(refused.error().detail.find("holds data of rocksdb, not of sqlite"), std::string::npos)
        << refused.error().detail;
    const auto looked = EmbeddedHome::look(home(), "sqlite");
    ASSERT_FALSE(looked);
    EXPECT_EQ(looked.error().text(), refused.error().text());
  }
  EXPECT_EQ(*read_file(kept), "theirs");
  EXPECT_EQ(*read_file(home() / ".deduplab"), std::string(kRun) + "\nsystem rocksdb\n");
  EXPECT_TRUE(EmbeddedHome::remove(home(), "rocksdb"));
}

TEST_F(EmbeddedHomeTest, SaysBeforehandWhatOpenAndRemoveWouldMeetAndChangesNothing) {
  EXPECT_FALSE(EmbeddedHome::look(home(), "sqlite")->ours);
  EXPECT_FALSE(fs::exists(home()));
  fs::create_directories(home());
  EXPECT_FALSE(EmbeddedHome::look(home(), "sqlite")->ours);
  EXPECT_TRUE(fs::is_empty(home()));
  {
    const auto opened = EmbeddedHome::open(home(), "sqlite", kRun);
    ASSERT_TRUE(opened);
    const auto held = EmbeddedHome::look(home(), "sqlite");
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().code, ErrorCode::kInUse);
  }
  const auto free = EmbeddedHome::look(home(), "sqlite");
  ASSERT_TRUE(free) << free.error().text();
  EXPECT_TRUE(free->ours);
  EXPECT_EQ(*read_file(home() / ".deduplab"), std::string(kRun) + "\nsystem sqlite\n");
  EXPECT_TRUE(EmbeddedHome::open(home(), "sqlite", kNextRun)) << "looking holds nothing";
  write(folder_.path() / "others" / "file", "theirs");
  fs::remove(home() / "data");
  fs::create_directory_symlink(folder_.path() / "others", home() / "data");
  EXPECT_FALSE(EmbeddedHome::look(home(), "sqlite")) << "data that is a link is removed by nobody";
}

TEST_F(EmbeddedHomeTest, WritesOutWhatAForgedMarkerWouldDoToATerminal) {
  write(home() / ".deduplab", std::string(kRun) + "\nsystem x; rm -rf ~\x1b[2J\n");
  const auto opened = EmbeddedHome::open(home(), "sqlite", kRun);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("holds data of x; rm -rf ~\\x1b[2J, not of sqlite"), std::string::npos)
      << opened.error().detail;
}

TEST_F(EmbeddedHomeTest, TakesAMarkerWithoutASystemForThatOfAny) {
  const std::string marker = std::string(kRun) + "\n";
  write(home() / ".deduplab", marker);
  EXPECT_TRUE(EmbeddedHome::open(home(), "sqlite", kNextRun));
  write(home() / ".deduplab", marker);
  EXPECT_TRUE(EmbeddedHome::remove(home(), "lmdb"));
  EXPECT_FALSE(fs::exists(home()));
}

TEST_F(EmbeddedHomeTest, TouchesNothingBesideAMarkerThatThisProgramHasNotWritten) {
  const std::string run(kRun);
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("\n"), "x\nsystem sqlite\n" + run, run + "0\n",
        " " + run + "\n", run + "\nsystem \n", run + "\nsystem\n", run + "\nsystem sqlite\nsystem sqlite\n",
        run + "\nanything\n", run + "\n" + std::string(5'000, '\n')}) {
    SCOPED_TRACE(text.substr(0, 80));
    write(home() / ".deduplab", text);
    write(home() / "data" / "thesis", "years of work");
    const auto opened = EmbeddedHome::open(home(), "sqlite", kRun);
    const auto looked = EmbeddedHome::look(home(), "sqlite");
    const Status removed = EmbeddedHome::remove(home(), "sqlite");
    ASSERT_FALSE(opened);
    ASSERT_FALSE(looked);
    ASSERT_FALSE(removed);
    for (const Error& error : {opened.error(), looked.error(), removed.error()}) {
      EXPECT_EQ(error.code, ErrorCode::kRefused) << error.text();
      EXPECT_NE(error.detail.find("not a marker as this program writes it"), std::string::npos)
          << error.detail;
    }
    EXPECT_EQ(*read_file(home() / "data" / "thesis"), "years of work");
    EXPECT_EQ(*read_file(home() / ".deduplab"), text);
    EXPECT_FALSE(EmbeddedHome::system_of(home()));
  }
}

TEST_F(EmbeddedHomeTest, AnOpenThatEndedBeforeItsMarkerWasWrittenHoldsUpNobody) {
  write(home() / ".deduplab", "");
  EXPECT_FALSE(EmbeddedHome::look(home(), "sqlite")->ours);
  EXPECT_TRUE(EmbeddedHome::remove(home(), "sqlite"));
  EXPECT_EQ(*read_file(home() / ".deduplab"), "") << "who made an empty file is not known";
  EXPECT_TRUE(EmbeddedHome::open(home(), "sqlite", kRun));
  EXPECT_TRUE(EmbeddedHome::look(home(), "sqlite")->ours);
}

TEST_F(EmbeddedHomeTest, AMarkerThatWasLongerIsWrittenOverWhole) {
  ASSERT_TRUE(EmbeddedHome::open(home(), "sqlite", kRun));
  write(home() / ".deduplab", std::string(kRun) + "\nsystem sqlite\n\n\n\n\n");
  ASSERT_TRUE(EmbeddedHome::open(home(), "sqlite", kNextRun));
  EXPECT_EQ(*read_file(home() / ".deduplab"), std::string(kNextRun) + "\nsystem sqlite\n");
}

TEST_F(EmbeddedHomeTest, WritesNoMarkerThatItWouldNotKnow) {
  for (const char* id : {"", "run", "20260131T120000Z-7e57ab1", "20260131T120000Z-7E57AB1E"}) {
    const auto opened = EmbeddedHome::open(home(), "sqlite", id);
    ASSERT_FALSE(opened) << id;
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(fs::exists(home())) << id;
  }
}

TEST_F(EmbeddedHomeTest, TellsWhatOfOthersLiesBesideAndStays) {
  ASSERT_TRUE(EmbeddedHome::open(home(), "sqlite", kRun));
  EXPECT_TRUE(EmbeddedHome::look(home(), "sqlite")->others.empty());
  for (const char* name : {"note.txt", "b", "a\x1b[2J", "c"}) write(home() / name, "theirs");
  const auto there = EmbeddedHome::look(home(), "sqlite");
  ASSERT_TRUE(there) << there.error().text();
  EXPECT_EQ(names_in_words(there->others), "a\\x1b[2J, b, c and 1 more");
  ASSERT_TRUE(EmbeddedHome::remove(home(), "sqlite"));
  const auto after = EmbeddedHome::contents(home());
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_FALSE(after->ours);
  EXPECT_EQ(after->others, there->others);
  EXPECT_TRUE(EmbeddedHome::contents(folder_.path() / "missing")->others.empty());
}

TEST_F(EmbeddedHomeTest, EmptiesDataAndNothingBesideIt) {
  const auto opened = EmbeddedHome::open(home(), "sqlite", kRun);
  ASSERT_TRUE(opened);
  write(opened->data() / "a" / "b" / "file", "x");
  write(opened->data() / "file", "x");
  write(home() / "beside", "stays");
  ASSERT_TRUE(opened->empty_data());
  EXPECT_FALSE(*has_entries(opened->data()));
  EXPECT_EQ(*read_file(home() / "beside"), "stays");
}

TEST_F(EmbeddedHomeTest, DoesNotFollowLinksOutOfTheFolder) {
  write(folder_.path() / "others" / "file", "theirs");
  {
    const auto opened = EmbeddedHome::open(home(), "sqlite", kRun);
    ASSERT_TRUE(opened);
    fs::create_directory_symlink(folder_.path() / "others", opened->data() / "link");
    ASSERT_TRUE(opened->empty_data());
    fs::remove(opened->data());
    fs::create_directory_symlink(folder_.path() / "others", opened->data());
    const Status emptied = opened->empty_data();
    ASSERT_FALSE(emptied);
    EXPECT_EQ(emptied.error().code, ErrorCode::kRefused);
  }
  EXPECT_FALSE(EmbeddedHome::remove(home(), "sqlite"));
  EXPECT_EQ(*read_file(folder_.path() / "others" / "file"), "theirs");
}

TEST_F(EmbeddedHomeTest, RefusesToEmptyWhenTheMarkerIsGone) {
  const auto opened = EmbeddedHome::open(home(), "sqlite", kRun);
  ASSERT_TRUE(opened);
  write(opened->data() / "file", "x");
  fs::remove(home() / ".deduplab");
  const Status emptied = opened->empty_data();
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(fs::exists(opened->data() / "file"));
}

TEST_F(EmbeddedHomeTest, StopsEmptyingWhenAStopIsRequested) {
  const auto opened = EmbeddedHome::open(home(), "sqlite", kRun);
  ASSERT_TRUE(opened);
  write(opened->data() / "file", "x");
  std::stop_source stop;
  stop.request_stop();
  const Status emptied = opened->empty_data({Clock::time_point::max(), stop.get_token()});
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(fs::exists(opened->data() / "file"));
}

TEST_F(EmbeddedHomeTest, RemoveLeavesNothingOfOursAndAllOfOthers) {
  EXPECT_TRUE(EmbeddedHome::remove(home(), "sqlite")) << "missing is fine";
  ASSERT_TRUE(EmbeddedHome::open(home(), "sqlite", kRun));
  ASSERT_TRUE(EmbeddedHome::remove(home(), "sqlite"));
  EXPECT_FALSE(fs::exists(home()));
  ASSERT_TRUE(EmbeddedHome::open(home(), "sqlite", kRun));
  write(home() / "beside", "stays");
  ASSERT_TRUE(EmbeddedHome::remove(home(), "sqlite"));
  EXPECT_EQ(*read_file(home() / "beside"), "stays");
  EXPECT_EQ(std::distance(fs::directory_iterator(home()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace lab
