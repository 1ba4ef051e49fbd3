// A whole run over plain files in a temporary directory, with scripted faults and a clock that does not wait.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>

#include "driver/faulty_driver.hpp"
#include "drivers/cas/cas.hpp"
#include "drivers/files/files.hpp"
#include "model/plan_load.hpp"
#include "runner/runner.hpp"

namespace lab {

/// Faults of the systems; a registry entry is a plain function pointer, so they lie here.
inline std::shared_ptr<FaultScript>& files_faults() {
  static std::shared_ptr<FaultScript> script = std::make_shared<FaultScript>(std::vector<Fault>{});
  return script;
}

inline std::shared_ptr<FaultScript>& cas_faults() {
  static std::shared_ptr<FaultScript> script = std::make_shared<FaultScript>(std::vector<Fault>{});
  return script;
}

inline Result<std::unique_ptr<Session>> open_faulty_cas(const SystemConfig& config, const CallContext& call) {
  auto session = cas_system().open(config, call);
  if (!session) return session;
  return std::unique_ptr<Session>(std::make_unique<FaultySession>(std::move(*session), cas_faults()));
}

inline Result<std::unique_ptr<Session>> open_faulty_files(const SystemConfig& config,
                                                          const CallContext& call) {
  const auto decision = files_faults()->decide("open", call);
  if (decision.answer == FaultScript::Answer::kFail) return decision.error;
  auto session = files_system().open(config, call);
  if (!session) return session;
  return std::unique_ptr<Session>(std::make_unique<FaultySession>(std::move(*session), files_faults()));
}

inline Registry faulty_registry() {
  SystemEntry files = files_system();
  files.open = open_faulty_files;
  SystemEntry cas = cas_system();
  cas.open = open_faulty_cas;
  return {files, cas};
}

inline Plan tiny_plan() {
  Plan plan;
  plan.name = "tiny";
  plan.seed = 3;
  plan.repetitions = 2;
  plan.dataset.payloads = {"random_binary"};
  plan.dataset.grades = {0, 50};
  plan.dataset.objects = 6;
  plan.dataset.object_sizes = {SizeLaw{.low = Bytes{4096}}};
  plan.stages.chains = {{StageKind::kBulkInsert}, {StageKind::kPerfileInsert, StageKind::kPerfileDelete}};
  plan.stages.sample_interval = Millis{5};
  plan.settle.idle = Millis{1};
  plan.systems = {{.name = "files"}, {.name = "cas"}};
  return plan;
}

class RunFixture : public testing::Test, public RunListener {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "runner_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    files_faults() = std::make_shared<FaultScript>(std::vector<Fault>{});
    cas_faults() = std::make_shared<FaultScript>(std::vector<Fault>{});
  }
  /// Events of this type in the journal.
  std::size_t events(std::string_view type) {
    std::size_t found = 0;
    auto reader = JournalReader::open(directory_);
    EXPECT_TRUE(reader) << reader.error().text();
    if (!reader) return 0;
    EXPECT_TRUE((*reader)->each_event([&](const Event& event) -> Status {
      found += event.type == type ? 1 : 0;
      return ok();
    }));
    return found;
  }
  void TearDown() override {
    journal_.reset();
    std::filesystem::remove_all(directory_);
  }

  void faults(std::vector<Fault> list) { files_faults() = std::make_shared<FaultScript>(std::move(list)); }

  /// Runs or goes on; the journal is closed afterwards.
  Result<RunOutcome> run(std::optional<Millis> stop_after = {}, std::vector<std::string> redo = {}) {
    if (std::filesystem::exists(directory_ / "journal.db")) {
      auto opened = Journal::open(directory_);
      if (!opened) return opened.error();
      journal_ = std::move(*opened);
    } else {
      auto created = Journal::create(
          directory_,
          {.run_id = "20260131T120000Z-7e57ab1e", .seed = plan_.seed, .plan_toml = save_plan(plan_)});
      if (!created) return created.error();
      journal_ = std::move(*created);
    }
    const Registry registry = faulty_registry();
    const RunSetting setting{plan_, registry,          directory_, *journal_,      *this,
                             time_, stop_.get_token(), stop_after, std::move(redo)};
    auto outcome = run_plan(setting);
    EXPECT_TRUE(journal_->close());
    journal_.reset();
    return outcome;
  }

  std::vector<StageRecord> records(bool superseded = false) {
    std::vector<StageRecord> all;
    auto reader = JournalReader::open(directory_);
    EXPECT_TRUE(reader) << reader.error().text();
    EXPECT_TRUE((*reader)->each_stage([&](const StoredStage& stored) -> Status {
      if (stored.record.superseded == superseded) all.push_back(stored.record);
      return ok();
    }));
    return all;
  }

  /// cell, chain and stage -> B on `apparent`: what two runs must agree on. Fails on a stage that counts
  /// twice.
  std::map<std::string, std::int64_t> figures() {
    std::map<std::string, std::int64_t> all;
    for (const StageRecord& record : records()) {
      EXPECT_TRUE(record.valid || record.unsupported)
          << record.cell_id << " " << record.stage << ": " << record.reason;
      const std::string key = record.cell_id + "|" + record.chain + "|" + record.stage;
      EXPECT_FALSE(all.contains(key)) << key;
      all[key] = record.valid ? record.after_bytes.at("apparent") - record.empty_bytes.at("apparent") : -1;
    }
    return all;
  }

  std::filesystem::path directory_{};
  Plan plan_ = tiny_plan();
  ScriptedTime time_{};
  std::stop_source stop_{};
  std::unique_ptr<Journal> journal_{};
};

}  // namespace lab
