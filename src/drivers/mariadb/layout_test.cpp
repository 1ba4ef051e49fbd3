// SPDX-License-Identifier: Apache-2.0
#include "drivers/mariadb/layout.hpp"

#include <gtest/gtest.h>

#include "drivers/mariadb/mariadb.hpp"

namespace lab::mariadb {
namespace {

const ServerNamespace kSpace{.name = "dedup-lab_x"};
const LogNames kNames{.binlog = "mysql-bin"};

TEST(MariadbLayout, ANameIsQuotedWhateverItHolds) {
  EXPECT_EQ(quoted_name("a`b"), "`a``b`");
  EXPECT_EQ(table_name("dedup-lab", "files"), "`dedup-lab`.`files`");
}

TEST(MariadbLayout, OnlyNumberedDatabasesOfTheNamespaceAreContainers) {
  EXPECT_EQ(container_of(kSpace, "dedup-lab_x"), 0U);
  EXPECT_EQ(container_of(kSpace, "dedup-lab_x_1"), 1U);
  EXPECT_EQ(container_of(kSpace, "dedup-lab_x_12"), 12U);
  for (const char* other :
       {"dedup-lab_x_", "dedup-lab_x_0", "dedup-lab_x_01", "dedup-lab_x_1a", "dedup-lab_x1", "dedup-lab",
        "dedup-lab_x_-1", "dedup-lab_x_99999999999", "mysql", ""})
    EXPECT_EQ(container_of(kSpace, other), std::nullopt) << other;
  for (std::uint32_t number : {0U, 1U, 7U}) EXPECT_EQ(container_of(kSpace, kSpace.container(number)), number);
}

TEST(MariadbLayout, TheMarkOfOneContainerIsNotThatOfAnother) {
  EXPECT_NE(marker_comment(kSpace, 1), marker_comment(kSpace, 2));
  // The container 1 of one namespace and the namespace of that name.
  EXPECT_NE(marker_comment({.name = "lab"}, 1), marker_comment({.name = "lab_1"}, 0));
}

TEST(MariadbLayout, FileNamesAreWrittenAsTheServerWritesThem) {
  EXPECT_EQ(file_name("dedup_lab"), "dedup_lab");
  EXPECT_EQ(file_name("dedup-lab"), "dedup@002dlab");
}

TEST(MariadbLayout, EachFileBelongsToOnePart) {
  const auto part = [](const char* file) { return part_of_file(file, kSpace, kNames); };
  EXPECT_EQ(part("dedup@002dlab_x/files.ibd"), FilePart::kPayload);
  EXPECT_EQ(part("dedup@002dlab_x_3/files.ibd"), FilePart::kPayload);
  EXPECT_EQ(part("dedup@002dlab_x/#sql-ib42.ibd"), FilePart::kPayload);
  for (const char* log : {"ib_logfile0", "undo001", "mysql-bin.000001", "mysql-bin.index",
                          "aria_log.00000001", "undo/undo001", "binlogs/mysql-bin.000002"})
    EXPECT_EQ(part(log), FilePart::kLog) << log;
  for (const char* meta : {"ibdata1", "ibtmp1", "aria_log_control", "dedup@002dlab_x/db.opt",
                           "dedup@002dlab_x/files.frm", "dedup@002dlab_x/deduplab_marker.ibd",
                           "mysql/files.ibd", "sys/sys_config.ibd", "undo", "mysql-bin2.000001"})
    EXPECT_EQ(part(meta), FilePart::kMeta) << meta;
  for (const char* others :
       {"dedup@002dlab_x_y/files.ibd", "shop/orders.ibd", "shop/orders.MYD", "mysqlx/a.ibd"})
    EXPECT_EQ(part(others), FilePart::kOthers) << others;
}

TEST(MariadbLayout, WithoutABinaryLogNoFileIsTakenForOne) {
  EXPECT_EQ(part_of_file(".000001", kSpace, {}), FilePart::kMeta);
}

TEST(MariadbLayout, EveryVariantMakesAnInnodbTableOfItsKind) {
  for (const VariantInfo& variant : variants()) {
    const auto setup = setup_of(variant.name, kSpace, 1);
    const std::string sql = create_table_sql(setup, 0);
    EXPECT_EQ(sql.find("CREATE TABLE `dedup-lab_x`.`files`("), 0U) << sql;
    EXPECT_NE(sql.find("ENGINE=InnoDB ROW_FORMAT="), std::string::npos) << sql;
    EXPECT_EQ(sql.find("PAGE_COMPRESSED=1") != std::string::npos, variant.name == "page_compressed");
    EXPECT_EQ(sql.find("ROW_FORMAT=COMPRESSED") != std::string::npos, variant.name == "row_compressed");
    EXPECT_EQ(sql.find("UNIQUE KEY") != std::string::npos, variant.name == "insert_if_absent");
    EXPECT_EQ(insert_sql(setup, 0).find("IGNORE"), std::string::npos) << "it hides other errors";
  }
}

TEST(MariadbLayout, SetupStatementsHoldNoPasswordAndTakeNothingAway) {
  SystemConfig config;
  config.url = "mariadb://root@127.0.0.1:3306/";
  config.password = "not-to-be-seen";
  config.options["lab_user"] = "o'lab";
  const auto admin = mariadb_system().admin(config);
  ASSERT_TRUE(admin) << admin.error().text();
  std::string all;
  for (const std::string& statement : (*admin)->apply_statements()) all += statement + ";\n";
  EXPECT_EQ(all.find("not-to-be-seen"), std::string::npos);
  EXPECT_NE(all.find("DEDUP_MARIADB_LAB_PASSWORD"), std::string::npos);
  EXPECT_NE(all.find("CREATE USER 'o\\'lab'@'%'"), std::string::npos) << all;
  EXPECT_NE(all.find("`dedup\\_lab`.*"), std::string::npos)
      << "an unescaped _ would give other databases too";
  EXPECT_EQ(all.find("REVOKE"), std::string::npos);
  EXPECT_EQ(all.find("ALL PRIVILEGES"), std::string::npos);
}

}  // namespace
}  // namespace lab::mariadb
