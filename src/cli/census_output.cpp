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

}  // namespace

std::string census_text(const scan::CensusReport& census, std::span<const std::string> classes) {
  const CensusFigures sums = census.figures(classes);
  std::string text = "\nknown content\n";
  const auto line = [&](const char* what, const std::string& value) {
    text += fmt::format("  {:<28} {}\n", what, value);
  };
  line("objects expected",
       fmt::format("{} originals, {} with a count", sums.originals, sums.originals - sums.uncountable));
  line("copies expected", fmt::format("{}, {} with a count", sums.copies_expected, sums.copies_countable));
  line("copies found", fmt::format("{} whole, {:.2f} by bytes", sums.copies_whole, sums.copies_by_bytes));
  const auto share = sums.share_located();
  if (!share)
    line("payload located", "cannot be said: no object has bytes that are its own");
  else
    line("payload located",
         fmt::format("{:.2f} %, {} of {}", 100 * *share, format_bytes(Bytes{sums.located_bytes}),
                     format_bytes(Bytes{sums.expected_bytes})));
  for (const CensusPart& part : sums.parts)
    line(("  in " + part.name).c_str(), fmt::format("{} of {}", format_bytes(Bytes{part.located_bytes}),
                                                    format_bytes(Bytes{part.scanned_bytes})));
  line("originals not found at all", fmt::format("{}", sums.not_found));
  line("ambiguous slices", fmt::format("{}; {} of use, one in {} bytes, in {}", sums.ambiguous_slices,
                                       sums.slices, sums.slice_distance, format_bytes(census.memory)));
  if (share && sums.located_bytes == 0) text += "  not located: compressed, encrypted or gone\n";
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
  const Status written = write_all(*file, rows, path);
  if (written) return ok();
  std::error_code kept;
  std::filesystem::remove(path, kept);  // A part of it would be taken for the whole.
  return Error{written.error().code, "--census-csv", written.error().detail};
}

}  // namespace lab::cli
