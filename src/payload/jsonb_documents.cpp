// jsonb_documents: events with every sort of value, in the very text that PostgreSQL gives a jsonb value.
// SPDX-License-Identifier: Apache-2.0
#include "payload/made_kinds.hpp"
#include "payload/noted_list.hpp"

namespace lab {
namespace {

constexpr std::string_view kDocuments = R"(", "docs": [)";
constexpr std::string_view kNote = R"(], "note": ")";
constexpr std::string_view kEnd = "\"}";

/// A tenth is never 0: no form of a number drops it.
void write_tenths(TextWriter& json, std::uint32_t bound) {
  if (json.random().below(2) == 0) json.raw("-");
  json.number(json.random().below(bound)).raw(".").number(1 + json.random().below(9));
}

/// Shorter keys first, then bytewise, a space behind ':' and ','. At most 222 bytes, of which the last 35
/// begin with 32 that occur in one place of one content only: `trace`, two numbers of the stream in a row.
/// Hence no two aligned blocks of 512 bytes are equal: each holds a whole trace with its key before it, since
/// what follows the last one is shorter than a document and the object's end.
void write_document(TextWriter& json) {
  ContentStream& random = json.random();
  json.raw(R"({"at": )").number(1'577'836'800 + random.below(150'000'000));
  json.raw(random.below(4) == 0 ? R"(, "ok": false, "geo": [)" : R"(, "ok": true, "geo": [)");
  write_tenths(json, 90);
  json.raw(", ");
  write_tenths(json, 180);
  if (random.below(4) == 0)
    json.raw(R"(], "tag": null)");
  else
    json.raw(R"(], "tag": ")").word(WordClass::kNoun).raw("\"");
  json.raw(R"(, "user": {"id": )").number(random.below(1'000'000)).raw(R"(, "name": ")");
  json.word(WordClass::kName).raw(" ").word(WordClass::kName).raw(R"("}, "score": )");
  write_tenths(json, 10'000);
  json.raw(R"(, "trace": ")");
  json.hexadecimal(random.next());
  json.hexadecimal(random.next()).raw("\"}");
}

constexpr std::size_t kDocumentRoom = 256 + 2 * sizeof(Word) + kSentenceRoom;

}  // namespace

void make_jsonb_documents(ContentKey key, std::size_t size, std::vector<std::byte>& out) {
  ContentStream random(key, Purpose::kJsonb);
  constexpr NotedList kTexts{R"({"id": ")", kDocuments, ", ", kNote, kEnd, kDocumentRoom};
  make_noted_list(random, kTexts, size, out, write_document);
}

}  // namespace lab
