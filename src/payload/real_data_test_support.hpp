// Records of real data for tests: of each kind that has some, with what is hard to keep in them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace lab {

/// Writes `records` different records of all kinds below `root`: texts with umlauts, quotes and line ends,
/// transactions without a balance and of many years, rows of numbers of different lengths with missing ones.
inline void write_real_records(const std::filesystem::path& root, int records) {
  for (const char* kind : {"bank_transactions", "text_corpus", "numeric_dataset"})
    std::filesystem::create_directories(root / kind);
  std::ofstream bank(root / "bank_transactions/account.csv");
  bank << "Date,Amount,Currency,Payee,Purpose,Balance\n";
  std::ofstream texts(root / "text_corpus/texts.jsonl");
  std::ofstream narrow(root / "numeric_dataset/narrow.csv");
  std::ofstream wide(root / "numeric_dataset/wide.csv");
  narrow << "a,b\n";
  wide << "a,b,c,d\n";
  for (int at = 0; at < records; ++at) {
    bank << fmt::format("{}-{:02}-{:02},{}{}.{:02},{},\"Müller \"\"{}\"\", Söhne\",{},{}\n", 1990 + at % 40,
                        at % 12 + 1, at % 28 + 1, at % 2 == 0 ? "-" : "", at * 97, at % 100,
                        at % 5 == 0 ? "" : "EUR", at, at % 3 == 0 ? "" : "\"two\tlines\nof it; 5 %\"",
                        at % 4 == 0 ? "" : fmt::format("{}0{}.5", at % 7 == 0 ? "-" : "", at));
    texts << fmt::format("{{\"n\": {}, \"text\": \"Größe, 'quoted' and \\\\ {}\"}}\n", at,
                         std::string(static_cast<std::size_t>(at % 50), 'x'));
    if (at % 2 == 0)
      narrow << fmt::format("{},{}\n", at, at * 0.1);
    else
      wide << fmt::format("{},NA,{}e-300,-0.0\n", at, at + 0.123456789012345);
  }
}

}  // namespace lab
