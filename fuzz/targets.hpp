// What is fuzzed: functions that take any bytes, and fail only by a crash, a sanitizer's finding or a
// LAB_CHECK of what must hold for every input. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace lab::fuzz {

struct Target {
  const char* name = "";  // Its folder below fuzz/corpus.
  void (*run)(std::string_view bytes) = nullptr;
};

/// All of them, by name.
const std::vector<Target>& targets();
const Target* find_target(std::string_view name);

void plan(std::string_view bytes);
void record(std::string_view bytes);
void words(std::string_view bytes);
void manifest(std::string_view bytes);
void journal(std::string_view bytes);
void index_file(std::string_view bytes);
void chunker(std::string_view bytes);
void exposition(std::string_view bytes);
void prometheus(std::string_view bytes);
void s3_xml(std::string_view bytes);
void clickhouse(std::string_view bytes);
void server_words(std::string_view bytes);
void tool_output(std::string_view bytes);
void http(std::string_view bytes);

}  // namespace lab::fuzz
