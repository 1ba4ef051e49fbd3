// Buckets, markers and the lock, against a server in memory.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/space.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"
#include "drivers/minio/examine.hpp"
#include "drivers/minio/fake_s3_test_support.hpp"
#include "drivers/minio/minio.hpp"
#include "drivers/minio/objects.hpp"

namespace lab::minio {
namespace {

CallContext soon() { return {Clock::now() + Millis{60'000}, {}}; }

class Buckets : public testing::Test {
 protected:
  Bucket bucket(const char* name = "dedup-lab-0") { return {client_, name, call_, "test"}; }
  Status opened() {
    const auto session = minio_system().open(server_.config(), soon());
    if (!session) return session.error();
    return ok();
  }

  FakeS3 server_{};
  minio::Setup setup_ = server_.setup();
  Traffic traffic_{};
  Client client_{setup_.endpoint, traffic_, Client::Loss::kStays};
  CallContext call_ = soon();
};

TEST_F(Buckets, AllPagesAreListedAndTheMarkerIsLeftOut) {
  auto& objects = server_.buckets["dedup-lab-0"];
  for (int number = 0; number < 2'345; ++number) objects[fmt::format("key{:05}", number)] = "x";
  objects[kMarkerKey] = marker_text("");
  std::vector<std::string> keys;
  ASSERT_TRUE(bucket().each_page([&](std::span<const ListedObject> page) {
    for (const ListedObject& object : page) keys.push_back(object.key);
    return ok();
  }));
  EXPECT_EQ(keys.size(), 2'345U);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(server_.listings, 3U);
}

TEST_F(Buckets, EmptyingDeletesThousandsAndLeavesTheMarker) {
  auto& objects = server_.buckets["dedup-lab-0"];
  for (int number = 0; number < 2'345; ++number) objects[fmt::format("key{:05}", number)] = "x";
  objects[kMarkerKey] = marker_text("");
  server_.uploads = {"id/+= someone"};
  ASSERT_TRUE(bucket().empty());
  EXPECT_EQ(objects.size(), 1U);
  EXPECT_TRUE(server_.uploads.empty()) << "unfinished uploads hold bytes too";
}

TEST_F(Buckets, AKeyThatStaysIsAnErrorThatNamesIt) {
  server_.buckets["dedup-lab-0"] = {{"a", "x"}, {"b-stuck", "x"}, {"c", "x"}};
  const Status removed = bucket().remove_objects();
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused);
  EXPECT_NE(removed.error().detail.find("2 of 3"), std::string::npos) << removed.error().detail;
  EXPECT_NE(removed.error().detail.find("b-stuck: AccessDenied"), std::string::npos)
      << removed.error().detail;
}

TEST_F(Buckets, AListingThatGoesInCirclesEnds) {
  server_.buckets["dedup-lab-0"];
  server_.intercept([](const httplib::Request& request, httplib::Response& response) {
    if (!request.has_param("list-type")) return false;
    response.set_content(
        "<ListBucketResult><Contents><Key>k</Key><Size>1</Size></Contents><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>same</NextContinuationToken></ListBucketResult>",
        "application/xml");
    return true;
  });
  const Status read = bucket().each_page([](auto) { return ok(); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kCorruption);
  const Status removed = bucket().remove_objects();
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kRefused) << "a deleted key that is still listed";
}

TEST_F(Buckets, ABucketWithoutOurMarkerIsRefusedAndLeftAsItIs) {
  const std::map<std::string, std::string> theirs{{"thesis", "years of work"}};
  server_.buckets["dedup-lab-0"] = theirs;
  const Status open = opened();
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::kRefused) << open.error().text();
  EXPECT_EQ(reset(client_, setup_, *std::make_unique<Gate>(), call_).error().code, ErrorCode::kRefused);
  EXPECT_EQ(remove_all(client_, setup_, call_).error().code, ErrorCode::kRefused);
  EXPECT_EQ(server_.buckets["dedup-lab-0"], theirs);
  EXPECT_TRUE(leftovers(client_, setup_, call_)->empty());
}

TEST_F(Buckets, AnObjectWithTheMarkersNameThatIsNotOursIsRefused) {
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, "something else"}};
  EXPECT_EQ(opened().error().code, ErrorCode::kRefused);
  EXPECT_EQ(remove_all(client_, setup_, call_).error().code, ErrorCode::kRefused);
  EXPECT_EQ(server_.buckets["dedup-lab-0"].at(kMarkerKey), "something else");
}

TEST_F(Buckets, RemoveLeavesNoBucketOfOurs) {
  ASSERT_TRUE(opened());
  server_.buckets["foreign"] = {{"k", "x"}};
  server_.buckets["dedup-lab-0"]["key"] = "x";
  EXPECT_EQ(leftovers(client_, setup_, call_)->size(), 1U);
  ASSERT_TRUE(remove_all(client_, setup_, call_));
  EXPECT_EQ(server_.buckets.size(), 1U);
  EXPECT_EQ(server_.buckets.at("foreign").at("k"), "x");
  EXPECT_TRUE(remove_all(client_, setup_, call_)) << "nothing to remove is fine";
}

TEST_F(Buckets, AnExistingBucketIsEmptiedAndStays) {
  const minio::Setup existing = server_.setup("default", {{"namespace_mode", "existing"}});
  EXPECT_EQ(prepare(client_, existing, call_).error().code, ErrorCode::kRefused) << "it is never made";
  server_.buckets["dedup-lab-0"] = {{"theirs", "x"}};
  EXPECT_EQ(prepare(client_, existing, call_).error().code, ErrorCode::kRefused) << "it is not empty";
  server_.buckets["dedup-lab-0"].clear();
  ASSERT_TRUE(prepare(client_, existing, call_));
  server_.buckets["dedup-lab-0"]["ours"] = "x";
  ASSERT_TRUE(remove_all(client_, existing, call_));
  ASSERT_EQ(server_.buckets.count("dedup-lab-0"), 1U);
  EXPECT_TRUE(server_.buckets["dedup-lab-0"].empty());
  EXPECT_FALSE(info_of(existing).has(Capability::kDeleteDrop));
}

TEST_F(Buckets, AServerWithoutVersioningIsUnsupportedAndNothingStays) {
  SystemConfig config = server_.config();
  config.variant = "versioned";
  const auto session = minio_system().open(config, soon());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::kUnsupported) << session.error().text();
  EXPECT_TRUE(server_.buckets.empty()) << "a bucket without a marker would be refused from now on";
}

TEST_F(Buckets, ABucketWhoseNameThePlanDoesNotNeedIsNobodysBusiness) {
  Gate gate;
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("run-one")}, {"key", "x"}};
  server_.buckets["dedup-lab-1"] = {{"thesis", "years of work"}};
  server_.buckets["dedup-lab-2"] = {{kMarkerKey, "somebody else's words"}};
  const Status emptied = reset(client_, setup_, gate, call_);
  ASSERT_TRUE(emptied) << emptied.error().text();
  EXPECT_EQ(leftovers(client_, setup_, call_)->size(), 1U);
  for (const Finding& finding : examine(setup_, call_))
    EXPECT_EQ(finding.detail.find("dedup-lab-1"), std::string::npos) << finding.detail;
  const Status removed = remove_all(client_, setup_, call_);
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_FALSE(server_.buckets.contains("dedup-lab-0"));
  EXPECT_EQ(server_.buckets["dedup-lab-1"].at("thesis"), "years of work");
  EXPECT_TRUE(server_.buckets.contains("dedup-lab-2"));
}

TEST_F(Buckets, ABucketWhoseNameThePlanNeedsIsNamedAndOursGoAllTheSame) {
  Gate gate;
  setup_.containers = 3;
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("run-one")}, {"key", "x"}};
  server_
      .buckets["dedup-lab-2"] = {};  // Behind a gap, and empty: it must not be taken for a late one of ours.
  for (const Status& refused : {reset(client_, setup_, gate, call_), remove_all(client_, setup_, call_)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_NE(refused.error().detail.find("dedup-lab-2"), std::string::npos) << refused.error().detail;
  }
  EXPECT_FALSE(server_.buckets.contains("dedup-lab-0"));
  EXPECT_TRUE(server_.buckets.contains("dedup-lab-2"));
}

