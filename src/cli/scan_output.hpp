// What a scan found, for people and for scripts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "scan/scan.hpp"

namespace lab::cli {

/// An array, an object a chunker in the order asked, with several classes also one for each of them; the last
/// one is the census, where there is one.
nlohmann::ordered_json scan_json(const scan::ScanRequest& request, const scan::ScanReport& report);

/// What was left out or changed, on standard error.
void say_notes(const scan::ScanReport& report);

/// A table, a line a chunker.
std::string scan_table(const scan::ScanReport& report);

}  // namespace lab::cli
