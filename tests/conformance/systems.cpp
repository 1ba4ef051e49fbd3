// Which systems the suite runs on: one line a system, all its variants.
// SPDX-License-Identifier: Apache-2.0
#include "conformance.hpp"
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

namespace lab {

namespace {

std::vector<SystemEntry> systems() {
  return {
      null_system(),         //
      files_system(),        //
      cas_system(),          //
      sqlite_system(),       //
      rocksdb_system(),      //
      lmdb_system(),         //
      postgresql_system(),   //
      cockroachdb_system(),  //
      mariadb_system(),      //
      clickhouse_system(),   //
      redis_system(),        //
      kafka_system(),        //
      minio_system(),        //
  };
}

}  // namespace

std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
  for (const SystemEntry& system : systems()) {
    const auto entry = std::make_shared<const SystemEntry>(system);
    for (const VariantInfo& variant : entry->variants) all.push_back({entry, variant.name});
  }
  return all;
}

std::vector<Candidate> native_candidates() {
  std::vector<Candidate> all;
  for (const SystemEntry& system : systems()) {
    if (!system.native) continue;
    const auto entry = std::make_shared<const SystemEntry>(system);
    for (const NativeSchema& schema : native_schemas())
      all.push_back({entry, entry->variants.front().name, std::string(schema.payload)});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Systems, DriverConformance, testing::ValuesIn(candidates()), name_of);

}  // namespace lab
