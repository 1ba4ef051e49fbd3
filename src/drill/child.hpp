// The program itself as a child process, so that a kill -9 of it is a real one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/process.hpp"

namespace lab::drill {

/// A started program. One that outlives this object is killed with it.
class Child {
 public:
  /// Its output goes to the end of `log`. Errors: those of HeldChild::start and release.
  static Result<Child> start(const Command& command, const std::filesystem::path& log);
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  pid_t pid() const noexcept { return pid_; }
  bool running();
  /// Its exit code; 128 + number for one that a signal ended. Errors: kTimeout, kCancelled; it then still
  /// runs.
  Result<int> wait(const CallContext& call);

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  int status_ = 0;
  bool collected_ = false;
};

}  // namespace lab::drill
