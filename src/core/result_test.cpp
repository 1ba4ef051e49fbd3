// Results: a value or an error, returned early, spelled in one way.
// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>

namespace lab {
namespace {

Status fails() { return Error{ErrorCode::kRefused, "test", "no"}; }

Result<int> passes_on() {
  LAB_TRY(ok());
  LAB_TRY(fails());
  return 1;
}

TEST(Result, AnErrorReturnsEarlyAndWhole) {
  const auto result = passes_on();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kRefused);
  EXPECT_EQ(result.error().text(), "test: no (REFUSED)");
}

TEST(Result, AValueThatCannotBeCopiedMovesOut) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 7);
}

TEST(Result, EveryCodeHasASpellingOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code)
    names.insert(to_string(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::kInternal) + 1);
}

TEST(Result, ErrnoDecidesTheCode) {
  struct Case {
    int number;
    ErrorCode code;
  };
  const Case cases[] = {{ENOSPC, ErrorCode::kResourceExhausted},
                        {EDQUOT, ErrorCode::kResourceExhausted},
                        {EMFILE, ErrorCode::kResourceExhausted},
                        {ENOENT, ErrorCode::kNotFound},
                        {EACCES, ErrorCode::kRefused},
                        {EROFS, ErrorCode::kRefused},
                        {EIO, ErrorCode::kIo}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.number);
    const Error error = errno_error("open", "/x", one.number);
    EXPECT_EQ(error.code, one.code);
    EXPECT_EQ(error.operation, "open");
    EXPECT_TRUE(error.detail.starts_with("/x: "));
  }
}

TEST(Result, ABrokenPromiseEndsTheProgramWithItsReason) {
  EXPECT_DEATH(LAB_CHECK(1 == 2, "numbers differ"), "check failed: 1 == 2 \\(numbers differ\\)");
}

}  // namespace
}  // namespace lab
