// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.hpp"
#include "drivers/cas/cas.hpp"
#include "drivers/files/files.hpp"
#include "drivers/lmdb/lmdb.hpp"
#include "drivers/null/null.hpp"
#include "drivers/rocksdb/rocksdb.hpp"
#include "drivers/sqlite/sqlite.hpp"

namespace lab::cli {

const Registry& built_in_systems() {
  static const Registry kSystems{
      files_system(), cas_system(), sqlite_system(), rocksdb_system(), lmdb_system(), null_system(),
  };
  return kSystems;
}

}  // namespace lab::cli
