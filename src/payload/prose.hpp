// English-looking sentences from a built-in vocabulary, for text documents and for the strings of JSON
// documents. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "payload/content_stream.hpp"

namespace lab {

enum class WordClass : std::uint8_t {
  kDeterminer,
  kAdjective,
  kNoun,
  kVerb,  // Past tense, with an object.
  kAdverb,
  kPreposition,
  kName,
  kPlace,
  kYear,
};
inline constexpr std::size_t kWordClasses = 9;

/// A word and one space, laid out so that one 16-byte copy writes it.
struct Word {
  std::array<char, 15> text{};
  std::uint8_t length = 0;  // Bytes with the space.
};

/// The vocabulary, made once.
class Prose {
 public:
  static const Prose& instance();

  /// Writes a word and a space; returns the end. May touch 16 bytes from `at`.
  char* write_word(char* at, WordClass word_class, ContentStream& random) const {
    const std::vector<Word>& words = words_[static_cast<std::size_t>(word_class)];
    const Word& word = words[random.below(static_cast<std::uint32_t>(words.size()))];
    __builtin_memcpy(at, &word, sizeof(Word));
    return at + word.length;
  }

  /// Writes a sentence with its full stop and a space; returns the end. May touch kSentenceRoom bytes from
  /// `at`. No quote, backslash or control character: it can stand in a JSON string as it is.
  char* write_sentence(char* at, ContentStream& random) const;

 private:
  /// A word of a sentence and how many commas (none or one) follow it.
  struct Step {
    WordClass word_class{};
    std::uint8_t commas = 0;
  };
  Prose();
  static std::vector<Step> steps_of(std::string_view pattern);

  std::array<std::vector<Word>, kWordClasses> words_{};
  std::vector<std::vector<Step>> patterns_{};
};

/// A pattern has at most 18 words and 4 commas.
inline constexpr std::size_t kSentenceRoom = 18 * sizeof(Word) + 4 + sizeof(Word);

/// Makes text that was cut anywhere end well: writes `ending` over the last bytes of [begin, end), and
/// letters over what the cut left before it (half a character, a space, a comma). Precondition: the ending
/// fits.
void end_cut_text(char* begin, char* end, std::string_view ending);

/// The 16 lower-case hexadecimal digits of `value`; returns the end.
char* write_hexadecimal(char* at, std::uint64_t value);

}  // namespace lab
