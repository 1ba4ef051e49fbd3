// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_set.hpp"

#include "probe/testing/probe_fixture.hpp"

namespace lab {
namespace {

/// Answers as a test says.
class ScriptedProbe final : public Probe {
 public:
  ScriptedProbe(ProbeInfo info, Result<ByteMap> answer)
      : info_(std::move(info)), answer_(std::move(answer)) {}
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext&) override { return answer_; }
  std::optional<Bytes> uncertain() const override { return Bytes{7}; }
  Result<std::string> remarks(const CallContext&) override { return said; }
  Result<std::optional<double>> storage_copies(const CallContext&) override { return copies; }

  Result<std::string> said = std::string();
  Result<std::optional<double>> copies = std::optional<double>{};

 private:
  ProbeInfo info_;
  Result<ByteMap> answer_;
};

TEST(ProbeSetTest, AReadingHasFiguresWithScopeStepAndLagOrTheReason) {
  ProbeSet set;
  set.add(std::make_unique<ScriptedProbe>(
      ProbeInfo{.name = "pool", .scope = CopyScope::kOneCopy, .quantum = Bytes{512}, .lag = Millis{30}},
      ByteMap{{"pool", 10}, {"pool:part", 4}}));
  set.add(std::make_unique<ScriptedProbe>(ProbeInfo{.name = "gone"},
                                          Error{ErrorCode::kUnsupported, "probe.gone", "no tool"}));
  set.add(std::make_unique<ScriptedProbe>(ProbeInfo{.name = "trim", .disturbs = true}, ByteMap{{"trim", 1}}));
  Reading reading;
  set.read({}, reading);
  EXPECT_EQ(reading.bytes, (ByteMap{{"pool", 10}, {"pool:part", 4}}));
  EXPECT_EQ(reading.scope.at("pool:part"), "one copy");
  EXPECT_EQ(reading.quantum.at("pool"), 512);
  EXPECT_EQ(reading.lag.at("pool:part"), Millis{30});
  EXPECT_EQ(reading.uncertain.at("pool"), 7);
  EXPECT_NE(reading.missing.at("gone").find("no tool"), std::string::npos);
  EXPECT_EQ(reading.missing.size(), 1U) << "what disturbs was not asked";
  set.read_disturbing({}, reading);
  EXPECT_EQ(reading.bytes.at("trim"), 1);
}

TEST(ProbeSetTest, ReadingAgainKeepsNoFigureThatIsOldAndRevivesNoneThatHadNotRested) {
  ProbeSet set;
  const auto add = [&](ProbeInfo info, Result<ByteMap> answer) {
    set.add(std::make_unique<ScriptedProbe>(std::move(info), std::move(answer)));
  };
  add({.name = "volume"}, Error{ErrorCode::kConnectionLost, "x", "gone"});
  add({.name = "volume:trimmed", .disturbs = true}, ByteMap{{"volume:trimmed", 9}});
  add({.name = "moving"}, ByteMap{{"moving", 5}});
  add({.name = "pool"}, ByteMap{{"pool", 7}});
  Reading reading{
      .bytes = {{"files", 1}, {"volume", 2}, {"volume:pvc", 2}, {"volume:trimmed", 3}, {"pool", 4}},
      .missing = {{"moving", "unsettled"}}};
  set.read_again({}, reading);
  EXPECT_EQ(reading.bytes, (ByteMap{{"files", 1}, {"volume:trimmed", 3}, {"pool", 7}}));
  EXPECT_EQ(reading.missing.at("moving"), "unsettled");
  EXPECT_TRUE(reading.missing.contains("volume"));
}

ProbeNotes notes_of(const Result<std::optional<double>>& first, const Result<std::optional<double>>& second,
                    const Result<std::string>& said = std::string()) {
  ProbeSet set;
  for (const auto& [name, copies] : {std::pair{"a", first}, std::pair{"b", second}}) {
    auto probe = std::make_unique<ScriptedProbe>(ProbeInfo{.name = name}, ByteMap{});
    probe->copies = copies;
    probe->said = said;
    set.add(std::move(probe));
  }
  return set.notes({});
}

TEST(ProbeSetTest, WhatProbesSayOfTheirFiguresIsKeptByProbeAndSoIsThatTheyCouldNotLook) {
  const std::optional<double> none;
  EXPECT_TRUE(notes_of(none, none).remarks.empty());
  const std::map<std::string, std::string> both{{"a", "not trimmed"}, {"b", "not trimmed"}};
  EXPECT_EQ(notes_of(none, none, std::string("not trimmed")).remarks, both);
  const Error late{ErrorCode::kTimeout, "x", "late"};
  EXPECT_EQ(notes_of(none, none, late).remarks.at("b"), "not looked at: " + late.text());
}

TEST(ProbeSetTest, CopiesOfTheStorageAreMeasuredOrUnknownWithTheReasonAndNeverAssumed) {
  const std::optional<double> none;
  const ProbeNotes silent = notes_of(none, none);
  EXPECT_FALSE(silent.storage_copies);
  EXPECT_EQ(silent.copies_unknown, "");
  EXPECT_EQ(notes_of(none, std::optional(3.0)).storage_copies, 3.0);
  const Error no_modes{ErrorCode::kNotFound, "x", "no modes"};
  const ProbeNotes failed = notes_of(std::optional(3.0), no_modes);
  EXPECT_FALSE(failed.storage_copies);
  EXPECT_EQ(failed.copies_unknown, "b: " + no_modes.text());
  const ProbeNotes odd = notes_of(std::optional(3.0), std::optional(2.0));
  EXPECT_FALSE(odd.storage_copies);
  EXPECT_EQ(odd.copies_unknown, "probes do not agree: 3 and 2");
}

TEST(MonitoringLimit, TheProbesOfAKindTakeAQuarterOfTheLimitOfSettlingAtMost) {
  SettlePlan settle;
  settle.limit = Millis{20'000};
  EXPECT_EQ(monitoring_limit(settle, 2), Millis{2'500});
  EXPECT_EQ(monitoring_limit(settle, 10), Millis{500});
  settle.limit = Millis{3'600'000};
  EXPECT_EQ(monitoring_limit(settle, 2), Millis{30'000}) << "never longer than without a plan";
  settle.limit = Millis{1};
  EXPECT_EQ(monitoring_limit(settle, 2), Millis{1}) << "never none at all";
}

class MakeProbes : public ProbeFixture {
 protected:
  Reading read_with(const SystemPlan& system, const std::filesystem::path& place) {
    const ProbeSet set = make_probes({.plan = plan_, .system = system, .roots = roots(), .place = place});
    Reading reading;
    set.read({}, reading);
    return reading;
  }
  Plan plan_{};
};

TEST_F(MakeProbes, LocalFilesHaveExtentsAndFileSystemAndNothingThatTheyAreNot) {
  if (const std::string lacks = move_to("ext4"); !lacks.empty()) GTEST_SKIP() << lacks;
  const Reading reading = read_with({.name = "files"}, data_);
  EXPECT_TRUE(reading.bytes.contains("extents"));
  EXPECT_TRUE(reading.bytes.contains("filesystem"));
  EXPECT_TRUE(reading.missing.empty()) << "what does not apply is not missing";
  EXPECT_EQ(reading.quantum.at("extents"), 4096);
}

TEST_F(MakeProbes, BtrfsHasItsOwn) {
  if (const std::string lacks = move_to("btrfs"); !lacks.empty()) GTEST_SKIP() << lacks;
  EXPECT_TRUE(read_with({.name = "files"}, data_).bytes.contains("btrfs"));
}

TEST_F(MakeProbes, WhatThePlanRequiresIsThereWithItsReason) {
  const SystemPlan system{.name = "files", .probes = {"btrfs", "zpool", "vdo"}, .volume = "/no/such.img"};
  const Reading reading = read_with(system, data_);
  for (const char* probe : {"zpool", "volume"}) {
    SCOPED_TRACE(probe);
    ASSERT_TRUE(reading.missing.contains(probe));
    EXPECT_FALSE(reading.bytes.contains(probe));
  }
  EXPECT_NE(reading.missing.at("volume").find("/no/such.img"), std::string::npos);
}

TEST_F(MakeProbes, ASystemWithoutFilesHereHasNone) {
  EXPECT_TRUE(
      make_probes({.plan = plan_, .system = {.name = "null"}, .roots = roots(), .place = {}}).empty());
}

}  // namespace
}  // namespace lab
