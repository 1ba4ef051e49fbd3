// SPDX-License-Identifier: Apache-2.0
#include "stage/stage.hpp"

#include <fmt/format.h>

#include <thread>

#include "core/testing/temporary_folder.hpp"
#include "driver/server_settings.hpp"
#include "stage/testing/stage_fixture.hpp"
#include "stage/testing/streaming_driver.hpp"

namespace lab {
namespace {

constexpr std::int64_t kAllBytes = 40 * 2048;

TEST_F(StageFixture, AGoodInsertIsValidAndKnowsLAndU) {
  for (const StageKind kind : {StageKind::kBulkInsert, StageKind::kPerfileInsert}) {
    SCOPED_TRACE(to_string(kind));
    open({});
    const StageRecord record = run(kind);
    EXPECT_TRUE(record.valid) << record.reason;
    EXPECT_EQ(record.objects, 40U);
    EXPECT_EQ(record.objects_live, 40U);
    EXPECT_EQ(record.logical_bytes, kAllBytes);
    EXPECT_EQ(record.unique_bytes, kAllBytes / 2);
    EXPECT_EQ(record.unique_objects, 20U);
    EXPECT_EQ(record.verified, "full");
    EXPECT_GT(record.latency.count, 0U);
    const bool bulk = kind == StageKind::kBulkInsert;
    EXPECT_EQ(script_->calls("put_batch"), bulk ? 1U : 0U) << "bulk is one batch of all 40";
    EXPECT_EQ(script_->calls("put"), bulk ? 0U : 40U);
    EXPECT_LE(record.latency.values_us.at("p50"), record.latency.values_us.at("max"));
  }
}

TEST_F(StageFixture, ALoadIsOneStreamWhereTheDriverTakesOne) {
  open({});
  auto streaming = std::make_unique<StreamingDriver>(std::move(driver_));
  const StreamingDriver& driver = *streaming;
  driver_ = std::move(streaming);
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_EQ(driver.streams, 1);
  EXPECT_EQ(script_->calls("put_batch"), 0U);
  EXPECT_EQ(record.objects, 40U);
  EXPECT_EQ(record.bytes_acked, kAllBytes);
  EXPECT_EQ(record.logical_bytes, kAllBytes);
  EXPECT_EQ(record.unique_objects, 20U);
  EXPECT_EQ(record.verified, "full");
  EXPECT_EQ(record.latency.count, 1U) << "acknowledged as a whole";
  EXPECT_LE(record.latency.values_us.at("max"), record.duration_seconds * 1e6);
}

/// Says how often its driver was asked for a batch and for everything, as if that were seconds; and a secret.
class TellingObserver : public Observer {
 public:
  TellingObserver(std::unique_ptr<Observer> inner, std::shared_ptr<FaultScript> script)
      : inner_(std::move(inner)), script_(std::move(script)) {}
  Result<ServerIdentity> identity(const CallContext& call) override { return inner_->identity(call); }
  Result<std::map<std::string, std::string>> settings(const CallContext&) override {
    return std::map<std::string, std::string>{{"fsync", "on"}, {"primary_conninfo", "password=words"}};
  }
  Result<std::map<std::string, double>> busy(const CallContext& call) override { return inner_->busy(call); }
  Result<std::vector<Counter>> activity(const CallContext& call) override { return inner_->activity(call); }
  Result<Footprint> footprint(const CallContext& call) override { return inner_->footprint(call); }
  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override {
    return inner_->directories(call);
  }
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override {
    return inner_->part_of(relative);
  }
  Bytes quantum() const override { return inner_->quantum(); }
  Result<double> copies(const CallContext& call) override { return inner_->copies(call); }
  Result<std::map<std::string, double>> statement_seconds(const CallContext&) override {
    return std::map<std::string, double>{{"INSERT", static_cast<double>(script_->calls("put_batch"))},
                                         {"SELECT", static_cast<double>(script_->calls("read_all"))},
                                         {"DELETE", asked_ == 0 ? 0.1 + 0.2 : 0.3},
                                         {"RESET", asked_++ == 0 ? 5.0 : 1.0}};
  }

