// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/copy_writer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lab::pgwire {
namespace {

struct Sent {
  std::vector<std::string> pieces{};
  std::string all{};
  CopyWriter writer{[this](std::string_view piece) {
    pieces.emplace_back(piece);
    all += piece;
    return ok();
  }};
};

}  // namespace

TEST(CopyWriter, WritesWhatTheServersDocumentationDescribes) {
  Sent sent;
  ASSERT_TRUE(sent.writer.begin());
  ASSERT_TRUE(sent.writer.row(4));
  ASSERT_TRUE(sent.writer.field(std::string_view("a\0b", 3)));
  ASSERT_TRUE(sent.writer.field(std::int64_t{-2}));
  ASSERT_TRUE(sent.writer.field(std::string_view()));
  ASSERT_TRUE(sent.writer.null());
  ASSERT_TRUE(sent.writer.finish());
  const std::string expected(
      "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
      "\0\4"
      "\0\0\0\3a\0b"
      "\0\0\0\10\377\377\377\377\377\377\377\376"
      "\0\0\0\0"
      "\377\377\377\377"
      "\377\377",
      19 + 2 + 7 + 12 + 4 + 4 + 2);
  EXPECT_EQ(sent.all, expected);
}

TEST(CopyWriter, NeverHoldsMoreThanAPieceOfALargeField) {
  Sent sent;
  const std::string large(5 * CopyWriter::kPiece + 7, 'x');
  ASSERT_TRUE(sent.writer.begin());
  ASSERT_TRUE(sent.writer.row(1));
  ASSERT_TRUE(sent.writer.field(large));
  ASSERT_TRUE(sent.writer.finish());
  EXPECT_EQ(sent.all.size(), 19 + 2 + 4 + large.size() + 2);
  for (const std::string& piece : sent.pieces) EXPECT_LE(piece.size(), CopyWriter::kPiece);
}

TEST(CopyWriter, StopsAtTheFirstPieceThatIsNotSent) {
  int sends = 0;
  CopyWriter writer([&](std::string_view) -> Status {
    ++sends;
    return Error{ErrorCode::kCancelled, "test"};
  });
  ASSERT_TRUE(writer.begin());
  EXPECT_FALSE(writer.field(std::string(3 * CopyWriter::kPiece, 'x')));
  EXPECT_EQ(sends, 1);
}

}  // namespace lab::pgwire
