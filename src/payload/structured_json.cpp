// structured_json: an array of order records between a unique id and a note that fills up to the size.
// SPDX-License-Identifier: Apache-2.0
#include "payload/made_kinds.hpp"
#include "payload/noted_list.hpp"

namespace lab {
namespace {

constexpr std::uint32_t kLinesMax = 4;

/// Keys in bytewise order at every level.
void write_record(TextWriter& json) {
  ContentStream& random = json.random();
  json.raw(random.below(4) == 0 ? "{\"active\":false,\"amount\":" : "{\"active\":true,\"amount\":");
  json.number(random.below(10'000'000)).raw(",\"contact\":{\"city\":\"").word(WordClass::kPlace);
  json.raw("\",\"name\":\"").word(WordClass::kName).raw(" ").word(WordClass::kName);
  json.raw("\",\"since\":").number(1970 + random.below(56)).raw("},\"lines\":[");
  const std::uint32_t lines = 1 + random.below(kLinesMax);
  for (std::uint32_t line = 0; line < lines; ++line) {
    json.raw(line == 0 ? "{\"count\":" : ",{\"count\":").number(1 + random.below(99)).raw(",\"item\":\"");
    json.word(WordClass::kAdjective).raw(" ").word(WordClass::kNoun).raw("\",\"price\":");
    json.number(random.below(1'000'000)).raw("}");
  }
  json.raw("],\"rank\":").raw(random.below(2) == 0 ? "-" : "").number(1 + random.below(100'000));
  json.raw(",\"reference\":\"").hexadecimal(random.next()).raw("\",\"tags\":[\"").word(WordClass::kNoun);
  json.raw("\",\"").word(WordClass::kAdjective).raw("\"],\"text\":\"").sentence().raw("\"}");
}

// The literals of a record sum to less than 200 bytes, a line to less than 100; the rest is words and
// numbers.
constexpr std::size_t kRecordRoom = 512 + kLinesMax * 128 + kSentenceRoom;

constexpr std::string_view kNote = "],\"note\":\"";
constexpr std::string_view kEnd = "\"}";

}  // namespace

void make_structured_json(ContentKey key, std::size_t size, std::vector<std::byte>& out) {
  ContentStream random(key, Purpose::kJson);
  constexpr NotedList kTexts{"{\"id\":\"", "\",\"items\":[", ",", kNote, kEnd, kRecordRoom};
  make_noted_list(random, kTexts, size, out, write_record);
}

}  // namespace lab
