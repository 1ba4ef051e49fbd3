// Which class of files a file belongs to, by patterns of the command line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "scan/file_list.hpp"

namespace lab::cli {

struct FileClasses {
  std::vector<std::string> names{};  // "all" alone without patterns; else the last one is "other".
  scan::ClassOf class_of{};
};

/// From words GLOB=NAME, of which the first that matches decides; several may have one name. A glob with a
/// slash is held against the whole path, any other against the file's name; what none matches is "other".
/// Errors: kInvalidArgument with the word.
Result<FileClasses> file_classes(const std::vector<std::string>& words);

}  // namespace lab::cli
