// Downloads from a server of the test's own, with everything that a network does to them.
// SPDX-License-Identifier: Apache-2.0
#include "payload/download.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/file.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "core/files.hpp"
#include "payload/payload_test_support.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

class DownloadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::byte> bytes;
    make_random_binary({1, 2}, 300'000, bytes);
    content_ = as_text(bytes);
    server_.Get("/moon.jpg", [this](const httplib::Request& request, httplib::Response& response) {
      note(request);
      response.set_content(content_, "image/jpeg");
    });
    server_.Get("/cut.jpg", [this](const httplib::Request& request, httplib::Response& response) {
      note(request);
      if (cuts_left_ == 0) {
        response.set_content(content_, "image/jpeg");
        return;
      }
      cuts_left_ -= 1;
      cut(response, 100'000);
    });
    server_.Get("/no-ranges.jpg", [this](const httplib::Request& request, httplib::Response& response) {
      note(request);
      const_cast<httplib::Request&>(request).ranges.clear();  // What a server without ranges does.
      if (cuts_left_ == 0) {
        response.set_content(content_, "image/jpeg");
        return;
      }
      cuts_left_ -= 1;
      cut(response, 100'000);
    });
    server_.Get("/busy.jpg", [this](const httplib::Request& request, httplib::Response& response) {
      note(request);
      response.status = busy_left_-- > 0 ? 503 : 200;
      response.set_content(content_, "image/jpeg");
    });
    server_.Get("/silent.jpg", [this](const httplib::Request& request, httplib::Response& response) {
      note(request);
      for (int round = 0; round < 2'000 && !over_; ++round) std::this_thread::sleep_for(Millis{10});
      response.set_content(content_, "image/jpeg");
    });
    server_.Get("/stalled.jpg", [this](const httplib::Request& request, httplib::Response& response) {
      note(request);
      response.set_content_provider(content_.size(), "image/jpeg",
                                    [this](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                      if (offset == 0) return sink.write(content_.data(), 100'000);
                                      for (int round = 0; round < 2'000 && !over_; ++round)
                                        std::this_thread::sleep_for(Millis{10});
                                      return false;
                                    });
    });
    server_.Get("/moved.jpg", [this](const httplib::Request& request, httplib::Response& response) {
      note(request);
      response.set_redirect(redirect_);
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }

  void TearDown() override {
    over_ = true;
    server_.stop();
  }

  /// All of the length, and no more bytes than `bytes` beyond where the answer begins.
  void cut(httplib::Response& response, std::size_t bytes) {
    response.set_content_provider(content_.size(), "image/jpeg",
                                  [this, bytes](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                    sink.write(content_.data() + offset,
                                               std::min(bytes, content_.size() - offset));
                                    return false;
                                  });
  }

  void note(const httplib::Request& request) {
    const std::lock_guard lock(guard_);
    ranges_.push_back(request.get_header_value("Range"));
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

  Download file(const std::string& path) const {
    return {.kind = "nasa_image",
            .name = "moon.jpg",
            .address = url(path),
            .size = Bytes{std::ssize(content_)},
            .sha256 = sha256(content_)};
  }

  Result<DownloadTally> fetch(const std::vector<Download>& downloads, int attempts = 5,
                              const std::optional<fs::path>& mirror = {}) {
    return download_all(downloads,
                        {.folder = into_.empty() ? folder_.path() : into_,
                         .mirror = mirror,
                         .retry = {.attempts_max = attempts},
                         .silence_max = std::chrono::seconds{1},
                         .time = &time_},
                        {.deadline = Clock::now() + Millis{60'000}}, [](const Download&, Bytes) {});
  }

  fs::path place() const { return folder_.path() / "nasa_image/moon.jpg"; }
  fs::path part() const { return folder_.path() / "nasa_image/.moon.jpg.part"; }

  void expect_there() const {
    const auto bytes = read_file(place());
    ASSERT_TRUE(bytes) << bytes.error().text();
    EXPECT_EQ(*bytes == content_, true) << bytes->size() << " bytes";
    EXPECT_FALSE(fs::exists(part()));
  }

  void expect_refused(const Result<DownloadTally>& tally, ErrorCode code, const std::string& words) const {
    ASSERT_FALSE(tally) << "no error with " << words;
    EXPECT_EQ(tally.error().code, code) << tally.error().text();
    EXPECT_NE(tally.error().detail.find(words), std::string::npos) << tally.error().detail;
    EXPECT_NE(tally.error().detail.find("nasa_image/moon.jpg"), std::string::npos) << tally.error().detail;
    EXPECT_FALSE(fs::exists(place())) << "what is not right has no name";
  }

  TemporaryFolder folder_{};
  fs::path into_{};  // Another folder than that.
  ScriptedTime time_{};
  std::string content_{};
  std::string redirect_ = "/moon.jpg";
  httplib::Server server_{};
  std::atomic<bool> over_{false};
  std::atomic<int> cuts_left_{2};
  std::atomic<int> busy_left_{2};
  std::mutex guard_{};
  std::vector<std::string> ranges_{};  // Of each request.
  int port_ = 0;
  std::jthread thread_{};
};

using Ranges = std::vector<std::string>;

TEST_F(DownloadTest, PutsAFileInItsPlaceOnceAndFindsItThere) {
  const auto first = fetch({file("/moon.jpg")});
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(first->fetched, 1U);
  EXPECT_EQ(first->received, Bytes{300'000});
  expect_there();
  const auto second = fetch({file("/moon.jpg")});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->there, 1U);
  EXPECT_EQ(second->fetched, 0U);
  EXPECT_EQ(ranges_.size(), 1U);
}

TEST_F(DownloadTest, GoesOnWhereAConnectionWasCut) {
  const auto tally = fetch({file("/cut.jpg")});
  ASSERT_TRUE(tally) << tally.error().text();
  EXPECT_EQ(ranges_, (Ranges{"", "bytes=100000-", "bytes=200000-"}));
  EXPECT_EQ(tally->received, Bytes{300'000}) << "no byte came twice";
  expect_there();
}

TEST_F(DownloadTest, GoesOnInALaterCall) {
  expect_refused(fetch({file("/cut.jpg")}, 1), ErrorCode::kConnectionLost, "Without a network");
  EXPECT_EQ(fs::file_size(part()), 100'000U);
  cuts_left_ = 0;
  ASSERT_TRUE(fetch({file("/cut.jpg")}, 1));
  EXPECT_EQ(ranges_, (Ranges{"", "bytes=100000-"}));
  expect_there();
}

TEST_F(DownloadTest, BeginsAnewWhereTheServerKnowsNoRanges) {
  const auto tally = fetch({file("/no-ranges.jpg")});
  ASSERT_TRUE(tally) << tally.error().text();
  EXPECT_EQ(ranges_, (Ranges{"", "bytes=100000-", "bytes=100000-"}));
  expect_there();
}

TEST_F(DownloadTest, FetchesAsAWholeWhatWasWrongWhenItWasPutTogether) {
  fs::create_directory(folder_.path() / "nasa_image");
  std::ofstream(part()) << "of another version of the file";
  ASSERT_TRUE(fetch({file("/moon.jpg")}));
  EXPECT_EQ(ranges_, (Ranges{"bytes=30-", ""}));
  expect_there();
}

TEST_F(DownloadTest, RefusesOtherBytesThanTheListSaysAndKeepsNothing) {
  Download other = file("/moon.jpg");
  other.sha256 = sha256(std::string_view("something else"));
  expect_refused(fetch({other}), ErrorCode::kCorruption, "the list says 300000 bytes");
  EXPECT_FALSE(fs::exists(part()));
  EXPECT_EQ(ranges_.size(), 1U) << "the same bytes would come again";
  Download longer = file("/moon.jpg");
  longer.size = Bytes{299'999};
  expect_refused(fetch({longer}), ErrorCode::kCorruption, "longer than the 299999 bytes");
  EXPECT_FALSE(fs::exists(part().parent_path())) << "and no empty folder";
}

TEST_F(DownloadTest, MeasuresAFileOfWhichTheAddressAloneIsKnown) {
  const auto measure = [&](const std::string& path) {
    Download unknown = file(path);
    unknown.size = {};
    unknown.sha256 = {};
    return fetch_unknown(unknown,
                         {.folder = folder_.path(), .silence_max = std::chrono::seconds{1}, .time = &time_},
                         {.deadline = Clock::now() + Millis{60'000}}, [](const Download&, Bytes) {});
  };
  EXPECT_EQ(measure("/not-there.jpg").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(part().parent_path())) << "nothing is left of a failure";
  const auto measured = measure("/cut.jpg");
  ASSERT_TRUE(measured) << measured.error().text();
  EXPECT_EQ(measured->size, Bytes{std::ssize(content_)});
  EXPECT_EQ(measured->sha256, sha256(content_));
  for (const std::string& range : ranges_) EXPECT_EQ(range, "") << "always as a whole";
  expect_there();
  EXPECT_TRUE(fetch({*measured})) << "what was measured is what a list asks for";
  const auto again = measure("/moon.jpg");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kRefused);
  EXPECT_NE(again.error().detail.find("is there already"), std::string::npos) << again.error().detail;
}

TEST_F(DownloadTest, LeavesNoFolderThatItMadeForNothing) {
  into_ = folder_.path() / "new/corpora";
  ASSERT_FALSE(fetch({file("/not-there.jpg")}));
  EXPECT_FALSE(fs::exists(folder_.path() / "new"));
  ASSERT_FALSE(fetch({file("/moon.jpg"), [this] {
                        Download gone = file("/not-there.jpg");
                        gone.name = "gone.jpg";
                        return gone;
                      }()}));
  EXPECT_TRUE(fs::exists(into_ / "nasa_image/moon.jpg")) << "what came stays";
  into_ = folder_.path() / "there";
  fs::create_directory(into_);
  ASSERT_FALSE(fetch({file("/not-there.jpg")}));
  EXPECT_TRUE(fs::exists(into_)) << "a folder of yours is not removed";
  EXPECT_TRUE(fs::is_empty(into_));
}

TEST_F(DownloadTest, TriesAgainWhatMayMendAndNothingElse) {
  ASSERT_TRUE(fetch({file("/busy.jpg")}));
  EXPECT_EQ(ranges_.size(), 3U);
  expect_there();
  fs::remove(place());
  busy_left_ = 100;
  expect_refused(fetch({file("/busy.jpg")}), ErrorCode::kRefused, "answered 503");
  EXPECT_EQ(ranges_.size(), 8U) << "five attempts";
  expect_refused(fetch({file("/no-such.jpg")}), ErrorCode::kNotFound, "answered 404");
  EXPECT_EQ(ranges_.size(), 8U);
}

TEST_F(DownloadTest, FollowsRedirectsToPlainAddressesAndNotForEver) {
  ASSERT_TRUE(fetch({file("/moved.jpg")}));
  expect_there();
  fs::remove(place());
  redirect_ = url("/moon.jpg");
  ASSERT_TRUE(fetch({file("/moved.jpg")}));
  fs::remove(place());
  for (const char* to : {"file:///etc/passwd", "moon.jpg", "//other/moon.jpg"}) {
    redirect_ = to;
    expect_refused(fetch({file("/moved.jpg")}), ErrorCode::kRefused, "no address of a file");
  }
  ranges_.clear();
  redirect_ = "/moved.jpg";
  expect_refused(fetch({file("/moved.jpg")}), ErrorCode::kRefused, "more than 5 redirects");
  EXPECT_EQ(ranges_.size(), 6U);
}

TEST_F(DownloadTest, TakesAServerThatSaysNothingForLost) {
  const auto began = Clock::now();
  expect_refused(fetch({file("/silent.jpg")}, 1), ErrorCode::kConnectionLost, "Without a network");
  EXPECT_LT(Clock::now() - began, Millis{15'000});
}

TEST_F(DownloadTest, WithoutANetworkSaysOnceWhatToPutWhere) {
  Download first = file("");
  first.address = "http://127.0.0.1:1/moon.jpg";
  Download second = first;
  second.name = "mars.jpg";
  const auto tally = fetch({first, second});
  expect_refused(tally, ErrorCode::kConnectionLost, "put these files below " + folder_.path().string());
  for (const char* words : {"\n  nasa_image/moon.jpg (300000 bytes, SHA-256 ", "\n  nasa_image/mars.jpg (",
                            "from http://127.0.0.1:1/moon.jpg", "--mirror"})
    EXPECT_NE(tally.error().detail.find(words), std::string::npos) << tally.error().detail;
}

TEST_F(DownloadTest, CopiesFromAMirrorWithTheSameChecks) {
  const TemporaryFolder mirror;
  const Download wanted = file("/moon.jpg");
  mirror.write("nasa_image/elsewhere", content_);
  fs::create_symlink("elsewhere", mirror.path() / "nasa_image/moon.jpg");
  expect_refused(fetch({wanted}, 1, mirror.path()), ErrorCode::kRefused, "is not a regular file");
  fs::remove(mirror.path() / "nasa_image/moon.jpg");
  ASSERT_EQ(::mkfifo((mirror.path() / "nasa_image/moon.jpg").c_str(), 0600), 0);
  expect_refused(fetch({wanted}, 1, mirror.path()), ErrorCode::kRefused, "is not a regular file");
  fs::remove(mirror.path() / "nasa_image/moon.jpg");
  expect_refused(fetch({wanted}, 1, mirror.path()), ErrorCode::kNotFound,
                 "the mirror has no " + mirror.path().string());
  mirror.write("nasa_image/moon.jpg", content_.substr(1));
  expect_refused(fetch({wanted}, 1, mirror.path()), ErrorCode::kCorruption, "came with 299999 bytes");
  mirror.write("nasa_image/moon.jpg", content_ + "x");
  expect_refused(fetch({wanted}, 1, mirror.path()), ErrorCode::kCorruption, "is longer than the list says");
  mirror.write("nasa_image/moon.jpg", content_);
  const auto tally = fetch({wanted}, 1, mirror.path());
  ASSERT_TRUE(tally) << tally.error().text();
  EXPECT_EQ(tally->copied, 1U);
  expect_there();
  EXPECT_TRUE(ranges_.empty()) << "no network was used";
}

TEST_F(DownloadTest, ReplacesNoFileOfYours) {
  folder_.write("nasa_image/moon.jpg", "mine");
  const auto tally = fetch({file("/moon.jpg")});
  ASSERT_FALSE(tally);
  EXPECT_EQ(tally.error().code, ErrorCode::kCorruption);
  EXPECT_EQ(*read_file(place()), "mine");
}

TEST_F(DownloadTest, LeavesAFileToTheProcessThatFetchesIt) {
  fs::create_directory(folder_.path() / "nasa_image");
  const auto other = open_file(part(), O_RDWR | O_CREAT);
  ASSERT_TRUE(other);
  ASSERT_EQ(::flock(other->get(), LOCK_EX), 0);
  expect_refused(fetch({file("/moon.jpg")}), ErrorCode::kInUse, "another process fetches it");
}

TEST_F(DownloadTest, EndsAtAStopAndKeepsWhatItHas) {
  std::stop_source stop;
  const std::vector<Download> downloads = {file("/stalled.jpg")};
  const auto tally =
      download_all(downloads, {.folder = folder_.path(), .time = &time_},
                   {Clock::time_point::max(), stop.get_token()}, [&](const Download&, Bytes there) {
                     if (there >= Bytes{100'000}) stop.request_stop();
                   });
  expect_refused(tally, ErrorCode::kCancelled, "");
  EXPECT_EQ(fs::file_size(part()), 100'000U);
}

}  // namespace
}  // namespace lab
