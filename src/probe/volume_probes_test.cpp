// Longhorn volumes and the kubelet's file systems, against a Prometheus that says what their exporters say.
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/files.hpp"
#include "probe/kubelet_probe.hpp"
#include "probe/longhorn_probe.hpp"
#include "probe/probe_set.hpp"
#include "probe/testing/fake_prometheus.hpp"

namespace lab {
namespace {

using namespace std::chrono_literals;

CallContext soon() { return {Clock::now() + 30s, {}}; }

std::string claim(const std::string& name, const std::string& volume) {
  return fmt::format(R"("namespace":"db","persistentvolumeclaim":"{}","volumename":"{}")", name, volume);
}
std::string volume(const std::string& name, const std::string& more = "") {
  return fmt::format(R"("volume":"{}","node":"worker-1"{})", name, more);
}
std::string replica(const std::string& of, const std::string& name, const std::string& mode) {
  return fmt::format(R"("volume":"{}","engine":"{}-e-0","replica":"{}","mode":"{}")", of, of, name, mode);
}

/// Takes connections and says nothing, as a server that was stopped by a signal.
class FrozenServer {
 public:
  FrozenServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), general, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 64), 0);
    EXPECT_EQ(::getsockname(socket_.get(), general, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  FileHandle socket_;
  int port_ = 0;
};

TEST(VolumeProbesOfAFrozenServer, HoldSettlingUpForAQuarterOfItsLimitAtMost) {
  const FrozenServer server;
  Plan plan;
  plan.prometheus.url = server.url();
  plan.settle.limit = Millis{2'000};
  const SystemPlan system{.name = "pg", .probes = {"volume", "kubelet"}, .volume = "longhorn:db/data-0"};
  const ProbeSet set = make_probes({.plan = plan, .system = system, .roots = {}, .place = {}});
  const auto began = Clock::now();
  Reading reading;
  set.read(soon(), reading);
  // A quarter is 0.5 s; without the limit of their own they would take all of the 30 s.
  EXPECT_LT(Clock::now() - began, 10s);
  EXPECT_TRUE(reading.bytes.empty());
  EXPECT_TRUE(reading.missing.contains("volume"));
  EXPECT_TRUE(reading.missing.contains("kubelet"));
  EXPECT_FALSE(set.notes(soon()).copies_unknown.empty());
  EXPECT_LT(Clock::now() - began, 20s) << "what they say besides is bounded too";
}

TEST(ProbesOfAPlan, HaveTheStepTheLagTheAgeTheSumAndTheTokenThatItSays) {
  const ScriptedHttp::Answer sizes{
      200, fmt::format("m{{a=\"1\"}} 10 {0}\nm{{a=\"2\"}} 20 {0}\n", wall_time_ms() - 5'000)};
  ScriptedHttp page(sizes);
  const Plan plan;
  SystemPlan system{.name = "x", .probes = {}};
  system.commands = {{"c", {"echo", R"({"bytes":3})"}, Millis{20'000}, false, 8_KiB, Millis{4'000}}};
  system.metrics = {{.name = "m",
                     .url = page.url("/metrics"),
                     .metric = "m",
                     .step = 1_MiB,
                     .lag = Millis{70'000},
                     .sum = true,
                     .age = Millis{60'000}}};
  const auto read = [&] {
    Reading reading;
    make_probes({.plan = plan,
                 .system = system,
                 .roots = {},
                 .place = {},
                 .secrets = {.metrics = {{"m", "hunter2"}}}})
        .read(soon(), reading);
    return reading;
  };
  const Reading reading = read();
  EXPECT_EQ(reading.bytes, (ByteMap{{"command:c", 3}, {"metrics:m", 30}}));
  EXPECT_EQ(reading.quantum.at("command:c"), 8192);
  EXPECT_EQ(reading.lag.at("command:c"), Millis{4'000});
  EXPECT_EQ(reading.quantum.at("metrics:m"), 1 << 20);
  EXPECT_EQ(reading.lag.at("metrics:m"), Millis{70'000});
  EXPECT_EQ(page.questions().back().authorization, "Bearer hunter2");
  system.metrics[0].age = Millis{1'000};
  EXPECT_NE(read().missing.at("metrics:m").find("stale"), std::string::npos);
  system.metrics[0] = {.name = "m", .url = page.url("/metrics"), .metric = "m"};
  EXPECT_NE(read().missing.at("metrics:m").find("2 series match"), std::string::npos)
      << "no sum was asked for";
}

/// A StatefulSet of two, healthy, two replicas each.
class VolumeProbes : public testing::Test {
 protected:
  void SetUp() override {
    server_.series = {
        {"kube_persistentvolumeclaim_info",
         {{claim("data-postgres-0", "pvc-a"), "1"}, {claim("data-postgres-1", "pvc-b"), "1"}}},
        {"longhorn_volume_actual_size_bytes", {{volume("pvc-a"), "1.048576e+06"}, {volume("pvc-b"), "4096"}}},
        {"longhorn_volume_robustness", {{volume("pvc-a"), "1"}, {volume("pvc-b"), "1"}}},
        {"longhorn_engine_replica_mode",
         {{replica("pvc-a", "r1", "RW"), "1"},
          {replica("pvc-a", "r2", "RW"), "1"},
          {replica("pvc-b", "r3", "RW"), "1"},
          {replica("pvc-b", "r4", "RW"), "1"}}},
        {"kubelet_volume_stats_used_bytes",
         {{R"("namespace":"db","persistentvolumeclaim":"data-postgres-0")", "1000000"},
          {R"("namespace":"db","persistentvolumeclaim":"data-postgres-1")", "0"}}}};
  }
  std::unique_ptr<LonghornProbe> longhorn(const std::string& claims = "db/data-postgres") {
    return make_longhorn_probe({server_.config(), *parse_claim_pattern(claims)}, time_);
  }
  std::unique_ptr<Probe> kubelet() {
    return make_kubelet_probe({server_.config(), *parse_claim_pattern("db/data-postgres")}, time_);
  }
  Error error() {
    const auto read = longhorn()->read(soon());
    EXPECT_FALSE(read);
    return read ? Error{} : read.error();
  }

  ScriptedTime time_;
  FakePrometheus server_;
};

TEST_F(VolumeProbes, AllClaimsOfAStatefulSetAreSummed) {
  const auto probe = longhorn();
  const auto read = probe->read(soon());
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, (ByteMap{{"volume", 1'052'672},
                            {"volume:data-postgres-0", 1'048'576},
                            {"volume:data-postgres-1", 4'096}}));
  EXPECT_EQ(probe->info().name, "volume");
  EXPECT_GE(probe->info().lag, server_.config().age_max);
  const auto questions = server_.questions();
  EXPECT_NE(questions[0].query.find(R"({namespace="db",persistentvolumeclaim=~"data-postgres(-[0-9]+)?"})"),
            std::string::npos)
      << questions[0].query;
  EXPECT_NE(questions[2].query.find(R"({volume=~"pvc-a|pvc-b"})"), std::string::npos) << questions[2].query;
}

TEST_F(VolumeProbes, PatternsAndOddNamesAreEscaped) {
  EXPECT_TRUE(longhorn("db/data-*-0")->read(soon()));
  EXPECT_NE(server_.questions()[0].query.find(R"(=~"data-.*-0")"), std::string::npos);
  const std::size_t before = server_.questions().size();
  EXPECT_TRUE(longhorn(R"(d"b\/a.b"\(c)")->read(soon()));
  EXPECT_NE(server_.questions()[before].query.find(
                R"({namespace="d\"b\\",persistentvolumeclaim=~"a\\.b\"\\\\\\(c(-[0-9]+)?"})"),
            std::string::npos)
      << server_.questions()[before].query;
  for (const char* bad : {"", "db", "/x", "db/", "a/b/c", "d*/x"})
    EXPECT_FALSE(parse_claim_pattern(bad)) << bad;
}

TEST_F(VolumeProbes, AClaimOfJustThatNameGoesBeforeAStatefulSets) {
  server_.series["kube_persistentvolumeclaim_info"].push_back({claim("data-postgres", "pvc-a"), "1"});
  const auto read = longhorn()->read(soon());
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, (ByteMap{{"volume", 1'048'576}, {"volume:data-postgres", 1'048'576}}));
}

TEST_F(VolumeProbes, AClaimWithoutVolumeOrNoneAtAllIsMissing) {
  server_.series["kube_persistentvolumeclaim_info"][1].labels = claim("data-postgres-1", "");
  EXPECT_EQ(error().detail, "claim data-postgres-1 has no volume yet");
  server_.series["kube_persistentvolumeclaim_info"].clear();
  EXPECT_EQ(error().detail, "no claim db/data-postgres in kube_persistentvolumeclaim_info");
}

TEST_F(VolumeProbes, ClaimsThatAreOthersThanBeforeAreNoFigure) {
  const auto probe = longhorn();
  ASSERT_TRUE(probe->read(soon()));
  server_.series["kube_persistentvolumeclaim_info"].pop_back();
  const auto read = probe->read(soon());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kRefused);
  EXPECT_EQ(read.error().detail,
            "the claims were data-postgres-0 on pvc-a, data-postgres-1 on pvc-b and are now data-postgres-0 "
            "on pvc-a");
}

TEST_F(VolumeProbes, SayWhichClaimsTheyHaveCountedAndNotOnWhichVolumes) {
  const auto volume_probe = longhorn();
  const auto file_systems = kubelet();
  EXPECT_EQ(volume_probe->counted(), "") << "nothing is counted yet";
  for (Probe* probe : {static_cast<Probe*>(volume_probe.get()), file_systems.get()}) {
    ASSERT_TRUE(probe->read(soon()));
    EXPECT_EQ(probe->counted(), "claims data-postgres-0, data-postgres-1");
  }
  server_.series["kube_persistentvolumeclaim_info"][1].labels = claim("data-postgres-1", "pvc-a");
  const auto anew = kubelet();
  ASSERT_TRUE(anew->read(soon()));
  EXPECT_EQ(anew->counted(), file_systems->counted());
}

TEST_F(VolumeProbes, OneVolumeWithoutAFigureMakesTheSumMissing) {
  server_.series["longhorn_volume_actual_size_bytes"].pop_back();
  EXPECT_EQ(
      error().detail,
      "no longhorn_volume_actual_size_bytes of data-postgres-1 (pvc-b): not there, or its series has ended");
  server_.series["longhorn_volume_actual_size_bytes"].push_back({volume("pvc-b"), "-1"});
  EXPECT_EQ(error().code, ErrorCode::kCorruption);
  server_.series["longhorn_volume_actual_size_bytes"].back() = {volume("pvc-b"), "4096", 100};
  EXPECT_TRUE(error().detail.starts_with("stale: "));
}

TEST_F(VolumeProbes, OnlyHealthyVolumesAreMeasuredInTheOldSpellingAndTheNew) {
  for (const char* value : {"0", "2", "3"}) {
    SCOPED_TRACE(value);
    server_.series["longhorn_volume_robustness"][1].value = value;
    EXPECT_EQ(error().code, ErrorCode::kRefused);
  }
  EXPECT_EQ(error().detail, "the volume of data-postgres-1 is faulted: its replicas are not alike");
  auto& states = server_.series["longhorn_volume_robustness"];
  states.clear();
  EXPECT_EQ(error().detail, "no longhorn_volume_robustness of data-postgres-0 (pvc-a)");
  for (const char* name : {"pvc-a", "pvc-b"})
    for (const char* state : {"unknown", "healthy", "degraded", "faulted"})
      states.push_back({volume(name, fmt::format(R"(,"state":"{}")", state)),
                        std::string_view(state) == "healthy" ? "1" : "0"});
  EXPECT_TRUE(longhorn()->read(soon()));
  states[5].value = "0";  // pvc-b: healthy
  states[6].value = "1";  // pvc-b: degraded
  EXPECT_EQ(error().detail, "the volume of data-postgres-1 is degraded: its replicas are not alike");
}

TEST_F(VolumeProbes, CopiesOfTheStorageAreTheReplicasThatAreComplete) {
  const auto copies = longhorn()->storage_copies(soon());
  ASSERT_TRUE(copies) << copies.error().text();
  EXPECT_EQ(**copies, 2.0);
  auto& modes = server_.series["longhorn_engine_replica_mode"];
  modes[3] = {replica("pvc-b", "r4", "WO"), "1"};
  EXPECT_EQ(longhorn()->storage_copies(soon()).error().code, ErrorCode::kRefused)
      << "one of two is being built";
  modes[1] = {replica("pvc-a", "r2", "ERR"), "1"};
  EXPECT_EQ(**longhorn()->storage_copies(soon()), 1.0);
  modes.clear();
  EXPECT_EQ(longhorn()->storage_copies(soon()).error().code, ErrorCode::kNotFound);
}

TEST_F(VolumeProbes, WhatAStageWritesIntoBlocksThatTheVolumeHadHasNoFigure) {
  const auto probe = longhorn();
  ASSERT_TRUE(probe->read(soon()));
  probe->set_reference();
  auto& held = server_.series["longhorn_volume_actual_size_bytes"];
  auto& used = server_.series["kubelet_volume_stats_used_bytes"];
  used[0].value = "51000000";
  const auto hidden = probe->read(soon());
  ASSERT_FALSE(hidden) << "a growth of 0 would look like deduplication";
  EXPECT_EQ(
      hidden.error().detail,
      "the file system of data-postgres-0 has grown by 50000000 bytes and its volume by 0: the rest went "
      "into blocks that the volume had from before; trim it (fstrim)");
  held[1].value = "50000000";
  EXPECT_FALSE(probe->read(soon())) << "the other volume's growth does not stand for it";
  held[0].value = "51048576";
  EXPECT_TRUE(probe->read(soon()));
  used.pop_back();
  const auto unknown = probe->read(soon());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().detail,
            "no kubelet_volume_stats_used_bytes of data-postgres-1: whether its growth went into blocks that "
            "the volume had from before is not known");
  EXPECT_TRUE(longhorn()->read(soon())) << "before there is a reference it can be read";
}

TEST_F(VolumeProbes, AStageOnAVolumeThatKeepsWhatWasDeletedSaysSo) {
  const auto probe = longhorn();
  ASSERT_TRUE(probe->read(soon()));
  probe->set_reference();
  EXPECT_EQ(*probe->remarks(soon()), "") << "nothing to say";
  auto& held = server_.series["longhorn_volume_actual_size_bytes"];
  held[0].value = "51048576";
  const auto said = probe->remarks(soon());
  ASSERT_TRUE(said) << said.error().text();
  EXPECT_EQ(*said,
            "data-postgres-0: each replica holds 48.7 MiB; its file system uses 977 KiB; since the empty "
            "system it has grown by 47.7 MiB more than that: not trimmed");
  server_.series["longhorn_snapshot_actual_size_bytes"] = {{R"("volume":"pvc-b","snapshot":"s")", "4096"}};
  EXPECT_TRUE(
      probe->remarks(soon())->ends_with("; data-postgres-1: each replica holds 4.00 KiB, of it 4.00 KiB in 1 "
                                        "snapshots; its file system uses 0 B"))
      << *probe->remarks(soon());
  server_.stop();
  EXPECT_FALSE(probe->remarks(soon()));
}

TEST_F(VolumeProbes, AVolumeSaysWhetherItIsTrimmed) {
  server_.series["longhorn_volume_actual_size_bytes"] = {{volume("pvc-a"), "1073741824"},
                                                         {volume("pvc-b"), "4096"}};
  server_.series["longhorn_snapshot_actual_size_bytes"] = {
      {R"("volume":"pvc-a","snapshot":"s1","user_created":"true","node":"x")", "500000000"},
      {R"("volume":"pvc-a","snapshot":"s1","user_created":"true","node":"y")", "500000000"},
      {R"("volume":"pvc-a","snapshot":"s2","user_created":"false")", "24"}};
  const auto volumes = longhorn()->examine(soon());
  ASSERT_TRUE(volumes) << volumes.error().text();
  ASSERT_EQ(volumes->size(), 2U);
  const VolumeState& first = (*volumes)[0];
  EXPECT_EQ(first.snapshots, 2U);
  EXPECT_EQ(first.in_snapshots, Bytes{500'000'024});
  EXPECT_EQ(first.unused(), Bytes{1'072'741'824});
  EXPECT_TRUE(first.untrimmed());
  EXPECT_EQ(first.text(),
            "data-postgres-0: each replica holds 1.00 GiB, of it 477 MiB in 2 snapshots; its file system "
            "uses 977 KiB; "
            "1023 MiB are in no use: not trimmed, or kept by snapshots");
  const VolumeState& second = (*volumes)[1];
  EXPECT_FALSE(second.untrimmed());
  EXPECT_EQ(second.snapshots, 0U);
  server_.series["kubelet_volume_stats_used_bytes"].clear();
  const auto unknown = longhorn()->examine(soon());
  ASSERT_TRUE(unknown);
  EXPECT_EQ((*unknown)[0].unused(), std::nullopt);
  EXPECT_FALSE((*unknown)[0].untrimmed());
  EXPECT_NE((*unknown)[0].text().find("not known"), std::string::npos);
}

TEST_F(VolumeProbes, TheKubeletsFigureIsOfAllClaimsOrMissing) {
  const auto probe = kubelet();
  const auto read = probe->read(soon());
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, (ByteMap{{"kubelet", 1'000'000},
                            {"kubelet:data-postgres-0", 1'000'000},
                            {"kubelet:data-postgres-1", 0}}));
  EXPECT_GE(probe->info().lag, 120s);
  server_.series["kubelet_volume_stats_used_bytes"].pop_back();
  const auto missing = probe->read(soon());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().detail,
            "no kubelet_volume_stats_used_bytes of data-postgres-1: not mounted, or its series has ended");
}

TEST_F(VolumeProbes, APrometheusThatGoesAwayBetweenTwoReadingsLeavesNoFigure) {
  const auto volume_probe = longhorn();
  const auto file_systems = kubelet();
  ASSERT_TRUE(volume_probe->read(soon()));
  ASSERT_TRUE(file_systems->read(soon()));
  server_.stop();
  for (Probe* probe : {static_cast<Probe*>(volume_probe.get()), file_systems.get()}) {
    const auto read = probe->read(soon());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kConnectionLost);
  }
  EXPECT_FALSE(volume_probe->storage_copies(soon()));
  EXPECT_FALSE(volume_probe->examine(soon()));
}

}  // namespace
}  // namespace lab
