// SPDX-License-Identifier: Apache-2.0
#include "cli/census_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "core/files.hpp"
#include "report/csv.hpp"

namespace lab::cli {
namespace {

double ratio(Bytes part, Bytes whole) {
  return static_cast<double>(part.count) / static_cast<double>(whole.count);
}

/// Over all originals.
struct Sums {
  std::uint64_t copies = 0;     // That the manifest names.
  std::uint64_t countable = 0;  // Of them, of originals that have a count.
  std::uint64_t whole = 0;
  double by_bytes = 0;  // Located bytes in units of the original's size.
  Bytes scanned{};
};

Sums sums_of(const CensusResult& found) {
  Sums sums;
  for (const OriginalCount& original : found.originals) {
    sums.copies += original.expected_copies;
    if (!original.found) continue;
    sums.countable += original.expected_copies;
    sums.whole += original.found->whole_copies;
    sums.by_bytes += ratio(original.found->located, original.size);
  }
  for (const ClassCount& counted : found.classes) sums.scanned += counted.scanned;
  return sums;
}

}  // namespace

nlohmann::ordered_json census_json(const scan::CensusReport& census) {
  const CensusResult& found = census.found;
  const Sums sums = sums_of(found);
  nlohmann::ordered_json object{{"chunker", "census"},
                                {"originals", found.originals.size()},
                                {"uncountable", found.uncountable},
                                {"not_found", found.not_found},
                                {"copies_expected", sums.copies},
                                {"copies_countable", sums.countable},
                                {"copies_whole", sums.whole},
                                {"copies_by_bytes", sums.by_bytes},
                                {"expected_bytes", found.expected.count},
                                {"located_bytes", found.located.count}};
  if (found.expected.count > 0) object["share_located"] = ratio(found.located, found.expected);
  object["scanned_bytes"] = sums.scanned.count;
  object["slices"] = found.slices;
  object["ambiguous_slices"] = found.ambiguous_slices;
  object["false_hits"] = found.false_hits;
  object["slice_distance"] = found.slice_distance;
  object["memory"] = census.memory.count;
  return object;
}

std::string census_text(const scan::CensusReport& census) {
  const CensusResult& found = census.found;
  const Sums sums = sums_of(found);
  std::string text = "\nknown content\n";
  const auto line = [&](const char* what, const std::string& value) {
    text += fmt::format("  {:<28} {}\n", what, value);
  };
  line("objects expected", fmt::format("{} originals, {} with a count", found.originals.size(),
                                       found.originals.size() - found.uncountable));
  line("copies expected", fmt::format("{}, {} with a count", sums.copies, sums.countable));
  line("copies found", fmt::format("{} whole, {:.2f} by bytes", sums.whole, sums.by_bytes));
  if (found.expected.count == 0)
    line("payload located", "cannot be said: no object has bytes that are its own");
  else
    line("payload located", fmt::format("{:.2f} %, {} of {}", 100 * ratio(found.located, found.expected),
                                        format_bytes(found.located), format_bytes(found.expected)));
  line("originals not found at all", fmt::format("{}", found.not_found));
  line("ambiguous slices", fmt::format("{}; {} of use, one in {} bytes, in {}", found.ambiguous_slices,
                                       found.slices, found.slice_distance, format_bytes(census.memory)));
  if (found.expected.count > 0 && found.located.count == 0)
    text += "  not located: compressed, encrypted or gone\n";
  return text;
}

Status write_census_csv(const scan::CensusReport& census, const std::filesystem::path& path) {
  const std::string columns[] = {"number", "size", "copies_expected", "copies_found", "share_located"};
  std::string rows = report::csv_header(columns);
  for (const OriginalCount& original : census.found.originals) {
    std::optional<std::uint64_t> copies;
    std::optional<double> share;
    if (original.found) {
      copies = original.found->whole_copies;
      share = ratio(original.found->located, original.size) / static_cast<double>(original.expected_copies);
    }
    report::CsvRow row;
    row.raw(std::to_string(original.number)).raw(std::to_string(original.size.count));
    row.raw(std::to_string(original.expected_copies)).number(copies).number(share);
    rows += row.take();
  }
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!file) return file.error();
  return write_all(*file, rows, path);
}

}  // namespace lab::cli
