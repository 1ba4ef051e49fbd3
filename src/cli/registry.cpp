// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.hpp"
#include "drivers/cas/cas.hpp"
#include "drivers/clickhouse/clickhouse.hpp"
#include "drivers/cockroach/cockroach.hpp"
#include "drivers/files/files.hpp"
#include "drivers/kafka/kafka.hpp"
#include "drivers/lmdb/lmdb.hpp"
#include "drivers/mariadb/mariadb.hpp"
#include "drivers/minio/minio.hpp"
#include "drivers/null/null.hpp"
#include "drivers/postgres/postgres.hpp"
#include "drivers/redis/redis.hpp"
#include "drivers/rocksdb/rocksdb.hpp"
#include "drivers/sqlite/sqlite.hpp"

namespace lab::cli {

const Registry& built_in_systems() {
  // One a line, in the order of `deduplab systems`.
  static const Registry kSystems{
      files_system(),        //
      cas_system(),          //
      postgresql_system(),   //
      cockroachdb_system(),  //
      mariadb_system(),      //
      clickhouse_system(),   //
      redis_system(),        //
      kafka_system(),        //
      minio_system(),        //
      sqlite_system(),       //
      rocksdb_system(),      //
      lmdb_system(),         //
      null_system(),         //
  };
  return kSystems;
}

}  // namespace lab::cli
