// Reset, reopening, removal, and that nothing of others is ever touched.
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>

#include "conformance.hpp"
#include "core/files.hpp"

namespace lab {

TEST_P(DriverConformance, KeepsEverythingOverReopening) {
  if (!GetParam().entry->has_files) GTEST_SKIP() << "keeps nothing on disk";
  auto objects = made_many(0, 50, 20'000);
  load(objects);
  const Made last = made(60, "not flushed, but acknowledged");
  ASSERT_TRUE(driver_->put(soon(), last.view()));
  objects.push_back(last);
  for (int round = 0; round < 2; ++round) {
    close();
    ASSERT_NO_FATAL_FAILURE(open());
    expect_holds(objects);
  }
}

TEST_P(DriverConformance, ResetLeavesTheSameFilesEachTime) {
  if (!embedded() || !GetParam().entry->has_files) GTEST_SKIP() << "has no folder of its own";
  std::vector<Tree> empty;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(driver_->reset(soon()));
    ASSERT_TRUE(driver_->flush(soon()));
    empty.push_back(tree_of(data()));
    load(made_many(static_cast<std::uint64_t>(round) * 100, 20, 100'000));
  }
  for (const Tree& tree : empty) {
    EXPECT_EQ(tree.apparent, empty.front().apparent);
    EXPECT_EQ(tree.allocated, empty.front().allocated);
  }
}

TEST_P(DriverConformance, TouchesNothingBesideItsData) {
  if (!embedded() || !GetParam().entry->has_files) GTEST_SKIP() << "has no folder of its own";
  const auto others = folder_.path() / "others";
  ASSERT_TRUE(make_directories(others / "deep"));
  ASSERT_TRUE(write_file_atomic(others / "deep" / "file", "theirs"));
  ASSERT_TRUE(write_file_atomic(home() / "beside", "theirs too"));
  const Tree before = tree_with_digests(others);
  load(made_many(0, 10, 10'000));
  ASSERT_TRUE(driver_->reset(soon()));
  EXPECT_EQ(count(), 0U);
  close();
  ASSERT_TRUE(GetParam().entry->remove(config_, soon()));
  EXPECT_EQ(tree_with_digests(others).digests, before.digests);
  EXPECT_EQ(*read_file(home() / "beside"), "theirs too");
  EXPECT_EQ(tree_with_digests(home()).digests.size(), 1U);
}

TEST_P(DriverConformance, RefusesAFolderThatIsNotOurs) {
  if (!embedded() || !GetParam().entry->has_files) GTEST_SKIP() << "has no folder of its own";
  close();
  config_.path = folder_.path() / "theirs";
  ASSERT_TRUE(make_directories(config_.path / "data"));
  ASSERT_TRUE(write_file_atomic(config_.path / "data" / "thesis", "years of work"));
  const Tree before = tree_with_digests(config_.path);
  const auto opened = GetParam().entry->open(config_, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused);
  const Status removed = GetParam().entry->remove(config_, soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused);
  EXPECT_EQ(tree_with_digests(config_.path).digests, before.digests);
}

TEST_P(DriverConformance, ResetRefusesWhenTheMarkerIsGone) {
  if (!embedded() || !GetParam().entry->has_files) GTEST_SKIP() << "has no folder of its own";
  load(made_many(0, 3, 1'000));
  std::filesystem::remove(home() / ".deduplab");
  const Status emptied = driver_->reset(soon());
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kRefused);
  EXPECT_GE(tree_of(data()).apparent, 3'000);
}

TEST_P(DriverConformance, RemoveLeavesNothing) {
  load(made_many(0, 10, 10'000));
  close();
  const Status removed = GetParam().entry->remove(config_, soon());
  ASSERT_TRUE(removed) << removed.error().text();
  if (embedded()) {
    EXPECT_FALSE(std::filesystem::exists(home()));
  } else {
    const auto left = GetParam().entry->leftovers(config_, soon());
    ASSERT_TRUE(left) << left.error().text();
    EXPECT_EQ(*left, std::vector<std::string>{});
  }
  EXPECT_TRUE(GetParam().entry->remove(config_, soon())) << "nothing to remove is fine";
}

TEST_P(DriverConformance, RefusesASecondSessionOnTheSameFolder) {
  if (!embedded() || !GetParam().entry->has_files) GTEST_SKIP() << "has no folder of its own";
  const auto second = GetParam().entry->open(config_, soon());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  const Status removed = GetParam().entry->remove(config_, soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kInUse);
}

TEST_P(DriverConformance, AnotherRunIsToldWhoHoldsTheNamespace) {
  if (embedded()) GTEST_SKIP() << "a lock on its folder, tested above";
  SystemConfig other = config_;
  other.run_id = "another-run";
  const auto second = GetParam().entry->open(other, soon());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse) << second.error().text();
  EXPECT_NE(second.error().detail.find(config_.run_id), std::string::npos) << second.error().detail;
  const Status removed = GetParam().entry->remove(other, soon());
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kInUse) << removed.error().text();
  load(made_many(0, 2, 1'000));
  EXPECT_EQ(count(), 2U);
  close();
  EXPECT_TRUE(GetParam().entry->open(other, soon())) << "given up at the end of the session";
}

TEST_P(DriverConformance, AServerThatIsNotTheOneThatIsWantedIsNeitherWrittenToNorCleaned) {
  const SystemEntry& entry = *GetParam().entry;
  if (embedded()) GTEST_SKIP() << "who it is, its folder says";
  const auto objects = made_many(0, 3, 1'000);
  load(objects);
  const auto who = observer_->identity(soon());
  ASSERT_TRUE(who);
  close();
  const auto told = entry.identify(config_, soon());
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_EQ(told->identity, who->identity);
  SystemConfig wanted = config_;
  wanted.identity = "some:other:server";
  const auto opened = open_session(entry, wanted, soon());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << opened.error().text();
  EXPECT_EQ(remove_namespace(entry, wanted, soon()).error().code, ErrorCode::kRefused);
  ASSERT_NO_FATAL_FAILURE(open());
  expect_holds(objects);
  close();
  wanted.identity = who->identity;
  EXPECT_TRUE(open_session(entry, wanted, soon()));
}

TEST_P(DriverConformance, ResetEmptiesTheEngineEachTime) {
  if (embedded()) GTEST_SKIP() << "told from its files, tested above";
  std::vector<std::int64_t> empty;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(driver_->reset(soon()));
    ASSERT_TRUE(driver_->flush(soon()));
    expect_holds({});
    empty.push_back(payload_bytes());
    load(made_many(static_cast<std::uint64_t>(round) * 100, 20, 100'000));
    EXPECT_GE(payload_bytes() - empty.back(), 20 * 100'000);
  }
  for (const std::int64_t bytes : empty) EXPECT_EQ(bytes, empty.front());
}

TEST_P(DriverConformance, IsFoundFitBeforeARunAndNothingIsWritten) {
  if (embedded()) GTEST_SKIP() << "checked by its folder";
  close();
  ASSERT_TRUE(GetParam().entry->remove(config_, soon()));
  const auto findings = GetParam().entry->examine(config_, soon());
  EXPECT_GE(findings.size(), 2U);
  for (const Finding& finding : findings)
    EXPECT_TRUE(finding.passed) << finding.what << ": " << finding.detail;
  const auto left = GetParam().entry->leftovers(config_, soon());
  ASSERT_TRUE(left) << left.error().text();
  EXPECT_TRUE(left->empty());
}

TEST_P(DriverConformance, ANamespaceThatAnotherRunHoldsIsFoundBeforeARun) {
  if (embedded()) GTEST_SKIP() << "the lock of its folder is tested with the folder";
  const auto refused = [&](const SystemConfig& config) {
    std::string why;
    for (const Finding& finding : GetParam().entry->examine(config, soon()))
      if (!finding.passed) why += finding.what + ": " + finding.detail + "\n";
    return why;
  };
  SystemConfig other = config_;
  other.run_id = "another-run";
  EXPECT_NE(refused(other).find("held by run " + config_.run_id), std::string::npos) << refused(other);
  EXPECT_EQ(refused(config_), "") << "its own run may go on";
  close();
  EXPECT_EQ(refused(other), "") << "given up at the end of the session";
}

TEST_P(DriverConformance, AServerThatIsDownIsAFindingWithWhatToDo) {
  if (embedded()) GTEST_SKIP() << "there is no server";
  SystemConfig down = config_;
  const std::size_t colon = down.url.rfind(':');
  const std::size_t slash = std::min(down.url.find('/', colon), down.url.size());
  down.url.replace(colon + 1, slash - colon - 1, "1");  // Nothing listens on port 1.
  const auto findings = GetParam().entry->examine(down, within(20s));
  const bool said =
      std::any_of(findings.begin(), findings.end(), [](const Finding& finding) { return !finding.passed; });
  EXPECT_TRUE(said);
  const auto session = GetParam().entry->open(down, within(20s));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::kConnectionLost) << session.error().text();
}

TEST_P(DriverConformance, APortThatTakesAConnectionAndStaysSilentIsToldOfSoon) {
  if (embedded()) GTEST_SKIP() << "there is no server";
  const FileHandle listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), any, size), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);  // The kernel accepts; nobody reads.
  ASSERT_EQ(::getsockname(listener.get(), any, &size), 0);
  SystemConfig silent = config_;
  const std::size_t colon = silent.url.rfind(':');
  const std::size_t slash = std::min(silent.url.find('/', colon), silent.url.size());
  silent.url.replace(colon + 1, slash - colon - 1, std::to_string(ntohs(address.sin_port)));
  const auto begun = Clock::now();
  const Status reached = reach_server(*GetParam().entry, silent, within(60s));
  EXPECT_LT(Clock::now() - begun, 15s);
  ASSERT_FALSE(reached);
  EXPECT_EQ(reached.error().code, ErrorCode::kTimeout) << reached.error().text();
}

TEST_P(DriverConformance, AServerOfAnotherKindIsToldByWhatItSpeaks) {
  if (embedded()) GTEST_SKIP() << "there is no server";
  EXPECT_TRUE(reach_server(*GetParam().entry, config_, within(20s)));
  const auto place = place_of(config_.url);
  ASSERT_TRUE(place) << config_.url;
  EXPECT_EQ(what_answers(*place, within(20s)), GetParam().entry->protocol) << "it is of its own kind";
}

TEST_P(DriverConformance, RejectsAnUnknownVariantAndOption) {
  SystemConfig config = config_;
  config.path = folder_.path() / "other";
  config.variant = "no_such_variant";
  EXPECT_EQ(GetParam().entry->open(config, soon()).error().code, ErrorCode::kInvalidArgument);
  config.variant = config_.variant;
  config.options["no_such_option"] = "1";
  EXPECT_EQ(GetParam().entry->open(config, soon()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(!embedded() || !std::filesystem::exists(config.path));
}

TEST_P(DriverConformance, SeveralConnectionsOfOneSessionSeeTheSameObjects) {
  auto second = session_->open_driver(soon());
  ASSERT_TRUE(second) << second.error().text();
  const auto objects = made_many(0, 4, 1'000);
  load(objects);
  EXPECT_EQ(*(*second)->count(soon()), 4U);
  const Made more = made(9, "by the second");
  ASSERT_TRUE((*second)->put(soon(), more.view()));
  EXPECT_EQ(count(), 5U);
  ASSERT_TRUE(driver_->reset(soon()));
  EXPECT_EQ(*(*second)->count(soon()), 0U);
  ASSERT_TRUE((*second)->put(soon(), more.view()));
  expect_holds({more});
}

}  // namespace lab
