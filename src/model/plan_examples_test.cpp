// The example plans of plans/: each asks one question, loads without an error and expands to what it says.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "core/files.hpp"
#include "model/cell.hpp"
#include "model/plan_load.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

Vocabulary experiment_words() {
  Vocabulary words;
  for (const char* name : {"files", "cas", "sqlite", "lmdb"}) words.systems.push_back({.name = name});
  words.systems.push_back({.name = "rocksdb", .variants = {"none", "blob_files"}});
  words.payloads_built_in = {"random_binary",   "structured_json",   "text_document", "uuid_keys",
                             "jsonb_documents", "bank_transactions", "text_corpus",   "numeric_dataset"};
  return with_known_servers(std::move(words));
}

TEST(PlanExamples, EachAsksOneQuestionAndLoads) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(LAB_PLANS_DIR)) {
    SCOPED_TRACE(entry.path().string());
    const auto text = read_file(entry.path());
    ASSERT_TRUE(text);
    EXPECT_TRUE(text->starts_with("# Question: "));
    EXPECT_NE(text->substr(0, text->find('\n', text->find('?'))).find('?'), std::string::npos);
    const auto loaded = load_plan(entry.path(), experiment_words());
    ASSERT_TRUE(loaded) << loaded.error().detail;
    EXPECT_FALSE(expand(loaded->plan).empty());
    ++count;
  }
  EXPECT_GE(count, 5U);
}

TEST(PlanExamples, TheClassicMatrixIsTheOneOf2016Measurements) {
  const auto loaded = load_plan(fs::path(LAB_PLANS_DIR) / "classic-matrix.toml", experiment_words());
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(stage_measurements(expand(loaded->plan)), 2'016U);
  EXPECT_EQ(loaded->not_built_in.size(), 7U) << "its seven servers";
}

}  // namespace
}  // namespace lab
