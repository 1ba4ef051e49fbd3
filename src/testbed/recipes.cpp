// SPDX-License-Identifier: Apache-2.0
#include "testbed/recipes.hpp"

#include <fmt/format.h>

namespace lab::testbed {

namespace fs = std::filesystem;

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> kAll{
      postgresql_recipe(),   //
      cockroachdb_recipe(),  //
      mariadb_recipe(),      //
      clickhouse_recipe(),   //
      redis_recipe(),        //
      kafka_recipe(),        //
      minio_recipe(),        //
  };
  return kAll;
}

const Recipe* find_recipe(std::string_view name) {
  for (const Recipe& recipe : recipes())
    if (recipe.name == name) return &recipe;
  return nullptr;
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const Recipe& recipe : recipes()) names.push_back(recipe.name);
  return names;
}

Result<fs::path> ProgramSearch::program(const std::string& system, std::string_view name,
                                        std::span<const fs::path> also) const {
  const auto own = given.find(system);
  if (own != given.end()) return find_program(own->second.string());
  std::vector<fs::path> more(also.begin(), also.end());
  // Where distributions put servers; ordinary users have not these in PATH.
  more.insert(more.end(), {"/usr/sbin", "/usr/local/sbin"});
  return find_program(name, more);
}

Result<fs::path> ProgramSearch::in_folders(const fs::path& below) const {
  std::error_code failure;
  for (const fs::path& folder : folders)
    if (fs::exists(folder / below, failure)) return folder / below;
  return Error{ErrorCode::kNotFound, "testbed.find",
               fmt::format("no .cache/servers/{} beside this program", below.string())};
}

std::vector<fs::path> server_folders() {
  std::vector<fs::path> folders;
  std::error_code failure;
  for (const fs::path& start : {fs::read_symlink("/proc/self/exe", failure), fs::current_path(failure)})
    for (fs::path above = start; above.has_relative_path(); above = above.parent_path())
      if (fs::is_directory(above / ".cache/servers", failure)) folders.push_back(above / ".cache/servers");
  return folders;
}

}  // namespace lab::testbed
