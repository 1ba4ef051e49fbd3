// A stage over the null system with scripted faults, and a dataset small enough for a unit test.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "driver/faulty_driver.hpp"
#include "drivers/null/null.hpp"
#include "stage/stage.hpp"

namespace lab {

inline DatasetSpec small_spec(int grade, std::uint64_t objects = 40) {
  DatasetSpec spec;
  spec.payload = "random_binary";
  spec.dataset_seed = 7;
  spec.grade = grade;
  spec.objects = objects;
  spec.object_size.low = Bytes{2048};
  return spec;
}

class StageFixture : public testing::Test {
 protected:
  void open(std::vector<Fault> faults, int grade = 50, Keeps keeps = Keeps::kAll) {
    script_ = std::make_shared<FaultScript>(std::move(faults));
    auto session = null_system().open({}, {});
    ASSERT_TRUE(session) << session.error().text();
    session_ = std::make_unique<FaultySession>(std::move(*session), script_);
    auto driver = session_->open_driver({});
    ASSERT_TRUE(driver) << driver.error().text();
    driver_ = std::move(*driver);
    auto observer = session_->open_observer({});
    ASSERT_TRUE(observer) << observer.error().text();
    observer_ = std::move(*observer);
    ASSERT_TRUE(driver_->reset({}));
    auto dataset = Dataset::make(small_spec(grade));
    ASSERT_TRUE(dataset) << dataset.error().text();
    state_ = std::make_unique<ChainState>(*dataset, keeps);
    auto identity = observer_->identity({});
    ASSERT_TRUE(identity) << identity.error().text();
    identity_ = *identity;
  }

  StageRecord run(StageKind kind, const CallContext& call = {}) {
    progress_ = std::make_unique<StageProgress>();
    const StageInput input{*driver_,  *observer_, *state_, kind,    plan_, required_,
                           identity_, *progress_, time_,   probes_, hook_};
    return run_stage(input, call);
  }

  Plan plan_{};
  std::vector<std::string> required_{};
  ProbeSet probes_{};
  std::optional<StageHook> hook_{};
  ScriptedTime time_{};
  std::shared_ptr<FaultScript> script_{};
  std::unique_ptr<Session> session_{};
  std::unique_ptr<Driver> driver_{};
  std::unique_ptr<Observer> observer_{};
  std::unique_ptr<ChainState> state_{};
  std::unique_ptr<StageProgress> progress_{};
  ServerIdentity identity_{};
};

}  // namespace lab
