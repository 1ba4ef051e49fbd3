// Data of others is seen to be touched: one object changed, lost or added.
// SPDX-License-Identifier: Apache-2.0
#include "drill/neighbour.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/testing/temporary_folder.hpp"
#include "drivers/files/files.hpp"

namespace lab::drill {
namespace {

namespace fs = std::filesystem;

/// Plain files, which have no namespaces and take only the ids of runs.
SystemConfig of_a_run(SystemConfig config) {
  config.run_id = "20260131T120000Z-7e57ab1e";
  EXPECT_EQ(config.options.count("namespace"), 1U);
  config.options.clear();
  return config;
}

SystemEntry entry() {
  SystemEntry files = files_system();
  files.open = [](const SystemConfig& config, const CallContext& call) {
    return files_system().open(of_a_run(config), call);
  };
  files.remove = [](const SystemConfig& config, const CallContext& call) {
    return files_system().remove(of_a_run(config), call);
  };
  return files;
}

TEST(DrillNeighbour, AnyChangeOfItsObjectsChangesItsDigest) {
  const TemporaryFolder folder;
  const SystemEntry files = entry();
  Neighbour neighbour(files, {.path = folder.path() / "data"});
  ASSERT_TRUE(neighbour.move_in({}));
  EXPECT_EQ(*neighbour.digest({}), neighbour.at_first());
  std::vector<fs::path> objects;
  for (const auto& found : fs::recursive_directory_iterator(folder.path() / "data"))
    if (found.is_regular_file() && found.file_size() > 1'000) objects.push_back(found.path());
  ASSERT_EQ(objects.size(), 8U);
  fs::rename(objects[0], folder.path() / "aside");
  EXPECT_NE(*neighbour.digest({}), neighbour.at_first()) << "lost";
  fs::rename(folder.path() / "aside", objects[0]);
  EXPECT_EQ(*neighbour.digest({}), neighbour.at_first());
  std::fstream(objects[1]).put('?');
  EXPECT_NE(*neighbour.digest({}), neighbour.at_first()) << "changed";
  ASSERT_TRUE(neighbour.move_out({}));
  EXPECT_FALSE(fs::exists(folder.path() / "data"));
}

}  // namespace
}  // namespace lab::drill
