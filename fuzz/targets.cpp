// SPDX-License-Identifier: Apache-2.0
#include "targets.hpp"

#include <algorithm>

namespace lab::fuzz {

const std::vector<Target>& targets() {
  static const std::vector<Target> kTargets{{"chunker", chunker},         {"clickhouse", clickhouse},
                                            {"exposition", exposition},   {"http", http},
                                            {"index_file", index_file},   {"journal", journal},
                                            {"manifest", manifest},       {"plan", plan},
                                            {"prometheus", prometheus},   {"record", record},
                                            {"s3_xml", s3_xml},           {"server_words", server_words},
                                            {"tool_output", tool_output}, {"words", words}};
  return kTargets;
}

const Target* find_target(std::string_view name) {
  const auto found = std::find_if(targets().begin(), targets().end(),
                                  [&](const Target& target) { return target.name == name; });
  return found == targets().end() ? nullptr : &*found;
}

}  // namespace lab::fuzz
