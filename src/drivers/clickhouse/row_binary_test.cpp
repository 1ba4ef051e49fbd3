// SPDX-License-Identifier: Apache-2.0
#include "drivers/clickhouse/row_binary.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace lab::clickhouse {
namespace {

std::string mark() {
  std::string text(4, '\0');
  std::memcpy(text.data(), &kRowMark, 4);
  return text;
}

std::string row(char id, const std::string& payload) {
  return mark() + std::string(16, id) + varint(payload.size()) + payload;
}

struct Seen {
  std::vector<std::string> payloads{};
  RowReader reader{[this](const ObjectId&, std::span<const std::byte> payload) {
                     payloads.emplace_back(as_text(payload));
                     return ok();
                   },
                   "op"};

  /// Fed in pieces of `size` bytes.
  Status take(std::string_view text, std::size_t size) {
    for (std::size_t at = 0; at < text.size(); at += size) LAB_TRY(reader.take(text.substr(at, size)));
    return ok();
  }
};

TEST(RowSource, WritesTheSameRowsWhateverTheBufferIs) {
  const std::string payloads[] = {"", std::string("a\0b", 3), std::string(300, 'x')};
  std::vector<Object> objects;
  for (std::uint64_t number = 0; number < 3; ++number) {
    Object object{.number = number, .mime = "text/plain", .payload = as_bytes(payloads[number])};
    object.id.fill(static_cast<std::byte>(number + 1));
    object.digest = sha256(payloads[number]);
    objects.push_back(object);
  }
  std::string whole;
  for (const std::size_t size : {1U, 7U, 64U, 100'000U}) {
    const Object* const all[] = {&objects[0], &objects[1], &objects[2]};
    RowSource source(source_of(all), {.with_version = true});
    std::string written;
    std::string buffer(size, '\0');
    while (const std::size_t bytes = *source.fill(buffer)) written.append(buffer, 0, bytes);
    EXPECT_EQ(*source.fill(buffer), 0U) << "and again";
    EXPECT_EQ(static_cast<std::int64_t>(written.size()), RowSource::bytes_of(all, true));
    if (whole.empty()) whole = written;
    EXPECT_EQ(written, whole) << size;
  }
  const std::string first = std::string(16, '\x01') + "\x0atext/plain" + std::string(8, '\0') +
                            std::string(as_text(sha256(""))) + std::string(8, '\xff') + std::string(1, '\0');
  EXPECT_EQ(whole.substr(0, first.size()), first);
  const std::string last = std::string("\xac\x02", 2) + std::string(300, 'x');
  EXPECT_TRUE(whole.ends_with(last));
}

TEST(RowSource, AnErrorOfTheObjectsSourceEndsIt) {
  const Object object{.number = 1, .payload = as_bytes("x")};
  bool given = false;
  RowSource source(
      [&]() -> Result<const Object*> {
        if (std::exchange(given, true)) return Error{ErrorCode::kIo, "source", "broken"};
        return &object;
      },
      {});
  std::string buffer(4096, '\0');
  const auto filled = source.fill(buffer);
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().detail, "broken");
}

TEST(RowSource, AnEarlierObjectHasTheHigherVersion) {
  const Object early{.number = 3};
  const Object late{.number = 4};
  const auto version = [](const Object& object) {
    const Object* const one[] = {&object};
    RowSource source(source_of(one), {.with_version = true});
    std::string row(static_cast<std::size_t>(RowSource::bytes_of(one, true)), '\0');
    EXPECT_EQ(*source.fill(row), row.size());
    std::uint64_t value = 0;
    std::memcpy(&value, row.data() + 16 + 1 + 8 + 32, 8);
    return value;
  };
  EXPECT_GT(version(early), version(late));
}

TEST(RowReader, GivesEveryRowWhateverThePieces) {
  const std::string text =
      row('a', "") + row('b', std::string(1'000, 'y')) + row('c', std::string("\0\xff", 2));
  for (const std::size_t size : {1U, 5U, 1'000U, 100'000U}) {
    Seen seen;
    ASSERT_TRUE(seen.take(text, size));
    ASSERT_TRUE(seen.reader.finish(3, 3)) << size;
    EXPECT_EQ(seen.payloads,
              (std::vector<std::string>{"", std::string(1'000, 'y'), std::string("\0\xff", 2)}));
  }
}

TEST(RowReader, AnExceptionInPlaceOfARowIsTheError) {
  const std::string words =
      "Code: 241, e.displayText() = DB::Exception: Memory limit exceeded, e.what() = DB::Exception\n";
  for (const std::size_t size : {1U, 30U, 100'000U}) {
    Seen seen;
    ASSERT_TRUE(seen.take(row('a', "one") + words, size));
    const Status end = seen.reader.finish(2, 2);
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code, ErrorCode::kResourceExhausted) << end.error().text();
    EXPECT_EQ(seen.payloads.size(), 1U);
  }
}

TEST(RowReader, AnExceptionInsideARowIsTheError) {
  Seen seen;
  const std::string cut = row('a', std::string(5'000, 'z')).substr(0, 2'000);
  ASSERT_TRUE(seen.take(cut + "Code: 241. DB::Exception: Memory limit exceeded", 900));
  EXPECT_EQ(seen.reader.finish(1, 1).error().code, ErrorCode::kResourceExhausted);
}

TEST(RowReader, RowsThatAreMissingOrCutOffAreCorruption) {
  Seen fewer;
  ASSERT_TRUE(fewer.take(row('a', "one"), 100));
  EXPECT_TRUE(fewer.reader.finish(1, 1));
  EXPECT_EQ(fewer.reader.finish(2, 2).error().code, ErrorCode::kCorruption);
  EXPECT_TRUE(fewer.reader.finish(1, 2)) << "a merge took the other";
  EXPECT_EQ(fewer.reader.finish(0, 0).error().code, ErrorCode::kCorruption);
  Seen cut;
  const std::string text = row('a', "one") + row('b', "two");
  ASSERT_TRUE(cut.take(text.substr(0, text.size() - 1), 100));
  EXPECT_EQ(cut.reader.finish(2, 2).error().code, ErrorCode::kCorruption);
  EXPECT_EQ(cut.reader.finish(1, 1).error().code, ErrorCode::kCorruption) << "there is more than whole rows";
  Seen noise;
  ASSERT_TRUE(noise.take(std::string(500, 'n'), 100));
  EXPECT_EQ(noise.reader.finish(0, 0).error().code, ErrorCode::kCorruption);
  EXPECT_TRUE(noise.payloads.empty());
}

TEST(RowReader, TheSinksErrorEndsTheReading) {
  int rows = 0;
  RowReader reader(
      [&rows](const ObjectId&, std::span<const std::byte>) -> Status {
        ++rows;
        return Error{ErrorCode::kCancelled, "sink", "enough"};
      },
      "op");
  EXPECT_EQ(reader.take(row('a', "1") + row('b', "2")).error().detail, "enough");
  EXPECT_EQ(rows, 1);
}

}  // namespace
}  // namespace lab::clickhouse
