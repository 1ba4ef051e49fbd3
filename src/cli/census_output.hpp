// What a census found, for people and for scripts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "scan/scan.hpp"

namespace lab::cli {

/// The sums of all originals; a share of nothing is an absent key.
nlohmann::ordered_json census_json(const scan::CensusReport& census);

/// Lines below the table of the chunkers.
std::string census_text(const scan::CensusReport& census);

/// A line an original; what cannot be said of it is blank. Errors: the file's, also that it exists already.
Status write_census_csv(const scan::CensusReport& census, const std::filesystem::path& path);

}  // namespace lab::cli
