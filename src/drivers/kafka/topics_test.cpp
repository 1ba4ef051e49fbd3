// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/topics.hpp"

#include <gtest/gtest.h>

#include "drivers/kafka/client.hpp"

namespace lab::kafka {

TEST(KafkaTopics, OnlyNumbersAfterThePrefixAreContainers) {
  const Names names{.prefix = "dedup-lab"};
  EXPECT_EQ(names.container(12), "dedup-lab-12");
  EXPECT_EQ(names.number_of("dedup-lab-12"), 12U);
  for (const char* other : {"dedup-lab", "dedup-lab-", "dedup-lab-marker", "dedup-lab-1x", "dedup-lab-01",
                            "dedup-lab--1", "other-1", "dedup-lab-12345678901"})
    EXPECT_FALSE(names.number_of(other)) << other;
}

TEST(KafkaTopics, PayloadIsTheLiveSegmentsOfContainersAlone) {
  const Names names{.prefix = "dedup-lab"};
  const auto part = [&](const char* file) { return part_of(names, 2, file); };
  EXPECT_EQ(part("dedup-lab-0-0/00000000000000000000.log"), FilePart::kPayload);
  EXPECT_EQ(part("dedup-lab-0-0/00000000000000000000.index"), FilePart::kIndex);
  EXPECT_EQ(part("dedup-lab-0-0/00000000000000000000.timeindex"), FilePart::kIndex);
  EXPECT_EQ(part("dedup-lab-0-0/00000000000000000007.log.deleted"), FilePart::kMeta);
  EXPECT_EQ(part("dedup-lab-0-0/00000000000000000007.snapshot"), FilePart::kMeta);
  EXPECT_EQ(part("dedup-lab-0-0/00000000000000000007.log.cleaned"), FilePart::kMeta);
  EXPECT_EQ(part("dedup-lab-0.0a1b2c-delete/00000000000000000000.log"), FilePart::kMeta);
  EXPECT_EQ(part("dedup-lab-1-0/00000000000000000000.log"), FilePart::kPayload);
  EXPECT_EQ(part("dedup-lab-marker-0/00000000000000000000.log"), FilePart::kMeta);
  EXPECT_EQ(part("__cluster_metadata-0/00000000000000000000.log"), FilePart::kLog);
  EXPECT_EQ(part("meta.properties"), FilePart::kMeta);
}

TEST(KafkaTopics, WhatIsOfNoTopicOfOursIsOfOthers) {
  const Names names{.prefix = "dedup-lab"};
  for (const char* file :
       {"orders-0/00000000000000000000.log", "orders-17/00000000000000000000.index",
        "orders-3.0a1b2c-delete/00000000000000000000.log", "dedup-lab-2-0/00000000000000000000.log",
        "dedup-lab-2024-0/00000000000000000000.log", "dedup-labs-0/00000000000000000000.log"})
    EXPECT_EQ(part_of(names, 2, file), FilePart::kOthers) << file;
  for (const char* file : {"__consumer_offsets-7/00000000000000000000.log", "__transaction_state-0/0.log",
                           "cleaner-offset-checkpoint", "a-folder/file"})
    EXPECT_EQ(part_of(names, 2, file), FilePart::kMeta) << file;
}

TEST(KafkaTopics, AMarkerIsKnownByItsSettingsAlone) {
  EXPECT_TRUE(is_marker(marker_settings()));
  EXPECT_FALSE(is_marker({}));
  for (const VariantInfo& variant : variants())
    EXPECT_FALSE(is_marker(topic_settings(setup_of(variant.name)))) << variant.name;
}

TEST(KafkaTopics, AContainerIsKnownByItsMarkAndNotByItsName) {
  for (const VariantInfo& variant : variants()) {
    SCOPED_TRACE(variant.name);
    TopicSettings settings = topic_settings(setup_of(variant.name));
    EXPECT_TRUE(is_container(settings));
    settings["segment.ms"] = "1";  // As a maintenance leaves it that was cut short.
    EXPECT_TRUE(is_container(settings));
    settings.erase("flush.messages");
    EXPECT_FALSE(is_container(settings));
    EXPECT_TRUE(is_unmarked_container(settings)) << "of a release without the mark";
    settings["retention.ms"] = "604800000";
    EXPECT_FALSE(is_unmarked_container(settings));
  }
  EXPECT_FALSE(is_container({}));
  EXPECT_FALSE(is_container({{"flush.messages", "1"}}));
  EXPECT_FALSE(is_container(marker_settings()));
  EXPECT_FALSE(is_unmarked_container({}));
  EXPECT_FALSE(is_unmarked_container({{"cleanup.policy", "delete"}}));
  EXPECT_FALSE(is_unmarked_container(marker_settings()));
}

TEST(KafkaTopics, VariantsDifferInCompressionOrCleaning) {
  EXPECT_EQ(setup_of("delete").codec, "none");
  EXPECT_EQ(setup_of("zstd").codec, "zstd");
  EXPECT_TRUE(setup_of("compact").compacted);
  EXPECT_FALSE(setup_of("compact").by_hash);
  EXPECT_TRUE(setup_of("compact_by_hash").by_hash);
  EXPECT_EQ(topic_settings(setup_of("lz4")).at("cleanup.policy"), "delete");
  EXPECT_EQ(topic_settings(setup_of("compact")).at("cleanup.policy"), "compact");
}

TEST(KafkaTopics, TheReleaseIsTheLastWhoseRequestsAreOffered) {
  EXPECT_EQ(release_of({.produce = 13, .fetch_lowest = 4, .fetch = 18, .config_resources = 1}), "4.1");
  EXPECT_EQ(release_of({.produce = 12, .fetch_lowest = 4, .fetch = 17, .config_resources = 0}), "4.0");
  EXPECT_EQ(release_of({.produce = 11, .fetch_lowest = 0, .fetch = 17}), "3.9");
  EXPECT_EQ(release_of({.produce = 8, .fetch_lowest = 0, .fetch = 11}), "2.4");
  EXPECT_EQ(release_of({}), "");
}

}  // namespace lab::kafka
