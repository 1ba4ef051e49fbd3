// The faults of a drill: each is data and two functions. Systems know nothing of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "testbed/proxy.hpp"
#include "testbed/testbed.hpp"

namespace lab::drill {

/// What a fault may get at.
struct Scene {
  testbed::Testbed& bed;
  const testbed::Recipe& recipe;
  testbed::Proxy* proxy = nullptr;   // Between the run and its server, for a fault that needs one.
  pid_t program = 0;                 // The run.
  std::filesystem::path server{};    // The server's data directory.
  std::filesystem::path run_disk{};  // The small file system of the run directory, where there is one.
  std::filesystem::path clock{};     // libfaketime reads the run's clock from it.
  CallContext call{};
};

/// What must be there for a fault.
enum class Needs : std::uint8_t { kNothing, kProxy, kServerDisk, kRunDisk, kClock };

struct Fault {
  std::string_view name{};
  std::string_view what{};
  Needs needs = Needs::kNothing;
  /// What the disturbed run may end with; anything else is a finding.
  std::vector<int> exit_codes{0, 1};
  std::optional<Millis> heals_after{};  // Empty: when the run has ended.
  std::optional<Millis> ends_within{};  // From the fault to the run's end; empty: the run's own bounds.
  bool ends_server = false;             // A stage within which it came cannot be valid.
  Millis limit{30'000};                 // Of one step of the run, at most: what hangs is waited for so long.
  std::map<std::string_view, std::string_view> not_for{};  // System -> why the fault is not itself there.
  Status (*inject)(const Scene&) = nullptr;
  Status (*heal)(const Scene&) = nullptr;  // Null: it heals by itself.
};

const std::vector<Fault>& faults();
const Fault* find_fault(std::string_view name);
std::vector<std::string> fault_names();

/// The server runs and answers afterwards, whatever was done to it.
Status bring_up(const Scene& scene);

/// The folder at the top of the file system that holds `folder`, if that is one of its own (not the root's)
/// of at most 4 GiB: only such a one is ever filled. Errors: kRefused, kIo.
Result<std::filesystem::path> small_disk(const std::filesystem::path& folder);

/// The library that moves a program's clock. Errors: kNotFound with what to install.
Result<std::filesystem::path> clock_library();

/// What a program is given so that `clock` moves its wall clock, and no other clock.
std::vector<std::string> clock_environment(const std::filesystem::path& library,
                                           const std::filesystem::path& clock);

}  // namespace lab::drill
