// SPDX-License-Identifier: Apache-2.0
#include "core/redaction.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

TEST(Redaction, TakesALongSecretOutWhereverItStands) {
  EXPECT_EQ(without_secret("AUTH lab:pass1pass1x", "pass1"), "AUTH lab:******x");
  EXPECT_EQ(without_secret("nothing", ""), "nothing");
}

TEST(Redaction, TakesAShortSecretOutAsAWordAndLeavesTheTextReadable) {
  struct Case {
    const char* text = "";
    const char* want = "";
  };
  const Case cases[] = {
      {"postgresql://lab:a@a-host/data", "postgresql://lab:***@***-host/data"},
      {"password=a sslmode=verify-full", "password=*** sslmode=verify-full"},
      {"AUTH 'a' was refused", "AUTH '***' was refused"},
      {"the password is wrong and has expired at last", "the password is wrong and has expired at last"},
      {"a", "***"},
      {"\u00e4a a\u00e4", "\u00e4a a\u00e4"},
  };
  for (const Case& one : cases) EXPECT_EQ(without_secret(one.text, "a"), one.want);
  EXPECT_EQ(without_secret("abc xabc abc", "abc"), "*** xabc ***");
  EXPECT_EQ(without_secret("xabcdx", "abcd"), "x***x");
}

}  // namespace
}  // namespace lab
