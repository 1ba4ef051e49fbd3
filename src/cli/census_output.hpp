// What a census found, for people, and an original a line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "scan/scan.hpp"

namespace lab::cli {

/// Lines below the table of the chunkers.
std::string census_text(const scan::CensusReport& census, std::span<const std::string> classes);

/// A line an original; what cannot be said of it is blank. Errors: the file's, also that it exists already.
Status write_census_csv(const scan::CensusReport& census, const std::filesystem::path& path);

}  // namespace lab::cli
