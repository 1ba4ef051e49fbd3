// Scripted faults around any system, for tests: a call fails, once or for good, or lies that it was done.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "driver/system.hpp"

namespace lab {

/// One fault. Operations are named as the interfaces name them: "open_driver", "open_observer", "put",
/// "put_batch", "read_all", "maintain", ..., "identity", "footprint", "busy", ...; erase_all is "erase_all".
struct Fault {
  std::string operation{};
  std::uint64_t after_calls = 0;  // This many calls of the operation pass first.
  ErrorCode code = ErrorCode::kConnectionLost;
  bool retryable = false;
  bool once = false;  // One call only; else that call and each later one.
  bool lie = false;   // Instead of an error: success without doing anything; numbers are 0, texts empty.
  std::string detail = "scripted fault";
};

/// The script and the calls counted so far, shared by all connections so that a reconnect goes on with it.
/// Thread-safe.
class FaultScript {
 public:
  explicit FaultScript(std::vector<Fault> faults) : faults_(std::move(faults)) {}

  enum class Answer { kPass, kFail, kLie };
  struct Decision {
    Answer answer = Answer::kPass;
    Error error{};
  };
  /// Counts one call of `operation` and says what becomes of it.
  Decision decide(std::string_view operation, const CallContext& call);
  std::uint64_t calls(std::string_view operation) const;
  /// Of each operation the longest that one of its calls might have waited.
  std::map<std::string, Clock::duration, std::less<>> longest_waits() const;

 private:
  mutable std::mutex mutex_{};
  std::vector<Fault> faults_;
  std::map<std::string, std::uint64_t, std::less<>> calls_{};
  std::map<std::string, Clock::duration, std::less<>> longest_{};
};

class FaultyDriver final : public Driver {
 public:
  FaultyDriver(std::unique_ptr<Driver> inner, std::shared_ptr<FaultScript> script);

  const DriverInfo& info() const noexcept override { return inner_->info(); }
  Status prove(const CallContext& call) override;
  Status reset(const CallContext& call) override;
  Status put(const CallContext& call, const Object& object) override;
  Status read_all(const CallContext& call, const ObjectSink& sink) override;
  Result<std::uint64_t> count(const CallContext& call) override;
  Status flush(const CallContext& call) override;
  Status put_batch(const CallContext& call, std::span<const Object> objects) override;
  Status put_stream(const CallContext& call, const ObjectSource& source) override;
  Result<std::string> get(const CallContext& call, const ObjectKey& key) override;
  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override;
  Status erase_all(const CallContext& call, DeleteAll how) override;
  Result<MaintenanceOutcome> maintain(const CallContext& call) override;

 private:
  std::unique_ptr<Driver> inner_;
  std::shared_ptr<FaultScript> script_;
};

class FaultyObserver final : public Observer {
 public:
  FaultyObserver(std::unique_ptr<Observer> inner, std::shared_ptr<FaultScript> script);

  Result<ServerIdentity> identity(const CallContext& call) override;
  Result<std::map<std::string, std::string>> settings(const CallContext& call) override;
  Result<std::map<std::string, double>> busy(const CallContext& call) override;
  Result<std::vector<Counter>> activity(const CallContext& call) override;
  Result<Footprint> footprint(const CallContext& call) override;
  Result<std::vector<std::filesystem::path>> directories(const CallContext& call) override;
  std::optional<FilePart> part_of(const std::filesystem::path& relative) const override;
  Bytes quantum() const override { return inner_->quantum(); }
  Result<double> copies(const CallContext& call) override;
  Result<std::map<std::string, double>> statement_seconds(const CallContext& call) override;

 private:
  std::unique_ptr<Observer> inner_;
  std::shared_ptr<FaultScript> script_;
};

/// Gives out faulty connections of a real session.
class FaultySession final : public Session {
 public:
  FaultySession(std::unique_ptr<Session> inner, std::shared_ptr<FaultScript> script);
  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override;
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override;

 private:
  std::unique_ptr<Session> inner_;
  std::shared_ptr<FaultScript> script_;
};

}  // namespace lab
