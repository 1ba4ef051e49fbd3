// What two kinds of JSON share: a list of items after a unique id, and a note that fills up to the size.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "payload/prose.hpp"
#include "payload/text_writer.hpp"

namespace lab {

/// The texts around and between: open, id, list, item, separator, item, ..., note, sentences, end.
struct NotedList {
  std::string_view open{}, list{}, separator{}, note{}, end{};
  std::size_t item_room = 0;  // No item with its separator is longer.
};

/// Exactly `size` bytes into `out`. `write_item(TextWriter&)` writes one item.
template <class WriteItem>
void make_noted_list(ContentStream& random, const NotedList& texts, std::size_t size,
                     std::vector<std::byte>& out, const WriteItem& write_item) {
  out.resize(size + texts.item_room);  // The item that does not fit is made too, and overwritten.
  char* const begin = reinterpret_cast<char*>(out.data());
  char* const note_end = begin + size - texts.end.size();
  char* const items_end = note_end - texts.note.size();

  TextWriter head(begin, random);
  head.raw(texts.open).hexadecimal(random.next()).raw(texts.list);  // The id is unique to the content.
  char* at = head.at();
  for (bool first = true; at < items_end; first = false) {
    TextWriter item(at, random);
    if (!first) item.raw(texts.separator);
    write_item(item);
    if (item.at() > items_end) break;
    at = item.at();
  }

  TextWriter note(at, random);
  note.raw(texts.note);
  char* const note_begin = note.at();
  while (note.at() < note_end) note.sentence().raw(" ");
  if (note_begin < note_end) end_cut_text(note_begin, note_end, ".");
  std::memcpy(note_end, texts.end.data(), texts.end.size());
  out.resize(size);
}

}  // namespace lab
