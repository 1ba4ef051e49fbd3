// `deduplab download --pin` as a user runs it, against a server of the test's own.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <httplib.h>

#include <thread>

#include "program_test_support.hpp"

namespace lab::e2e {
namespace {

namespace fs = std::filesystem;

class DownloadProgram : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    server_.Get("/a.jpg", [this](const httplib::Request&, httplib::Response& response) {
      if (on_first_) on_first_();
      response.set_content("hello\n", "image/jpeg");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    ASSERT_GT(port_, 0);
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  void TearDown() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
    ProgramTest::TearDown();
  }

  fs::path list(const std::vector<std::string>& names) const {
    std::string text;
    for (const std::string& name : names)
      text += fmt::format("[[nasa_image]]\naddress = \"http://127.0.0.1:{}/{}\"\n", port_, name);
    return write("list.toml", text);
  }
  Ended pin(const fs::path& list, const fs::path& into) const {
    return run({"download", "--list", list, "--into", root_ / "corpora", "--pin", into});
  }

  std::function<void()> on_first_{};

 private:
  httplib::Server server_{};
  int port_ = 0;
  std::thread thread_{};
};

constexpr const char* kSizeAndHash =
    "size = 6\nsha256 = \"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\"\n";

TEST_F(DownloadProgram, TheNewListHasEachFileThatCameBeforeAFailureAndIsNotReplaced) {
  const fs::path pinned = root_ / "pinned.toml";
  const Ended failed = pin(list({"a.jpg", "missing.jpg"}), pinned);
  EXPECT_EQ(failed.exit_code, 2) << failed.err;
  const std::string text = text_of(pinned);
  EXPECT_NE(text.find(kSizeAndHash), std::string::npos) << text;
  EXPECT_EQ(text.find("size", text.find("missing.jpg")), std::string::npos) << text;
  const Ended done = pin(list({"a.jpg"}), pinned);
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_NE(done.err.find("exists already"), std::string::npos) << done.err;
}

TEST_F(DownloadProgram, AFileThatNobodyGaveLeavesNoList) {
  const Ended failed = pin(list({"missing.jpg"}), root_ / "pinned.toml");
  EXPECT_EQ(failed.exit_code, 2) << failed.err;
  EXPECT_FALSE(fs::exists(root_ / "pinned.toml"));
  EXPECT_FALSE(fs::exists(root_ / "corpora"));
}

TEST_F(DownloadProgram, WhatSomebodyElseWroteIntoTheListMeanwhileStays) {
  const fs::path pinned = root_ / "pinned.toml";
  on_first_ = [&] { write("pinned.toml", "precious"); };
  const Ended ended = pin(list({"a.jpg"}), pinned);
  EXPECT_EQ(ended.exit_code, 4) << ended.err;
  EXPECT_NE(ended.err.find("somebody else has written into it"), std::string::npos) << ended.err;
  EXPECT_EQ(text_of(pinned), "precious");
}

}  // namespace
}  // namespace lab::e2e