TEST_F(Buckets, ANameThatMayNotBeLookedAtEndsTheSearch) {
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("")}};
  server_.intercept([](const httplib::Request& request, httplib::Response& response) {
    if (request.target.starts_with("/dedup-lab-0")) return false;
    response.status = 403;
    return true;
  });
  const auto found = find_buckets(client_, setup_, call_, "test");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->ours, std::vector<std::uint32_t>{0});
  EXPECT_TRUE(found->others.empty());
}

TEST_F(Buckets, AServerThatAnswersAndIsNoS3IsNotTakenForOne) {
  struct Case {
    const char* what;
    int status;
    const char* body;
    bool s3;
  };
  for (const Case& one :
       {Case{"ClickHouse", 200, "Ok.\n", false}, Case{"a page", 200, "<html><body/></html>", false},
        Case{"another refusal", 403, "forbidden", false},
        Case{"S3 that lists", 200, "<ListAllMyBucketsResult/>", true},
        Case{"S3 that may not list", 403, "<Error><Code>AccessDenied</Code></Error>", true},
        Case{"a wrong secret", 403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", false}}) {
    SCOPED_TRACE(one.what);
    server_.intercept([&one](const httplib::Request& request, httplib::Response& response) {
      if (request.target != "/") return false;
      response.status = one.status;
      response.set_content(one.body, "application/xml");
      return true;
    });
    bool accepted = false;
    bool failed = false;
    for (const Finding& finding : examine(setup_, call_)) {
      accepted = accepted || (finding.what == "credentials" && finding.passed);
      failed = failed || (finding.what == "connection" && !finding.passed);
    }
    EXPECT_EQ(accepted, one.s3);
    EXPECT_EQ(failed, !one.s3);
    const Status reached = minio_system().reach(server_.config(), call_);
    EXPECT_EQ(reached.has_value(), one.s3) << "every command asks by it whether the login is taken";
    EXPECT_EQ(!reached && reached.error().code == ErrorCode::kRefused,
              std::string_view(one.what) == "a wrong secret");
  }
}

TEST_F(Buckets, AnExaminationDoesNotTakeTheDirectoryOfSomethingElse) {
  const TemporaryFolder folder;
  setup_.directory = folder.path();
  const auto files = [&] {
    std::optional<Finding> found;
    for (const Finding& finding : examine(setup_, call_))
      if (finding.what == "files") found = finding;
    EXPECT_TRUE(found);
    return found.value_or(Finding{});
  };
  EXPECT_TRUE(files().passed && files().warning) << "empty, as a new server's";
  ASSERT_TRUE(make_directories(folder.path() / "elsewhere"));
  ASSERT_TRUE(write_file_atomic(folder.path() / "elsewhere" / "data", "x"));
  std::string named = "photos";
  server_.intercept([&](const httplib::Request& request, httplib::Response& response) {
    if (request.target != "/") return false;
    response.set_content(fmt::format("<ListAllMyBucketsResult><Buckets><Bucket><Name>{}</Name></Bucket>"
                                     "</Buckets></ListAllMyBucketsResult>",
                                     named),
                         "application/xml");
    return true;
  });
  EXPECT_FALSE(files().passed) << "not of a bucket";
  named = "elsewhere";
  EXPECT_TRUE(files().passed && files().warning) << "of a bucket of this server";
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("run-one")}};
  EXPECT_FALSE(files().passed) << "our bucket is there, and not in the directory";
  ASSERT_TRUE(make_directories(folder.path() / "dedup-lab-0"));
  const auto marker = folder.path() / "dedup-lab-0" / std::string(kMarkerKey);
  ASSERT_TRUE(write_file_atomic(marker, marker_text("run-two")));
  EXPECT_FALSE(files().passed) << "another server's bucket of that name";
  ASSERT_TRUE(write_file_atomic(marker, marker_text("run-one")));
  EXPECT_TRUE(files().passed && !files().warning) << files().detail;
}

