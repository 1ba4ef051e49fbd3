// Files that somebody else may have written or damaged. Each is put into a folder of this process.
// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>

#include "cli/known_content.hpp"
#include "core/testing/temporary_folder.hpp"
#include "drivers/cas/index_file.hpp"
#include "journal/journal.hpp"
#include "targets.hpp"

namespace lab::fuzz {
namespace {

const std::filesystem::path& folder_with(const char* name, std::string_view bytes) {
  static const TemporaryFolder kFolder;
  LAB_CHECK(write_file_atomic(kFolder.path() / name, bytes).has_value(), "the temporary folder takes files");
  return kFolder.path();
}

}  // namespace

void manifest(std::string_view bytes) {
  const auto known = cli::known_content(folder_with("manifest.jsonl", bytes));
  if (!known) LAB_CHECK(known.error().code == ErrorCode::kInvalidArgument, "a refusal names what is wrong");
}

/// What is read is whole records, or the reader says that the file is damaged.
void journal(std::string_view bytes) {
  const auto& folder = folder_with("journal.db", bytes);
  auto reader = JournalReader::open(folder);
  if (!reader) return;
  std::set<std::int64_t> stages;
  const Status read = (*reader)->each_stage([&](const StoredStage& stage) -> Status {
    stages.insert(stage.id);
    return ok();
  });
  static_cast<void>(read.has_value());
  for (const std::int64_t stage : stages) static_cast<void>((*reader)->samples(stage));
  static_cast<void>((*reader)->each_event([](const Event&) { return ok(); }));
  static_cast<void>((*reader)->finished_cells());
  static_cast<void>((*reader)->value("environment"));
}

/// What was read from an index is there again after it was opened.
void index_file(std::string_view bytes) {
  const auto path = folder_with("index", bytes) / "index";
  std::vector<cas::IndexRecord> first;
  {
    const auto opened =
        cas::IndexFile::open(path, [&](const cas::IndexRecord& record) { first.push_back(record); });
    if (!opened) return;
  }
  std::vector<cas::IndexRecord> second;
  const auto again =
      cas::IndexFile::open(path, [&](const cas::IndexRecord& record) { second.push_back(record); });
  LAB_CHECK(again.has_value(), "an index that was opened can be opened again");
  LAB_CHECK(first == second, "and has the same records");
}

}  // namespace lab::fuzz
