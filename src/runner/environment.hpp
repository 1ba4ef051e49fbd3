// Where a run took place: machine, kernel, file systems, program and libraries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "driver/system.hpp"

namespace lab {

/// environment.json's text: kernel, CPU, cores, memory, container limits, time zone, the file system and
/// mount options of each folder in `folders` (name -> path), program and library versions, and the documented
/// `mechanisms` by system. What cannot be read is left out. No environment variables: they may hold secrets.
std::string describe_environment(const std::map<std::string, std::filesystem::path>& folders,
                                 const std::string& tool, const std::vector<std::string>& libraries,
                                 const std::map<std::string, std::vector<Mechanism>>& mechanisms);

}  // namespace lab