TEST_F(Buckets, ResetRefusesWhenAnotherRunTookTheLock) {
  Gate gate;
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("run-two")}, {"key", "x"}};
  const Status emptied = reset(client_, setup_, gate, call_);
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kInUse) << emptied.error().text();
  EXPECT_NE(emptied.error().detail.find("run-two"), std::string::npos);
  EXPECT_EQ(server_.buckets["dedup-lab-0"].size(), 2U);
}

TEST_F(Buckets, ABucketThatALateWriteOfOursBringsBackIsDroppedAgain) {
  Gate gate;
  const std::string key = key_of(ObjectId{});
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("run-one")}, {"key", "x"}};
  int late = 0;
  server_.intercept([&](const httplib::Request& request, httplib::Response&) {
    // Just before it is made again, twice: SeaweedFS makes it for a write whose caller has gone.
    if (request.method == "PUT" && request.target == "/dedup-lab-0" && late++ < 2)
      server_.buckets["dedup-lab-0"][key] = "x";
    return false;
  });
  const Status emptied = reset(client_, setup_, gate, call_);
  ASSERT_TRUE(emptied) << emptied.error().text();
  EXPECT_EQ(late, 3);
  EXPECT_EQ(server_.buckets["dedup-lab-0"].size(), 1U) << "the marker alone";
}

