// What can be told of the cockroachdb system without a server.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/cockroach/setup.hpp"

#include <gtest/gtest.h>

#include "drivers/cockroach/cluster.hpp"
#include "drivers/cockroach/cockroach.hpp"
#include "drivers/cockroach/observer.hpp"

namespace lab::cockroach {
namespace {

std::string schema_of(const std::string& variant, const SystemConfig& config = {}) {
  const CockroachDialect dialect(*make_setup(variant, config));
  std::string all;
  for (const std::string& sql : dialect.create_table("dedup_lab_1")) all += sql + ";";
  return all;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST(CockroachSetup, OnlyItsVariantsChangeTheTimesToLive) {
  EXPECT_FALSE(has(schema_of("default"), "ttl"));
  EXPECT_TRUE(has(schema_of("gc_ttl"), "CONFIGURE ZONE USING gc.ttlseconds = 1;"));
  EXPECT_TRUE(has(schema_of("row_ttl"), "ttl_expire_after = '30 days'"));
  EXPECT_FALSE(has(schema_of("row_ttl"), "gc.ttlseconds"));
}

TEST(CockroachSetup, TheGarbagesTimeToLiveIsAnInteger) {
  SystemConfig config;
  config.options["gc_ttl_seconds"] = "5";
  EXPECT_TRUE(has(schema_of("gc_ttl", config), "gc.ttlseconds = 5;"));
  for (const char* text : {"0", "-1", "1.5", "5s", "", "99999999999999999999"}) {
    config.options["gc_ttl_seconds"] = text;
    EXPECT_EQ(make_setup("gc_ttl", config).error().code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST(CockroachSetup, NamesAreQuotedInTheirDatabase) {
  EXPECT_TRUE(has(schema_of("default"), "CREATE TABLE \"dedup_lab_1\".public.files"));
  const CockroachDialect dialect(cockroach::Setup{});
  EXPECT_EQ(dialect.drop_container("a-b"), "DROP DATABASE \"a-b\" RESTRICT");
}

TEST(CockroachVersion, IsReadFromItsOwnWordsAndNobodyElses) {
  EXPECT_EQ(major_version("CockroachDB CCL v26.1.0 (x86_64-pc-linux-gnu, built 2026/01/01)"), 26);
  EXPECT_EQ(major_version("CockroachDB OSS v22.2.19 (x86_64)"), 22);
  EXPECT_FALSE(major_version("PostgreSQL 15.20 on x86_64-pc-linux-gnu"));
  EXPECT_FALSE(major_version("CockroachDB"));
}

TEST(CockroachStore, EachFileHasAPart) {
  EXPECT_EQ(part_of_store_file("000123.sst"), FilePart::kPayload);
  EXPECT_EQ(part_of_store_file("000124.blob"), FilePart::kPayload) << "values of 256 bytes and more";
  EXPECT_EQ(part_of_store_file("000125.log"), FilePart::kLog);
  EXPECT_EQ(part_of_store_file("logs/cockroach.log"), FilePart::kMeta) << "words, not data";
  EXPECT_EQ(part_of_store_file("MANIFEST-000001"), FilePart::kMeta);
  EXPECT_EQ(part_of_store_file("auxiliary/EMERGENCY_BALLAST"), FilePart::kMeta);
}

TEST(CockroachStore, APortIsWhatStandsAfterTheLastColon) {
  EXPECT_EQ(port_in("127.0.0.1:26257\n"), "26257");
  EXPECT_EQ(port_in("[::1]:26258"), "26258");
  EXPECT_EQ(port_in("nothing"), "");
}

TEST(CockroachMaintenance, HasWorkedOnlyWhereGarbageIsGone) {
  const auto worked = [](std::int64_t before, std::int64_t now) {
    return outcome_of({.garbage_bytes = before}, {.ranges = 1, .garbage_bytes = now}).worked;
  };
  EXPECT_FALSE(worked(0, 0));
  EXPECT_FALSE(worked(5, 5));
  EXPECT_FALSE(worked(5, 7));
  EXPECT_TRUE(worked(5, 0));
}

TEST(CockroachSystem, RefusesWhatItDoesNotKnowBeforeItConnects) {
  SystemConfig config;
  config.url = "postgresql://root@127.0.0.1:1/defaultdb";
  config.variant = "gcttl";
  const auto session = cockroachdb_system().open(config, {Clock::now() + std::chrono::seconds(20), {}});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(has(session.error().detail, "gc_ttl")) << session.error().detail;
}

}  // namespace lab::cockroach
