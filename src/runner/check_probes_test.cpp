// SPDX-License-Identifier: Apache-2.0
#include "runner/check_probes.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/files.hpp"
#include "core/testing/temporary_folder.hpp"
#include "probe/mount.hpp"
#include "probe/testing/fake_prometheus.hpp"

namespace lab {
namespace {

class CheckProbes : public testing::Test {
 protected:
  void SetUp() override {
    server_.series = {{"kube_persistentvolumeclaim_info",
                       {{R"("namespace":"db","persistentvolumeclaim":"data-0","volumename":"v")", "1"}}},
                      {"longhorn_volume_actual_size_bytes", {{R"("volume":"v")", "1048576"}}},
                      {"longhorn_volume_robustness", {{R"("volume":"v")", "1"}}},
                      {"kubelet_volume_stats_used_bytes",
                       {{R"("namespace":"db","persistentvolumeclaim":"data-0")", "4096"}}}};
    plan_.prometheus.url = server_.config().endpoint.url;
    plan_.settle.limit = Millis{600'000};
    system_.volume = "longhorn:db/data-0";
  }
  void TearDown() override { ::unsetenv("DEDUP_TEST_SECRET"); }

  std::vector<Check> checks() {
    std::vector<Check> all;
    check_probes(plan_, system_, entry_, files_, all);
    return all;
  }
  Check check(const std::string& name) {
    for (const Check& one : checks())
      if (one.name == name) return one;
    ADD_FAILURE() << "no check " << name;
    return {};
  }

  FakePrometheus server_;
  Plan plan_{};
  SystemPlan system_{.name = "pg", .probes = {"volume"}};
  SystemEntry entry_{.name = "pg", .embedded = false};
  std::optional<std::filesystem::path> files_{};
};

TEST_F(CheckProbes, AMonitoredVolumeIsReadBeforeTheRun) {
  EXPECT_TRUE(check("pg volume").passed) << check("pg volume").detail;
  EXPECT_EQ(check("pg volume").detail, "longhorn:db/data-0 says 1.00 MiB");
  EXPECT_EQ(checks().size(), 2U) << "volume and kubelet, and nothing to say of their lags";
  server_.series["longhorn_volume_robustness"][0].value = "2";
  EXPECT_FALSE(check("pg volume").passed);
  EXPECT_NE(check("pg volume").detail.find("is degraded"), std::string::npos);
}

TEST_F(CheckProbes, TheKubeletNeedsToAnswerOnlyWhereItIsRequired) {
  server_.series.erase("kubelet_volume_stats_used_bytes");
  EXPECT_TRUE(check("pg kubelet").passed);
  EXPECT_TRUE(check("pg kubelet").warning);
  system_.probes = {"volume", "kubelet"};
  EXPECT_FALSE(check("pg kubelet").passed);
}

TEST_F(CheckProbes, ALimitOfSettlingBelowTheLagIsAnErrorWhereTheProbeIsRequired) {
  plan_.settle.limit = Millis{120'000};
  EXPECT_FALSE(check("pg volume lag").passed);
  EXPECT_EQ(check("pg volume lag").detail,
            "its figures are up to 3m30s old and must rest for longer; [settle] limit is 2m, so it can never "
            "answer: raise the limit");
  system_.probes = {"files"};
  EXPECT_TRUE(check("pg volume lag").passed);
  EXPECT_TRUE(check("pg volume lag").warning);
}

TEST_F(CheckProbes, ALagThatThePlanSaysIsComparedWithTheLimitOfSettlingToo) {
  plan_.settle.limit = Millis{60'000};
  system_ = {.name = "pg",
             .probes = {"metrics:m"},
             .commands = {{.name = "c", .argv = {"sh"}, .lag = Millis{60'000}}},
             .metrics = {{.name = "m", .url = "http://127.0.0.1:1", .metric = "m", .lag = Millis{90'000}}}};
  EXPECT_FALSE(check("pg metrics:m lag").passed);
  EXPECT_TRUE(check("pg command:c lag").passed);
  EXPECT_TRUE(check("pg command:c lag").warning);
  plan_.settle.limit = Millis{90'001};
  for (const Check& one : checks()) EXPECT_EQ(one.name.find(" lag"), std::string::npos) << one.name;
  EXPECT_EQ(longest_lag(plan_, system_), Millis{90'000});
  plan_.settle.limit = Millis{70'000};
  EXPECT_EQ(longest_lag(plan_, system_), Millis{60'000}) << "the other can never answer";
}

TEST_F(CheckProbes, RequiredCommandsAndExportersAreAskedOnceAndNoAnswerIsAWarning) {
  ScriptedHttp page(ScriptedHttp::Answer{200, "used_bytes 8192\n"});
  system_ = {.name = "pg",
             .probes = {"command:c", "metrics:m"},
             .commands = {{.name = "c", .argv = {"echo", "{\"bytes\": 4096}"}}},
             .metrics = {{.name = "m", .url = page.url("/metrics"), .metric = "used_bytes"}}};
  EXPECT_EQ(check("pg command:c figure").detail, "before the run it says 4.00 KiB");
  EXPECT_EQ(check("pg metrics:m figure").detail, "before the run it says 8.00 KiB");
  page.stop();
  system_.commands[0].argv = {"false"};
  for (const std::string probe : {"command:c", "metrics:m"}) {
    SCOPED_TRACE(probe);
    const Check silent = check("pg " + probe + " figure");
    EXPECT_TRUE(silent.passed);
    EXPECT_TRUE(silent.warning);
    EXPECT_FALSE(silent.detail.empty());
  }
  system_.probes = {"engine"};
  for (const Check& one : checks()) EXPECT_EQ(one.name.find(" figure"), std::string::npos) << one.name;
}

TEST_F(CheckProbes, TheLoginGoesWithTheQuestionAndOneThatIsNotThereIsAnError) {
  plan_.prometheus.password_env = "DEDUP_TEST_SECRET";
  EXPECT_FALSE(check("pg secrets").passed);
  EXPECT_NE(check("pg secrets").detail.find("DEDUP_TEST_SECRET"), std::string::npos);
  EXPECT_TRUE(server_.questions().empty());
  ::setenv("DEDUP_TEST_SECRET", "hunter2", 1);
  EXPECT_TRUE(check("pg volume").passed);
  EXPECT_EQ(server_.questions().back().authorization, "Bearer hunter2");
}

TEST_F(CheckProbes, ATokenOfAnExporterThatIsNotThereIsAnErrorBeforeTheRun) {
  system_ = {.name = "pg",
             .probes = {"engine"},
             .metrics = {{.name = "pvc", .url = "http://127.0.0.1:1", .metric = "m"}}};
  EXPECT_TRUE(checks().empty()) << "none is named, and the exporter is not asked";
  system_.metrics[0].token_env = "DEDUP_TEST_SECRET";
  EXPECT_FALSE(check("pg secrets").passed);
  EXPECT_NE(check("pg secrets").detail.find("metrics:pvc of system 'pg'"), std::string::npos);
  ::setenv("DEDUP_TEST_SECRET", "hunter2", 1);
  EXPECT_TRUE(checks().empty());
}

TEST_F(CheckProbes, AServerThatDoesNotTellItsFoldersNeedsThemForWhatReadsFiles) {
  system_ = {.name = "pg", .probes = {"engine"}};
  EXPECT_TRUE(checks().empty());
  for (const char* probe : {"files", "apparent", "extents", "zfs"}) {
    SCOPED_TRACE(probe);
    system_.probes = {"engine", probe};
    EXPECT_FALSE(check("pg directory").passed);
    EXPECT_NE(check("pg directory").detail.find("requires '" + std::string(probe) + "'"), std::string::npos);
    EXPECT_NE(check("pg directory").detail.find("give 'directory'"), std::string::npos);
  }
  system_.probes = {"files", "apparent"};
  EXPECT_NE(check("pg directory").detail.find("'files', 'apparent'"), std::string::npos);
  system_.directory = "/";
  EXPECT_TRUE(checks().empty()) << "where they are is known";
  system_.directory.reset();
  entry_.embedded = true;
  EXPECT_TRUE(checks().empty()) << "an embedded system's folder is ours";
  entry_ = {.name = "pg", .embedded = false, .has_files = false};
  EXPECT_TRUE(checks().empty()) << "it keeps nothing";
}

TEST_F(CheckProbes, ACommandWhoseProgramCannotBeRunIsAnErrorWhereItIsRequired) {
  const TemporaryFolder folder;
  const std::string text = (folder.path() / "pool-size").string();
  ASSERT_TRUE(write_file_atomic(text, "#!/bin/sh\n", 0600));
  system_ = {.name = "pg", .probes = {"command:a"}};
  for (const std::string& program : {std::string("no-such-program-anywhere"), text}) {
    SCOPED_TRACE(program);
    system_.commands = {{.name = "a", .argv = {program, "-b"}}};
    const Check required = check("pg command:a");
    EXPECT_FALSE(required.passed);
    EXPECT_NE(required.detail.find("[systems.pg.commands.a] argv: " + program), std::string::npos)
        << required.detail;
    EXPECT_NE(required.detail.find("install it"), std::string::npos);
  }
  system_.probes = {"engine"};
  EXPECT_TRUE(check("pg command:a").passed);
  EXPECT_TRUE(check("pg command:a").warning);
  system_ = {
      .name = "pg", .probes = {"command:a"}, .commands = {{.name = "a", .argv = {"sh", "-c", "echo"}}}};
  EXPECT_TRUE(check("pg command:a").passed);
  EXPECT_FALSE(check("pg command:a").warning);
  EXPECT_EQ(check("pg command:a").detail, "by sh -c echo");
}

TEST_F(CheckProbes, ARequiredFileSystemThatTheFilesAreNotOnIsNamedBeforeTheRun) {
  const TemporaryFolder folder;
  files_ = folder.path() / "will" / "be" / "made";
  const auto mount = find_mount(folder.path());
  ASSERT_TRUE(mount) << mount.error().text();
  system_ = {.name = "pg", .probes = {"btrfs", "zfs", "zpool", "vdo"}};
  entry_.embedded = true;
  for (const std::string probe : {"btrfs", "zfs", "zpool", "vdo"}) {
    SCOPED_TRACE(probe);
    const Check one = check("pg " + probe);
    const bool there = mount->type == (probe == "zpool" ? "zfs" : probe);
    EXPECT_EQ(one.passed, there) << one.detail;
    EXPECT_NE(one.detail.find(folder.path().string() + " lies on " + mount->type), std::string::npos)
        << one.detail;
    if (!there) {
      EXPECT_NE(one.detail.find("leave it out of probes"), std::string::npos) << one.detail;
    }
  }
  system_.probes = {"files"};
  EXPECT_TRUE(checks().empty()) << "what is not required is read where it is there";
  EXPECT_FALSE(std::filesystem::exists(*files_)) << "nothing is written";
}

TEST_F(CheckProbes, WhatCanNeverAnswerIsNamedBeforeTheRunWhereItIsRequired) {
  system_ = {.name = "pg", .probes = {"engine"}};
  EXPECT_TRUE(checks().empty());
  entry_.has_engine = false;
  EXPECT_FALSE(check("pg engine").passed);
  system_.probes = {"files"};
  entry_.embedded = true;
  EXPECT_TRUE(checks().empty());

  const auto mount = find_mount("/dev/shm");
  ASSERT_TRUE(mount) << mount.error().text();
  if (mount->type != "tmpfs") GTEST_SKIP() << "/dev/shm is no tmpfs";
  files_ = "/dev/shm/will/be/made";
  EXPECT_TRUE(checks().empty()) << "it is not required";
  system_.probes = {"extents"};
  EXPECT_NE(check("pg extents").detail.find("lies on tmpfs"), std::string::npos);
  EXPECT_FALSE(check("pg extents").passed);
}

TEST_F(CheckProbes, AVolumeThatTheFilesDoNotLieOnIsNamedBeforeTheRun) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomic(folder.path() / "image", std::string(4096, 'x')));
  files_ = folder.path() / "data";
  entry_.embedded = true;
  system_ = {.name = "pg", .probes = {"volume"}, .volume = (folder.path() / "image").string()};
  EXPECT_FALSE(check("pg volume").passed);
  EXPECT_NE(check("pg volume").detail.find("does not lie on"), std::string::npos);
  system_.probes = {"files"};
  EXPECT_TRUE(check("pg volume").passed);
  EXPECT_TRUE(check("pg volume").warning);
}

TEST_F(CheckProbes, AVolumeOfMinioIsItsPageOfMetricsAndNoFile) {
  ScriptedHttp page(ScriptedHttp::Answer{200,
                                         "minio_cluster_drive_offline_total 0\n"
                                         "minio_cluster_capacity_raw_total_bytes 4096\n"
                                         "minio_cluster_capacity_raw_free_bytes 1024\n"});
  system_ = {
      .name = "minio", .probes = {"minio"}, .volume = "minio:" + page.url("/minio/v2/metrics/cluster")};
  EXPECT_TRUE(check("minio minio").passed) << check("minio minio").detail;
  EXPECT_EQ(page.questions().back().authorization, "");
  system_.volume_token_env = "DEDUP_TEST_SECRET";
  EXPECT_FALSE(check("minio secrets").passed);
  ::setenv("DEDUP_TEST_SECRET", "hunter2", 1);
  EXPECT_TRUE(check("minio minio").passed) << check("minio minio").detail;
  EXPECT_EQ(page.questions().back().authorization, "Bearer hunter2");
  page.stop();
  EXPECT_FALSE(check("minio minio").passed);
}

}  // namespace
}  // namespace lab
