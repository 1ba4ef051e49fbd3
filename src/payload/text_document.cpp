// text_document: a title, then paragraphs of sentences, cut to the size.
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "payload/made_kinds.hpp"
#include "payload/prose.hpp"

namespace lab {
namespace {

constexpr std::string_view kTitle = "Document ";
constexpr std::string_view kBreak = ".\n\n";
constexpr std::uint32_t kSentencesPerParagraph = 6;  // On the average.

}  // namespace

void make_text_document(ContentKey key, std::size_t size, std::vector<std::byte>& out) {
  const Prose& prose = Prose::instance();
  ContentStream random(key, Purpose::kText);
  out.resize(size + kSentenceRoom + kBreak.size());  // A sentence may run over the end; what is over is cut.
  char* at = reinterpret_cast<char*>(out.data());
  char* const end = at + size;
  std::memcpy(at, kTitle.data(), kTitle.size());
  at = write_hexadecimal(at + kTitle.size(), random.next());  // The first number: unique to the content.
  char* const title_end = at;
  std::memcpy(at, kBreak.data(), kBreak.size());
  at += kBreak.size();
  while (at < end) {
    at = prose.write_sentence(at, random);
    if (random.below(kSentencesPerParagraph) == 0) {
      std::memcpy(at - 1, "\n\n", 2);
      ++at;
    }
  }
  end_cut_text(title_end, end, ".\n");
  out.resize(size);
}

}  // namespace lab
