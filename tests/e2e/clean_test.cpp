// `clean` of folders: what of others stays, what is no marker of ours, and that each thing is said once.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class Clean : public ProgramTest {
 protected:
  std::string home() const { return (root_ / "home").string(); }
  void load(const std::string& system) const {
    const Ended ended = run({"generate", "--payload", "text_document", "--objects", "4", "--into", system,
                             "--path", home(), "--no-progress"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
  }
  Ended clean(const std::string& system, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"clean", "--from", system, "--path", home()};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
};

TEST_F(Clean, WhatIsNotOursBesideOursStaysAndIsNamedBeforeAndAfter) {
  load("sqlite");
  write("home/note.txt", "theirs");
  const std::string stays = home() + "; what is not ours stays: note.txt\n";
  const Ended dry = clean("sqlite", {"--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_EQ(dry.out, "would remove sqlite: " + stays);
  EXPECT_TRUE(fs::exists(root_ / "home" / ".deduplab"));
  const Ended real = clean("sqlite");
  EXPECT_EQ(real.exit_code, 0) << real.err;
  EXPECT_EQ(real.out, "found sqlite: " + stays + "removed sqlite: " + stays + "nothing of ours is left\n");
  EXPECT_EQ(tree_of(root_ / "home"), (std::map<std::string, std::string>{{"note.txt", "theirs"}}));
}

TEST_F(Clean, WhatStaysIsNamedInJsonToo) {
  load("sqlite");
  write("home/note.txt", "theirs");
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--json", "--dry-run"}, {"--json"}}) {
    const bool dry = more.size() == 2;
    SCOPED_TRACE(dry);
    const Ended ended = clean("sqlite", more);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const Json all = Json::parse(ended.out, nullptr, false);
    ASSERT_TRUE(all.is_object()) << ended.out;
    EXPECT_EQ(all.at("found").size(), 1U);
    EXPECT_EQ(all.at("left").size(), dry ? 1U : 0U);
    EXPECT_EQ(all.at("stays"),
              Json::array({{{"system", "sqlite"}, {"path", home()}, {"names", "note.txt"}}}));
    EXPECT_TRUE(all.at("refused").empty()) << all.dump(2);
  }
}

TEST_F(Clean, ARunThatCleansAFolderSaysBeforeAndAfterWhatStays) {
  load("sqlite");
  write("home/note.txt", "theirs");
  const auto plan =
      write("plan.toml", fmt::format("{}[systems.sqlite]\npath = \"{}\"\n", text_of(small_plan()), home()));
  const Ended doctor = run({"doctor", plan.string()});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.out;
  EXPECT_NE(doctor.out.find("what is not ours there stays: note.txt"), std::string::npos) << doctor.out;
  const Ended ended = run({"run", plan.string(), "--out", (root_ / "out").string(), "--no-progress"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.err.find("removed sqlite: " + home() + "; what is not ours stays: note.txt"),
            std::string::npos)
      << ended.err;
  EXPECT_EQ(tree_of(root_ / "home"), (std::map<std::string, std::string>{{"note.txt", "theirs"}}));
}

TEST_F(Clean, AFileOfTheMarkersNameThatIsNoMarkerMakesNoFolderOurs) {
  for (const char* text : {"", "x", "20260131T120000Z-7e57ab1e\nsystem \n"}) {
    SCOPED_TRACE(text);
    fs::create_directories(root_ / "home" / "data");
    write("home/.deduplab", text);
    write("home/data/thesis", "years of work");
    const auto before = tree_of(root_);
    for (const std::vector<std::string>& more : {std::vector<std::string>{"--dry-run"}, {}}) {
      const Ended ended = clean("files", more);
      EXPECT_EQ(ended.exit_code, 3) << ended.out << ended.err;
      EXPECT_NE(ended.out.find("not a marker as this program writes it"), std::string::npos) << ended.out;
    }
    EXPECT_EQ(tree_of(root_), before);
  }
}

TEST_F(Clean, ARefusalIsSaidOnce) {
  load("files");
  for (const bool dry : {true, false}) {
    SCOPED_TRACE(dry);
    std::vector<std::string> more;
    if (dry) more.emplace_back("--dry-run");
    const Ended words = clean("sqlite", more);
    EXPECT_EQ(words.exit_code, 3) << words.out;
    EXPECT_EQ(words.out.find("refused: "), words.out.rfind("refused: ")) << words.out;
    more.emplace_back("--json");
    const Json all = Json::parse(clean("sqlite", more).out, nullptr, false);
    ASSERT_TRUE(all.is_object());
    EXPECT_EQ(all.at("refused").size(), 1U) << all.dump(2);
  }
}

TEST_F(Clean, AFolderOfASystemThatThisProgramDoesNotHaveNamesNoCommand) {
  fs::create_directories(root_ / "home");
  write("home/.deduplab", "20260131T120000Z-7e57ab1e\nsystem nonsense\n");
  const Ended ended = clean("files");
  EXPECT_EQ(ended.exit_code, 3) << ended.err;
  EXPECT_NE(ended.out.find("this program has no embedded system 'nonsense'"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("clean --from"), std::string::npos) << ended.out;
}

}  // namespace
}  // namespace lab::e2e
