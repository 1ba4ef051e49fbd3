// The suite that every system passes in every variant: its fixture, its objects and its bounds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "core/testing/temporary_folder.hpp"
#include "driver/system.hpp"

namespace lab {

using namespace std::chrono_literals;

/// One system in one variant.
struct Candidate {
  // Shared: a candidate is copied for each of some thousand tests when the program starts.
  std::shared_ptr<const SystemEntry> entry{};
  std::string variant{};
  std::string payload{};  // Mode "native" with its schema; empty: mode "blob".
};
/// "redis_aof", "redis_also_rdb" for a variant that is not the first one, "mariadb_native_jsonb_documents".
std::string name_of(const testing::TestParamInfo<Candidate>& info);
// NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for.
void PrintTo(const Candidate& candidate, std::ostream* out);

/// An object that owns its bytes.
struct Made {
  ObjectId id{};
  std::uint32_t container = 0;
  std::string payload{};

  Object view() const {
    return {.id = id,
            .mime = "application/octet-stream",
            .container = container,
            .payload = as_bytes(payload),
            .digest = sha256(payload)};
  }
  ObjectKey key() const { return {.id = id, .container = container}; }
};

/// A valid UUID version 4 that says its number.
ObjectId id_of(std::uint64_t number);
std::string random_bytes(std::uint64_t seed, std::size_t size);
Made made(std::uint64_t number, std::string payload, std::uint32_t container = 0);

/// Distinct contents of `size` bytes each, numbered from `first`.
std::vector<Made> made_many(std::uint64_t first, std::size_t objects, std::size_t size);
std::vector<Object> views(const std::vector<Made>& objects);
std::vector<ObjectKey> keys(const std::vector<Made>& objects);

inline CallContext within(Millis limit) { return {Clock::now() + limit, {}}; }
inline CallContext soon() { return within(60s); }

/// How long a call may go on after a stop: 2 s by contract, and slack for sanitizers on a busy machine.
constexpr auto kStopBound = 6s;

struct Tree {
  std::int64_t apparent = 0;
  std::int64_t allocated = 0;
  std::int64_t log = 0;  // Of the allocated, as the observer tells; 0 without one.
  std::int64_t outside_log() const { return allocated - log; }
  std::map<std::string, std::string> digests{};  // By relative path; filled by tree_with_digests alone.
};
Tree tree_of(const std::filesystem::path& root, const Observer* observer = nullptr);
Tree tree_with_digests(const std::filesystem::path& root);

class DriverConformance : public testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Opens session, driver and observer as `config_` says: on the home folder, or on the real server.
  void open();
  void close();

  /// Whether it is the server in the place of MinIO whose files no request makes smaller.
  bool frees_by_itself_alone();

  const DriverInfo& info() const { return driver_->info(); }
  bool embedded() const { return GetParam().entry->embedded; }
  bool declares(Capability capability) const { return info().has(capability); }
  std::filesystem::path home() const { return config_.path; }
  std::filesystem::path data() const { return config_.path / "data"; }

  /// By put_batch where it is declared, else one by one; then flush.
  void load(const std::vector<Made>& objects);
  /// Nothing but these, each with its bytes, by read_all and by count.
  void expect_holds(const std::vector<Made>& objects);
  std::uint64_t count();
  /// Until the observer's busy counters are 0, for at most 30 s; gives what is left of them.
  double await_quiet();
  /// All that lies in the observer's directories, after syncfs.
  Tree disk();
  /// The engine's own figure of the payload; where it has none, the lengths of the files that hold payload.
  std::int64_t payload_bytes();
  /// What shows whether space was freed: an embedded system's files; of a server, whose log and neighbours
  /// lie in the same directory, the payload part.
  std::int64_t held_bytes();

  TemporaryFolder folder_{};
  SystemConfig config_{};
  std::unique_ptr<Session> session_{};
  std::unique_ptr<Driver> driver_{};
  std::unique_ptr<Observer> observer_{};
};

/// Every system and variant; a new system is one line there.
std::vector<Candidate> candidates();

/// Every system that has mode "native", in its first variant, with each schema.
std::vector<Candidate> native_candidates();

}  // namespace lab
