// SQLite's file access with an end: reads and writes fail once the call that makes them has ended.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include "core/time.hpp"

namespace lab::sqlite {

/// sqlite3_interrupt and progress handlers do not reach into single long steps (freeing a tree, the copy at
/// the end of VACUUM). An I/O error does: SQLite rolls back and leaves a sound database. Registers the file
/// layer once a process and gives its name for sqlite3_open_v2; SQLite's own where that fails.
const char* bounded_files();

/// While it lives, file access of this thread obeys `call`; a null call sets it free (for a rollback).
class BoundedAccess {
 public:
  explicit BoundedAccess(const CallContext* call);
  ~BoundedAccess();
  BoundedAccess(const BoundedAccess&) = delete;
  BoundedAccess& operator=(const BoundedAccess&) = delete;

 private:
  const CallContext* outer_;
};

}  // namespace lab::sqlite
