// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/lab_namespace.hpp"

#include <gtest/gtest.h>

namespace lab::pgwire {

TEST(PgwireNamespace, KnowsTheNamesOfItsContainersAndNoOthers) {
  EXPECT_EQ(container_number("dedup_lab", "dedup_lab"), 0U);
  EXPECT_EQ(container_number("dedup_lab", "dedup_lab_1"), 1U);
  EXPECT_EQ(container_number("dedup_lab", "dedup_lab_17"), 17U);
  for (const char* name : {"dedup_lab_", "dedup_lab_0", "dedup_lab_01", "dedup_lab_+1", "dedup_lab_x",
                           "dedup_lab_1x", "dedup_lab_99999999999", "dedup_lab2", "dedup", "other"})
    EXPECT_FALSE(container_number("dedup_lab", name)) << name;
}

TEST(PgwireNames, AreQuotedSoThatNothingGetsOut) {
  EXPECT_EQ(identifier("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
  EXPECT_EQ(literal("it's"), "'it''s'");
  EXPECT_EQ(literal("a\\'b"), " E'a\\\\''b'");
}

}  // namespace lab::pgwire
