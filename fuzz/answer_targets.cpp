// Answers of servers, exporters and tools that we take apart ourselves. SPDX-License-Identifier: Apache-2.0
#include <string>

#include "drivers/clickhouse/reply.hpp"
#include "drivers/clickhouse/row_binary.hpp"
#include "drivers/kafka/log_folder.hpp"
#include "drivers/minio/xml.hpp"
#include "drivers/pgwire/sqlstate.hpp"
#include "drivers/redis/server.hpp"
#include "probe/command_probe.hpp"
#include "probe/exposition.hpp"
#include "probe/mount.hpp"
#include "probe/prometheus.hpp"
#include "probe/tool.hpp"
#include "probe/vdo_probe.hpp"
#include "probe/volume_probe.hpp"
#include "probe/zfs_probe.hpp"
#include "targets.hpp"
#include "testbed/record.hpp"

namespace lab::fuzz {
namespace {

constexpr const char* kOperation = "fuzz";

}  // namespace

void exposition(std::string_view bytes) {
  for (const auto format : {ExpositionFormat::kText, ExpositionFormat::kOpenMetrics}) {
    const auto samples = parse_exposition(bytes, format);
    if (!samples) continue;
    for (const MetricSample& sample : *samples) {
      LAB_CHECK(!sample.name.empty(), "a sample has a name");
      if (const auto whole = whole_bytes(sample.value, sample.name))
        LAB_CHECK(*whole >= 0, "bytes are not negative");
    }
  }
}

void prometheus(std::string_view bytes) {
  const auto samples = parse_series(std::string(bytes), "metric", Millis{90'000});
  if (!samples) return;
  for (const SeriesSample& sample : *samples) LAB_CHECK(sample.value == sample.value, "a figure is a number");
  static_cast<void>(values_by_label(*samples, "volume", "metric"));
}

void s3_xml(std::string_view bytes) {
  static_cast<void>(minio::parse_error(bytes));
  if (const auto page = minio::parse_objects(bytes, kOperation))
    for (const auto& object : page->objects) LAB_CHECK(object.size >= 0, "a listed size is not negative");
  if (const auto page = minio::parse_versions(bytes, kOperation))
    LAB_CHECK(!page->more || !page->next_key.empty() || !page->next_id.empty(), "it says how to go on");
  if (const auto page = minio::parse_uploads(bytes, kOperation))
    LAB_CHECK(!page->more || !page->next_key.empty() || !page->next_id.empty(), "it says how to go on");
  static_cast<void>(minio::parse_deleted(bytes, kOperation));
  static_cast<void>(minio::parse_upload_id(bytes, kOperation));
  static_cast<void>(minio::parse_versioning(bytes, kOperation));
  static_cast<void>(minio::is_bucket_list(bytes));
  static_cast<void>(minio::parse_owner(bytes));
  static_cast<void>(minio::parse_encryption(bytes));
}

/// Rows come out alike in one piece and byte by byte.
void clickhouse(std::string_view bytes) {
  static_cast<void>(clickhouse::parse_rows(bytes));
  static_cast<void>(clickhouse::exception_error(bytes, kOperation));
  std::string outcomes[2];
  for (const bool whole : {true, false}) {
    std::string& outcome = outcomes[whole ? 0 : 1];
    std::uint64_t rows = 0;
    clickhouse::RowReader reader(
        [&](const ObjectId& id, std::span<const std::byte> payload) {
          ++rows;
          outcome += format_uuid(id) + std::to_string(payload.size()) + ";";
          return ok();
        },
        kOperation);
    Status taken = ok();
    for (std::size_t at = 0; at < bytes.size() && taken; at += whole ? bytes.size() : 1)
      taken = reader.take(whole ? bytes : bytes.substr(at, 1));
    const Status finished = taken ? reader.finish(rows, rows) : taken;
    outcome += finished ? "whole" : finished.error().text();
  }
  LAB_CHECK(outcomes[0] == outcomes[1], "the pieces of an answer do not matter");
}

void server_words(std::string_view bytes) {
  static_cast<void>(redis::parse_info(bytes));
  static_cast<void>(redis::version_number(bytes));
  static_cast<void>(kafka::parse_checkpoint(bytes));
  const std::string_view state = pgwire::state_in(bytes);
  static_cast<void>(pgwire::code_of_state(state));
  LAB_CHECK(pgwire::one_line(bytes).find('\n') == std::string::npos, "a message becomes one line");
  if (const auto record = testbed::parse_record(bytes)) {
    const auto again = testbed::parse_record(testbed::to_text(*record));
    LAB_CHECK(again.has_value(), "what is written down of a server is read back");
  }
}

void tool_output(std::string_view bytes) {
  if (const auto sizes = parse_command_output(bytes, "command:own"))
    for (const auto& [name, size] : *sizes) LAB_CHECK(size >= 0, "a size is not negative");
  for (const auto& size : {parse_vdostats(bytes), parse_tool_bytes("tool", bytes), parse_thin_status(bytes)})
    if (size) LAB_CHECK(size->count >= 0, "a size is not negative");
  static_cast<void>(parse_zfs_properties("zfs", bytes));
  static_cast<void>(parse_mountinfo(bytes, 21));
}

}  // namespace lab::fuzz