 private:
  std::unique_ptr<Observer> inner_;
  std::shared_ptr<FaultScript> script_;
  int asked_ = 0;
};

TEST_F(StageFixture, TheServersTimeIsThatOfWhatIsTimedAndNoSettingHoldsACredential) {
  open({});
  observer_ = std::make_unique<TellingObserver>(std::move(observer_), script_);
  const StageRecord record = run(StageKind::kBulkInsert);
  ASSERT_TRUE(record.valid) << record.reason;
  EXPECT_GT(script_->calls("read_all"), 0U);
  const std::map<std::string, double> seconds{{"INSERT", 1}, {"SELECT", 0}, {"DELETE", 0}};
  EXPECT_EQ(record.server_seconds, seconds) << "not the reading back, and no negative time";
  const std::map<std::string, std::string> settings{{"fsync", "on"},
                                                    {"primary_conninfo", std::string(kHiddenSetting)}};
  EXPECT_EQ(record.settings, settings);
}

/// Looks at a folder that the driver does not write to.
class StrayObserver final : public TellingObserver {
 public:
  StrayObserver(std::unique_ptr<Observer> inner, std::shared_ptr<FaultScript> script,
                std::filesystem::path folder)
      : TellingObserver(std::move(inner), std::move(script)), folder_(std::move(folder)) {}
  Result<std::vector<std::filesystem::path>> directories(const CallContext&) override {
    return std::vector<std::filesystem::path>{folder_};
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(StageFixture, AnInsertThatWritesToNoFileOfTheDirectoryHasNoSizeOfZero) {
  const TemporaryFolder elsewhere;
  ASSERT_TRUE(write_file_atomic(elsewhere.path() / "data", "of another server"));
  for (const StageKind kind : {StageKind::kBulkInsert, StageKind::kPerfileInsert}) {
    SCOPED_TRACE(to_string(kind));
    open({});
    observer_ = std::make_unique<StrayObserver>(std::move(observer_), script_, elsewhere.path());
    const StageRecord record = run(kind);
    EXPECT_FALSE(record.valid);
    EXPECT_EQ(record.error_code, "REFUSED");
    EXPECT_FALSE(record.retryable) << "it is as wrong the next time";
    EXPECT_NE(record.reason.find("80.0 KiB were acknowledged, and no file below the system's directory"),
              std::string::npos)
        << record.reason;
    EXPECT_FALSE(record.after_bytes.contains("files"));
  }
}

TEST_F(StageFixture, AnInsertIntoSpaceThatTheFilesHadIsSeenByItsWrites) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "data", "preallocated"));
  open({});
  observer_ = std::make_unique<StrayObserver>(std::move(observer_), script_, folder.path());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // Beyond the step of a file's times.
  hook_ = StageHook{"write", [&](const CallContext&) -> Status {
                      std::fstream(folder.path() / "data") << "PREALLOCATED";
                      return ok();
                    }};
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_EQ(record.after_bytes.at("files"), record.before_bytes.at("files"));
}

TEST_F(StageFixture, AStreamThatFailsIsInvalidAndCountsNothing) {
  open({{.operation = "put", .after_calls = 10, .code = ErrorCode::kIo}});
  driver_ = std::make_unique<StreamingDriver>(std::move(driver_));
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_EQ(record.objects, 0U);
  EXPECT_EQ(record.bytes_acked, 0);
  EXPECT_EQ(record.latency.count, 0U);
  EXPECT_EQ(record.errors, 1U);
}

TEST_F(StageFixture, PerfileLatencyCountsEachAcknowledgedOperation) {
  open({});
  EXPECT_EQ(run(StageKind::kPerfileInsert).latency.count, 40U);
  EXPECT_EQ(run(StageKind::kPerfileDelete).latency.count, 40U);
}

/// The update stage makes two objects for each that it writes, and none of them ahead of its start.
TEST_F(StageFixture, LatencyHoldsNoWaitingForAnObjectToBeMade) {
  open({});
  DatasetSpec spec = small_spec(0, 16);
  spec.payload = "structured_json";
  spec.object_size.low = Bytes{512 << 10};
  auto dataset = Dataset::make(spec);
  ASSERT_TRUE(dataset) << dataset.error().text();
  state_ = std::make_unique<ChainState>(*dataset, Keeps::kAll);
  plan_.stages.update_share_percent = 100;
  ASSERT_TRUE(run(StageKind::kBulkInsert).valid);
  const StageRecord record = run(StageKind::kUpdate);
  ASSERT_TRUE(record.valid) << record.reason;
  ASSERT_EQ(record.latency.count, 16U);
  const double in_operations = record.latency.values_us.at("mean") * 16 / 1e6;
  EXPECT_LT(in_operations, record.client_wait_seconds)
      << "the null system only copies what takes long to make";
  EXPECT_LE(record.client_wait_seconds, record.duration_seconds);
}

TEST_F(StageFixture, AFailedInsertIsInvalidAndDoesNotCountTheFailedObject) {
  open({{.operation = "put", .after_calls = 10, .code = ErrorCode::kIo}});
  const StageRecord record = run(StageKind::kPerfileInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_EQ(record.objects, 10U);
  EXPECT_EQ(record.bytes_acked, 10 * 2048);
  EXPECT_EQ(record.errors, 1U);
  EXPECT_EQ(record.latency.count, 10U);
  EXPECT_FALSE(record.retryable);
  EXPECT_NE(record.reason.find("scripted fault"), std::string::npos);
}

TEST_F(StageFixture, AFailedBatchIsInvalidAndCountsNothing) {
  open({{.operation = "put_batch", .code = ErrorCode::kIo}});
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_EQ(record.objects, 0U);
  EXPECT_EQ(record.bytes_acked, 0);
  EXPECT_EQ(record.latency.count, 0U);
  EXPECT_EQ(record.errors, 1U);
  EXPECT_TRUE(record.after_bytes.empty());
}

TEST_F(StageFixture, ALostConnectionInTheStageEndsItAsConnectionLost) {
  open({{.operation = "put", .after_calls = 3, .code = ErrorCode::kConnectionLost, .once = true}});
  const StageRecord record = run(StageKind::kPerfileInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_EQ(record.error_code, "CONNECTION_LOST");
  EXPECT_TRUE(record.retryable);
  EXPECT_EQ(record.objects, 3U);
}

TEST_F(StageFixture, ADriverThatLiesAboutAnInsertIsFoundOut) {
  for (const char* operation : {"put", "put_batch"}) {
    SCOPED_TRACE(operation);
    open({{.operation = operation, .lie = true}});
    const StageRecord record =
        run(std::string_view(operation) == "put" ? StageKind::kPerfileInsert : StageKind::kBulkInsert);
    EXPECT_FALSE(record.valid);
    EXPECT_EQ(record.error_code, "CORRUPTION");
  }
}

TEST_F(StageFixture, ADriverThatLiesAboutOneObjectIsFoundOut) {
  open({{.operation = "put", .after_calls = 20, .once = true, .lie = true}});
  const StageRecord record = run(StageKind::kPerfileInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_NE(record.reason.find("39 objects are in the system, 40 should be"), std::string::npos)
      << record.reason;
}

TEST_F(StageFixture, ADeletionThatDeletesNothingIsFoundOutBeforeTheSizeIsRead) {
  open({{.operation = "erase", .lie = true}});
  ASSERT_TRUE(run(StageKind::kBulkInsert).valid);
  const StageRecord record = run(StageKind::kPerfileDelete);
  EXPECT_FALSE(record.valid);
  EXPECT_TRUE(record.after_bytes.empty());
}

TEST_F(StageFixture, AReadBackThatLosesObjectsIsFoundOut) {
  open({{.operation = "read_all", .lie = true}});
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_NE(record.reason.find("reading back gives 0"), std::string::npos) << record.reason;
}

TEST_F(StageFixture, AnEmptySystemAfterDeletionHasNoLogicalBytes) {
  open({});
  ASSERT_TRUE(run(StageKind::kPerfileInsert).valid);
  const StageRecord record = run(StageKind::kPerfileDelete);
  EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_EQ(record.logical_bytes, 0);
  EXPECT_EQ(record.verified, "empty");
  const StageRecord refill = run(StageKind::kRefill);
  EXPECT_TRUE(refill.valid) << refill.reason;
  EXPECT_EQ(refill.logical_bytes, kAllBytes);
}

TEST_F(StageFixture, AnUndeclaredStageIsUnsupportedAndHasNoFigures) {
  open({});
  ASSERT_TRUE(run(StageKind::kBulkInsert).valid);
  const StageRecord record = run(StageKind::kMaintenance);
  EXPECT_FALSE(record.valid);
  EXPECT_TRUE(record.unsupported);
  EXPECT_TRUE(record.reason.starts_with("unsupported: "));
  EXPECT_TRUE(record.before_bytes.empty() && record.after_bytes.empty());
}

TEST_F(StageFixture, ADeclaredOperationThatIsRefusedIsInvalidAndNotUnsupported) {
  open({{.operation = "put", .code = ErrorCode::kUnsupported}});
  const StageRecord record = run(StageKind::kPerfileInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_FALSE(record.unsupported);
}

TEST_F(StageFixture, ARequiredProbeThatIsMissingMakesTheStageInvalid) {
  open({});
  required_ = {"files"};  // The null system has no files.
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_NE(record.reason.find("required probe 'files' is missing"), std::string::npos) << record.reason;
  EXPECT_FALSE(record.after_bytes.contains("files"));
}

TEST_F(StageFixture, AConnectionThatIsLostAtAReadingOfSizesIsALossAndMayBeTriedAgain) {
  required_ = {"files"};
  for (const std::uint64_t readings :
       {0U, 1U, 2U}) {  // Before the operations, at the first and second look after.
    for (const char* operation : {"directories", "footprint"}) {
      SCOPED_TRACE(fmt::format("{} after {}", operation, readings));
      open({{.operation = operation, .after_calls = readings, .once = true}});
      const StageRecord record = run(StageKind::kBulkInsert);
      EXPECT_FALSE(record.valid);
      EXPECT_EQ(record.error_code, "CONNECTION_LOST") << record.reason;
      EXPECT_TRUE(record.retryable);
    }
  }
}

TEST_F(StageFixture, AServerThatRestartedInvalidatesTheStage) {
  open({});
  identity_.started_at = "another start";
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_TRUE(record.retryable);
  EXPECT_NE(record.reason.find("restarted or replaced"), std::string::npos);
}

TEST_F(StageFixture, AServerThatRestartedUnseenInsideTheStageInvalidatesIt) {
  // The fixture asks once, the stage before its work and after it.
  open({{.operation = "identity", .after_calls = 2, .once = true, .lie = true}});
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_TRUE(record.retryable);
  EXPECT_NE(record.reason.find("restarted or replaced"), std::string::npos) << record.reason;
}

TEST_F(StageFixture, CopiesThatCannotBeMeasuredInvalidateTheStageAndAreNotAssumed) {
  // What a driver answers while replicas are behind, for one.
  open({{.operation = "copies", .code = ErrorCode::kUnsettled, .detail = "2 of 3 replicas are in step"}});
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_NE(record.reason.find("2 of 3 replicas are in step"), std::string::npos) << record.reason;
  EXPECT_EQ(script_->calls("copies"), 1U);
}

TEST_F(StageFixture, AStopEndsTheStageAsCancelled) {
  open({});
  std::stop_source stop;
  stop.request_stop();
  const StageRecord record = run(StageKind::kBulkInsert, {Clock::time_point::max(), stop.get_token()});
  EXPECT_FALSE(record.valid);
  EXPECT_EQ(record.error_code, "CANCELLED");
}

TEST_F(StageFixture, AnUpdateWithNewBytesChangesWhatTheSystemShouldHold) {
  open({}, 90);
  ASSERT_TRUE(run(StageKind::kBulkInsert).valid);
  plan_.stages.update_share_percent = 50;
  const StageRecord record = run(StageKind::kUpdate);
  EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_EQ(record.objects, 20U);
  EXPECT_EQ(record.logical_bytes, kAllBytes);
  EXPECT_GE(record.unique_objects, 20U);  // Twenty new contents, and what is left of the four old ones.
}

TEST_F(StageFixture, AnUpdateWithTheSameBytesChangesNothing) {
  open({}, 90);
  ASSERT_TRUE(run(StageKind::kBulkInsert).valid);
  plan_.stages.update_content = UpdateContent::kSame;
  const StageRecord record = run(StageKind::kUpdate);
  EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_EQ(record.unique_objects, 4U);
}

TEST_F(StageFixture, TooMuchToReadBackIsSampledAndSaysSo) {
  open({});
  plan_.stages.verify_full_up_to = Bytes{1};
  plan_.stages.verify_sample = 7;
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_EQ(record.verified, "sample of 7");
}

TEST_F(StageFixture, ADeclaredLossThatDidNotHappenIsInvalid) {
  open({}, 50, Keeps::kOnePerKeyAtIngestion);  // The null system keeps every object.
  EXPECT_FALSE(run(StageKind::kBulkInsert).valid);
}

TEST_F(StageFixture, BeforeMaintenanceAnythingBetweenSurvivorsAndDatasetIsRight) {
  open({}, 50, Keeps::kOnePerKeyAfterMaintenance);
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_EQ(record.removed, std::optional<std::uint64_t>(0));
  EXPECT_EQ(record.keeps, "one per key");
  EXPECT_TRUE(run(StageKind::kPerfileDelete).unsupported) << "nobody knows which objects are left";
}

TEST_F(StageFixture, TheHookRunsAfterTheOperationsAndBeforeTheReadBackAndIsRecorded) {
  open({});
  std::uint64_t reads_before = 99;
  hook_ = StageHook{"dedupe /data", [&](const CallContext&) {
                      reads_before = script_->calls("read_all");
                      return ok();
                    }};
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_TRUE(record.valid) << record.reason;
  EXPECT_EQ(reads_before, 0U);
  EXPECT_GT(script_->calls("read_all"), 0U);
  EXPECT_EQ(record.settings.at("hooks.after_operations"), "dedupe /data");
  EXPECT_TRUE(record.observed.at("hooks.after_operations").ends_with(" s"));
}

TEST_F(StageFixture, AHookThatFailsMakesTheStageInvalidWithWhatItSaid) {
  open({});
  hook_ = StageHook{"dedupe", [](const CallContext&) -> Status {
                      return Error{ErrorCode::kRefused, "hooks.after_operations", "no such folder"};
                    }};
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_FALSE(record.valid);
  EXPECT_NE(record.reason.find("no such folder"), std::string::npos);
  EXPECT_TRUE(record.after_bytes.empty());
}

/// A probe whose figure is how often it was read.
class CountingProbe final : public Probe {
 public:
  explicit CountingProbe(bool disturbs)
      : info_{.name = disturbs ? "volume:trimmed" : "pool",
              .quantum = disturbs ? Bytes{0} : Bytes{65'536},
              .disturbs = disturbs} {}
  const ProbeInfo& info() const noexcept override { return info_; }
  Result<ByteMap> read(const CallContext&) override { return ByteMap{{info_.name, ++reads_ > 1 ? 2 : 1}}; }
  Result<std::string> remarks(const CallContext&) override {
    return reads_ > 1 ? std::string("not trimmed") : std::string("asked too early");
  }
  std::optional<Bytes> uncertain() const override {
    return info_.disturbs && reads_ > 1 ? std::optional(Bytes{9}) : std::nullopt;
  }
  std::string counted() const override { return info_.disturbs ? "" : "claims a, b"; }
  Result<std::optional<double>> storage_copies(const CallContext&) override {
    if (info_.disturbs) return std::optional<double>{};
    return std::optional(3.0);
  }

 private:
  ProbeInfo info_;
  int reads_ = 0;
};

TEST_F(StageFixture, FurtherProbesEnterTheRecordWithTheirStepAndMayBeRequired) {
  open({});
  probes_.add(std::make_unique<CountingProbe>(false));
  probes_.add(std::make_unique<CountingProbe>(true));
  required_ = {"pool", "volume:trimmed"};
  const StageRecord record = run(StageKind::kBulkInsert);
  EXPECT_TRUE(record.valid) << record.reason;
  for (const char* probe : {"pool", "volume:trimmed"}) {
    SCOPED_TRACE(probe);
    EXPECT_EQ(record.before_bytes.at(probe), 1);
    EXPECT_EQ(record.after_bytes.at(probe), 2);
    EXPECT_EQ(record.scope.at(probe), "all copies");
  }
  EXPECT_EQ(record.quantum_bytes.at("pool"), 65'536);
  EXPECT_EQ(record.quantum_bytes.at("volume:trimmed"), observer_->quantum().count)
      << "what lies below files grows with them";
  EXPECT_EQ(record.residue_bytes.at("volume:trimmed"), 9) << "it is read when the others rest";
  EXPECT_EQ(record.remarks.at("pool"), "not trimmed");
  EXPECT_EQ(record.counted, (std::map<std::string, std::string>{{"pool", "claims a, b"}}));
  EXPECT_EQ(record.storage_copies, 3.0);
  required_ = {"zpool"};
  EXPECT_NE(run(StageKind::kPerfileDelete).reason.find("required probe 'zpool' is missing"),
            std::string::npos);
}

TEST_F(StageFixture, MaintenanceAfterADeletionThatIsNotDeclaredIsUnsupportedToo) {
  open({});
  ASSERT_TRUE(run(StageKind::kBulkInsert).valid);
  ChainState& state = *state_;
  EXPECT_TRUE(stage_supported({.capabilities = {Capability::kMaintenance}}, state, StageKind::kMaintenance));
  state.skip_delete();
  const Status after =
      stage_supported({.capabilities = {Capability::kMaintenance}}, state, StageKind::kMaintenance);
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace lab
