// SPDX-License-Identifier: Apache-2.0
#include "scan/merge_engine.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/process.hpp"
#include "core/text.hpp"
#include "generated/merge_engine_py.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kEngineMissing = 3;  // Exit code of merge_engine.py.
constexpr Bytes kAnswerMax{64 << 20};
constexpr std::size_t kLastWords = 600;

Error failed(ErrorCode code, std::string detail) { return {code, "scan-merge", std::move(detail)}; }

const char* name_of(MergeEngine::Kind kind) {
  return kind == MergeEngine::Kind::kDuckdb ? "duckdb" : "spark";
}

Result<std::string> job_text(const MergeEngine& engine, const MergeInput& input) {
  json job{{"engine", name_of(engine.kind)},
           {"master", engine.master},
           {"threads", engine.threads},
           {"memory_mib", engine.memory.count >> 20},
           {"temporary", fs::absolute(engine.temporary).string()},
           {"by_class", input.first().classes.size() > 1},
           {"chunkers", json::array()}};
  for (const fs::path& folder : input.folders)
    if (folder.string().find_first_of("*?[]{}\\") != std::string::npos)
      return failed(
          ErrorCode::kInvalidArgument,
          folder.string() + ": engines take one of *?[]{}\\ for a pattern; give the folder another name");
  for (std::size_t i = 0; i < input.first().chunkers.size(); ++i) {
    json& paths = job["chunkers"].emplace_back(json::array());
    for (std::size_t scan = 0; scan < input.scans.size(); ++scan)
      for (const EmittedFile& file : input.scans[scan].chunkers[i].files)
        paths.push_back((input.folders[scan] / file.name).string());
  }
  return job.dump();
}

/// The last of what it said, in one line.
std::string last_words(const std::string& text) {
  std::string line;
  for (const std::string& one : split(text, '\n'))
    if (!trim(one).empty()) line = trim(one);
  return line.size() > kLastWords ? line.substr(0, kLastWords) + " ..." : line;
}

Error engine_error(const MergeEngine& engine, const Ended& ended) {
  if (ended.exit_code == kEngineMissing)
    return failed(
        ErrorCode::kNotFound,
        fmt::format("{} has no engine {} ({}); install it with pip, or name with --python an interpreter "
                    "that has it",
                    engine.python, name_of(engine.kind), last_words(ended.errors)));
  const bool no_space = ended.errors.find("No space left") != std::string::npos ||
                        ended.errors.find("Out of Memory") != std::string::npos ||
                        ended.errors.find("OutOfMemoryError") != std::string::npos;
  return failed(
      no_space ? ErrorCode::kResourceExhausted : ErrorCode::kIo,
      fmt::format("{} ended with {}: {}", name_of(engine.kind), ended.exit_code, last_words(ended.errors)));
}

/// A row is [class or null, bucket, distinct, chunks, bytes, unique bytes].
Result<CountedBucket> bucket_of(const json& row, std::size_t classes) {
  const auto wrong = [&] {
    return failed(ErrorCode::kCorruption, "the engine's answer has the row " + row.dump());
  };
  if (!row.is_array() || row.size() != 6) return wrong();
  for (std::size_t i = 1; i < row.size(); ++i)
    if (!row[i].is_number_unsigned()) return wrong();
  CountedBucket made;
  if (!row[0].is_null()) {
    if (!row[0].is_number_unsigned() || row[0].get<std::uint64_t>() >= classes) return wrong();
    made.class_index = row[0].get<std::size_t>();
  }
  made.bucket = row[1].get<std::size_t>();
  if (made.bucket >= DistinctFigures{}.buckets.size()) return wrong();
  made.counted = {row[2].get<std::uint64_t>(), row[3].get<std::uint64_t>(), row[4].get<std::uint64_t>()};
  made.unique_bytes = row[5].get<std::uint64_t>();
  return made;
}

Result<Counted> answer_of(const std::string& text, const MergeInput& input) {
  const json answer = json::parse(text, nullptr, false);
  const std::size_t chunkers = input.first().chunkers.size();
  if (!answer.is_array() || answer.size() != chunkers)
    return failed(ErrorCode::kCorruption, "the engine's answer is not one list a chunker");
  Counted counted(chunkers);
  for (std::size_t i = 0; i < chunkers; ++i)
    for (const json& row : answer[i]) {
      auto bucket = bucket_of(row, input.first().classes.size());
      if (!bucket) return std::move(bucket).error();
      counted[i].push_back(*bucket);
    }
  return counted;
}

}  // namespace

Result<MergeEngine::Kind> parse_engine(const std::string& word) {
  static const std::vector<std::string> kWords{"duckdb", "spark"};
  if (word == "duckdb") return MergeEngine::Kind::kDuckdb;
  if (word == "spark") return MergeEngine::Kind::kSpark;
  return failed(ErrorCode::kInvalidArgument,
                "--engine: '" + word + "' is unknown" + suggestion(word, kWords));
}

Result<Counted> count_with(const MergeEngine& engine, const MergeInput& input, const CallContext& call) {
  auto job = job_text(engine, input);
  if (!job) return std::move(job).error();
  const auto program = find_program(engine.python);
  if (!program) return program.error();
  // Not where we are: Python would take a module that lies there for the engine.
  const Command command{
      .argv = {fs::absolute(*program).string(), "-c", std::string(embedded::merge_engine_py())},
      .directory = "/",
      .input = std::move(*job)};
  const auto ended = run_command(call, command, {.output = kAnswerMax, .errors_apart = true});
  if (!ended) return ended.error();
  if (ended->exit_code != 0) return engine_error(engine, *ended);
  return answer_of(ended->output, input);
}

}  // namespace lab::scan