TEST_F(Buckets, WhatSomebodyElsePutThereInTheMeantimeStays) {
  Gate gate;
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("run-one")}};
  server_.intercept([&](const httplib::Request& request, httplib::Response&) {
    if (request.method == "PUT" && request.target == "/dedup-lab-0")
      server_.buckets["dedup-lab-0"]["thesis"] = "years of work";
    return false;
  });
  const Status emptied = reset(client_, setup_, gate, call_);
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::kRefused) << emptied.error().text();
  EXPECT_EQ(server_.buckets["dedup-lab-0"].at("thesis"), "years of work");
}

TEST_F(Buckets, ResetDropsWhatAnEarlierRunHadMoreOf) {
  Gate gate;
  for (const char* const name : {"dedup-lab-0", "dedup-lab-1", "dedup-lab-2"})
    server_.buckets[name] = {{kMarkerKey, marker_text("")}, {"key", "x"}};
  server_.buckets["dedup-lab-0"][kMarkerKey] = marker_text("run-one");
  ASSERT_TRUE(reset(client_, setup_, gate, call_));
  ASSERT_EQ(server_.buckets.size(), 1U);
  EXPECT_EQ(server_.buckets["dedup-lab-0"].size(), 1U);
  EXPECT_EQ(read_marker(client_, "dedup-lab-0", call_, "test").operator*()->holder, "run-one");
}

TEST_F(Buckets, TheLockGoesToOneRunWhetherOrNotTheServerKnowsConditions) {
  for (const bool conditions : {true, false}) {
    SCOPED_TRACE(conditions);
    server_.conditions = conditions;
    server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("")}};
    Gate gate;
    const auto store = lock_store(setup_, traffic_, gate);
    EXPECT_EQ(store->read(call_).operator*()->run_id, "");
    EXPECT_EQ(store->read(call_).operator*()->age, Millis{10'000}) << "by the server's own clock";
    EXPECT_FALSE(*store->write(call_, "run-three", "run-one")) << "it holds another run than expected";
    EXPECT_TRUE(*store->write(call_, "", "run-one"));
    EXPECT_FALSE(*store->write(call_, "", "run-two"));
    EXPECT_EQ(store->read(call_).operator*()->run_id, "run-one");
    server_.buckets["dedup-lab-0"].clear();
    EXPECT_FALSE(*store->write(call_, "run-one", "run-one")) << "a heartbeat does not claim a bucket";
    EXPECT_TRUE(server_.buckets["dedup-lab-0"].empty());
  }
}

TEST_F(Buckets, AWriterThatWasOvertakenIsTold) {
  server_.conditions = false;
  server_.buckets["dedup-lab-0"] = {{kMarkerKey, marker_text("")}};
  const auto before = read_marker(client_, "dedup-lab-0", call_, "test");
  bool overtaken = false;
  server_.intercept([&](const httplib::Request& request, httplib::Response&) {
    if (request.method != "GET" || overtaken) return false;
    overtaken = true;  // Between the write and the reading back.
    server_.buckets["dedup-lab-0"][kMarkerKey] = marker_text("run-two");
    return false;
  });
  EXPECT_FALSE(*write_marker(client_, "dedup-lab-0", *before, "run-one", call_, "test"));
  EXPECT_TRUE(overtaken);
}

TEST(Marker, OnlyOurTextIsOurs) {
  EXPECT_EQ(parse_marker(marker_text("run 7")), "run 7");
  EXPECT_EQ(parse_marker(marker_text("")), "");
  for (const char* const text : {"", "deduplab", "deduplab\nheld by: x\n"}) EXPECT_FALSE(parse_marker(text));
}

TEST(Marker, DatesOfHttpAreRead) {
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:10 GMT"), 10);
  EXPECT_EQ(parse_http_date("Wed, 25 Nov 2026 19:03:48 GMT"), 1'795'633'428);
  for (const char* const text : {"", "2026-11-25T19:03:48Z", "Wed, 25 Nov 2026 19:03:48 CET",
                                 "Wed, 25 Foo 2026 19:03:48 GMT", "Wed, 25 Nov 2026 GMT"})
    EXPECT_FALSE(parse_http_date(text)) << text;
}

}  // namespace
}  // namespace lab::minio
