// SPDX-License-Identifier: Apache-2.0
#include "stage/stage.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <charconv>

#include "core/files.hpp"
#include "driver/server_settings.hpp"
#include "probe/settle.hpp"
#include "probe/tree_walk.hpp"
#include "stage/background.hpp"
#include "stage/operations.hpp"
#include "stage/verify.hpp"

namespace lab {
namespace {

constexpr double kRounding = 1e-9;               // Seconds: of sums of floats.
constexpr double kClientBottleneckShare = 0.05;  // Waiting for objects above this share of a stage.

/// What this process has used: CPU seconds, and bytes that reached or left the block layer (proc(5), io).
struct ClientUse {
  double cpu_seconds = 0;
  std::int64_t read_bytes = 0;
  std::int64_t write_bytes = 0;
};

std::int64_t io_counter(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  std::int64_t value = 0;
  if (at != std::string_view::npos)
    std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value);
  return value;
}

ClientUse client_use() {
  ClientUse use;
  struct rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0)
    use.cpu_seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                      static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  if (const auto text = read_file("/proc/self/io")) {
    use.read_bytes = io_counter(*text, "\nread_bytes: ");
    use.write_bytes = io_counter(*text, "\nwrite_bytes: ");
  }
  return use;
}

LatencySummary summarize(const Histogram& latency) {
  LatencySummary summary{.count = latency.count()};
  if (latency.count() == 0) return summary;
  const auto set = [&](const char* key, std::optional<std::uint64_t> nanoseconds) {
    // A quantile is the upper end of its bucket, which may lie beyond the largest value measured.
    if (nanoseconds)
      summary.values_us[key] = static_cast<double>(std::min(*nanoseconds, *latency.max())) / 1e3;
  };
  set("min", latency.min());
  set("p50", latency.quantile(0.5));
  set("p90", latency.quantile(0.9));
  set("p95", latency.quantile(0.95));
  set("p99", latency.quantile(0.99));
  set("p99.9", latency.quantile(0.999));
  set("max", latency.max());
  if (const auto mean = latency.mean()) summary.values_us["mean"] = *mean / 1e3;
  summary.histogram = latency.encode();
  return summary;
}

Status same_server(const StageInput& input, const CallContext& call) {
  const auto now = input.observer.identity(call);
  if (!now) return now.error();
  if (now->identity == input.identity.identity && now->started_at == input.identity.started_at &&
      now->version == input.identity.version)
    return ok();
  return Error{ErrorCode::kConnectionLost, "stage.identity",
               fmt::format("the server was restarted or replaced: {} {} since {} became {} {} since {}",
                           input.identity.identity, input.identity.version, input.identity.started_at,
                           now->identity, now->version, now->started_at),
               true};
}

std::map<std::string, double> difference(const std::map<std::string, double>& after,
                                         const std::map<std::string, double>& before) {
  std::map<std::string, double> grown;
  for (const auto& [name, value] : after) {
    const auto old = before.find(name);
    const double more = value - (old == before.end() ? 0 : old->second);
    // Less than before: somebody has set the counters back. A sum of floats is off by its last bits.
    if (more >= -kRounding) grown[name] = std::max(more, 0.0);
  }
  return grown;
}

/// Operations and flush between two looks at the clock and at our own use.
Status timed_operations(const StageInput& input, const CallContext& call, StageRecord& record) {
  OperationsOutcome outcome;
  const ClientUse before = client_use();
  const auto began = Clock::now();
  const CallContext bounded = within(call, input.plan.stages.limit);
  Status done = run_operations(input, bounded, outcome);
  if (done) done = input.driver.flush(bounded);
  record.duration_seconds =
      std::chrono::duration<double>(Clock::now() - outcome.began.value_or(began)).count();
  input.progress.operations_over = true;
  const ClientUse after = client_use();
  record.client_cpu_seconds = after.cpu_seconds - before.cpu_seconds;
  record.client_read_bytes = after.read_bytes - before.read_bytes;
  record.client_write_bytes = after.write_bytes - before.write_bytes;
  record.client_wait_seconds = outcome.client_wait_seconds;
  record.client_bottleneck = outcome.client_wait_seconds > kClientBottleneckShare * record.duration_seconds;
  record.objects = outcome.objects;
  record.bytes_acked = outcome.bytes.count;
  record.errors = outcome.errors;
  record.maintenance = outcome.maintenance;
  record.latency = summarize(outcome.latency);
  return done;
}

/// The settings of a record say that it ran, so that stages with and without it are never paired.
Status run_after_operations(const StageInput& input, const CallContext& call, StageRecord& record) {
  if (!input.after_operations) return ok();
  const auto began = Clock::now();
  LAB_TRY(input.after_operations->run(call));
  record.observed["hooks.after_operations"] =
      fmt::format("{:.3f} s", std::chrono::duration<double>(Clock::now() - began).count());
  return ok();
}

Status verified(const StageInput& input, const CallContext& call, StageRecord& record) {
  const auto began = Clock::now();
  const auto result = verify(input, within(call, input.plan.stages.limit));
  record.verify_seconds = std::chrono::duration<double>(Clock::now() - began).count();
  if (!result) return result.error();
  record.verified = result->how;
  record.objects_live = result->live;
  record.removed = result->removed;
  if (input.state.keeps_one_per_key()) record.keeps = "one per key";
  const Expected& expected = input.state.expected();
  record.logical_bytes = expected.logical.count;
  record.unique_bytes = expected.unique.count;
  record.unique_objects = expected.unique_objects;
  record.near_duplicate_bytes = expected.near_duplicate.count;
  return ok();
}

/// The latest st_ctime of the system's files, in ns, which each write moves. Nothing where there are none,
/// and of a stage that need not write. Errors: kConnectionLost.
Result<std::optional<std::int64_t>> newest_change(const StageInput& input, const CallContext& call) {
  std::optional<std::int64_t> unknown;
  if (!is_insert(input.kind)) return unknown;
  const auto roots = input.observer.directories(call);
  if (!roots && roots.error().code == ErrorCode::kConnectionLost) return roots.error();
  if (!roots || roots->empty()) return unknown;
  std::int64_t newest = 0;
  const auto look = [&](const FoundFile& file) -> Status {
    const struct timespec& change = file.info.st_ctim;
    newest = std::max(newest, std::int64_t{change.tv_sec} * 1'000'000'000 + change.tv_nsec);
    return ok();
  };
  const Status walked = walk_files(*roots, [&] { newest = 0; }, look);
  return walked ? std::optional(newest) : unknown;  // What cannot be walked has no size either.
}

/// Files of which none was written to while objects were acknowledged are those of something else: they would
/// give a size of 0 that nobody measured.
Status files_were_written(const StageInput& input, const std::optional<std::int64_t>& before,
                          const ByteMap& after_bytes, const CallContext& call, const StageRecord& record) {
  if (!before || record.bytes_acked == 0) return ok();
  for (const char* probe : {"files", "apparent"}) {
    const auto was = record.before_bytes.find(probe);
    const auto is = after_bytes.find(probe);
    if (was == record.before_bytes.end() || is == after_bytes.end() || was->second != is->second) return ok();
  }
  const auto now = newest_change(input, call);
  if (!now) return now.error();
  if (*now != before) return ok();
  return Error{
      ErrorCode::kRefused, "stage.files",
      fmt::format("{} were acknowledged, and no file below the system's directory was written to: is "
                  "it another server's, or a copy?",
                  format_bytes(Bytes{record.bytes_acked}))};
}

Status settled_sizes(const StageInput& input, const std::optional<std::int64_t>& changed_before,
                     const CallContext& call, StageRecord& record) {
  const Millis look_limit = input.plan.stages.step_limit;
  const auto source =
      settle_source(input.observer, input.probes, input.driver.info().background_work, call, look_limit);
  Settled outcome = settle(source, input.plan.settle, input.required_probes, call, input.time);
  LAB_TRY(allowed({Clock::time_point::max(), call.stop}, "stage.settle"));
  if (outcome.lost) return *outcome.lost;
  LAB_TRY(files_were_written(input, changed_before, outcome.reading.bytes, within(call, look_limit), record));
  input.probes.read_disturbing(within(call, look_limit), outcome.reading);
  note_uncertain(outcome.reading, outcome.residue);
  ProbeNotes notes = input.probes.notes(within(call, look_limit));
  record.remarks = std::move(notes.remarks);
  record.counted = std::move(notes.counted);
  record.storage_copies = notes.storage_copies;
  record.copies_unknown = std::move(notes.copies_unknown);
  record.after_bytes = outcome.reading.bytes;
  record.missing.insert(outcome.reading.missing.begin(), outcome.reading.missing.end());
  record.scope = outcome.reading.scope;
  record.residue_bytes = outcome.residue;
  record.settled = outcome.settled;
  record.settle_seconds = outcome.seconds;
  for (const auto& [probe, size] : outcome.reading.bytes) {
    const auto own = outcome.reading.quantum.find(probe);
    // What lies below the files grows with them: by their step, or by its own where that is larger.
    const std::int64_t files = input.observer.quantum().count;
    record.quantum_bytes[probe] = own == outcome.reading.quantum.end() ? files : std::max(files, own->second);
  }
  return ok();
}

Status check_required(const StageInput& input, const StageRecord& record) {
  for (const std::string& probe : input.required_probes)
    for (const ByteMap* side : {&record.before_bytes, &record.after_bytes})
      if (!side->contains(probe)) {
        const auto why = record.missing.find(probe);
        const std::string reason = why == record.missing.end() ? "no reading" : why->second;
        const bool moving = reason.starts_with("unsettled");
        return Error{moving ? ErrorCode::kUnsettled : ErrorCode::kIo, "stage.probe",
                     "required probe '" + probe + "' is missing: " + reason};
      }
  return ok();
}

Status snapshot(const StageInput& input, const CallContext& call, StageRecord& record) {
  const auto copies = input.observer.copies(call);
  if (!copies) return copies.error();
  record.copies = *copies;
  const auto settings = input.observer.settings(call);
  if (!settings) return settings.error();
  record.settings = without_credentials(*settings);
  if (input.after_operations) record.settings["hooks.after_operations"] = input.after_operations->command;
  const auto counters = input.observer.activity(call);
  if (!counters) return counters.error();
  for (const Counter& counter : *counters)
    record.observed[counter.name] = fmt::format("{:.17g} {}", counter.value, counter.unit);
  return ok();
}

Status perform(const StageInput& input, const CallContext& call, StageRecord& record) {
  // A server that is stopped and keeps its connections must not hold a run for ever.
  const auto step = [&] { return within(call, input.plan.stages.step_limit); };
  const Bytes live_before = input.state.expected().logical;
  LAB_TRY(input.driver.prove(step()));
  LAB_TRY(same_server(input, step()));
  Reading before = read_probes(input.observer, input.probes, step());
  if (before.lost) return *before.lost;
  input.probes.read_disturbing(step(), before);
  const auto changed_before = newest_change(input, step());
  if (!changed_before) return changed_before.error();
  record.before_bytes = before.bytes;
  record.missing = before.missing;
  const auto failures = background_failures(input.observer, step());
  if (!failures) return failures.error();
  // The server's time of what is timed here; reading back and the probes' questions are not of it.
  const auto server_before = input.observer.statement_seconds(step());
  if (!server_before) return server_before.error();
  LAB_TRY(timed_operations(input, call, record));
  const auto server_after = input.observer.statement_seconds(step());
  if (!server_after) return server_after.error();
  record.server_seconds = difference(*server_after, *server_before);
  LAB_TRY(run_after_operations(input, call, record));
  LAB_TRY(verified(input, call, record));
  LAB_TRY(settled_sizes(input, *changed_before, call, record));
  LAB_TRY(check_background(input.observer, *failures, std::max(live_before, Bytes{record.logical_bytes}),
                           step()));
  LAB_TRY(check_required(input, record));
  LAB_TRY(snapshot(input, step(), record));
  return same_server(input, step());
}

void mark_invalid(StageRecord& record, const Error& error) {
  record.valid = false;
  record.reason = error.text();
  record.error_code = std::string(to_string(error.code));
  record.retryable = error.retryable || error.code == ErrorCode::kConnectionLost;
}

}  // namespace

Status stage_supported(const DriverInfo& info, const ChainState& state, StageKind kind) {
  const auto need = [&](Capability capability, std::string_view what) -> Status {
    if (info.has(capability)) return ok();
    return Error{ErrorCode::kUnsupported, "stage",
                 fmt::format("{} variant {} declares no {}", info.system, info.variant, what)};
  };
  const auto refuse = [](std::string why) { return Error{ErrorCode::kUnsupported, "stage", std::move(why)}; };
  if (is_insert(kind) && state.live())
    return refuse("the system still holds the objects: this variant does not declare the deletion before");
  if (info.keeps != Keeps::kAll && state.dataset().spec().placement == Placement::kAcross)
    return refuse("a variant that keeps one per key has one container");
  switch (kind) {
    case StageKind::kUpdate:
      if (info.keeps != Keeps::kAll) return refuse("a variant that keeps one per key has no update");
      return need(Capability::kReplace, "replacing put");
    case StageKind::kPerfileDelete:
      if (state.keeps() == Keeps::kOnePerKeyAfterMaintenance)
        return refuse("which of equal objects is left is the system's choice, so none can be named");
      return need(Capability::kEraseEach, "deletion by id");
    case StageKind::kDeleteLogical:
      return need(Capability::kDeleteLogical, "logical deletion of all");
    case StageKind::kDeleteTruncate:
      return need(Capability::kDeleteTruncate, "truncation");
    case StageKind::kDeleteDrop:
      return need(Capability::kDeleteDrop, "dropping");
    case StageKind::kMaintenance:
      if (state.delete_skipped() && !state.keeps_one_per_key())
        return refuse(
            "the deletion before it is not declared by this variant, so there is nothing to clean up");
      return need(Capability::kMaintenance, "maintenance");
    default:
      return ok();
  }
}

StageRecord failed_record(StageKind kind, const Error& error) {
  StageRecord record{.stage = std::string(to_string(kind))};
  record.started_ms = record.ended_ms = wall_time_ms();
  mark_invalid(record, error);
  return record;
}

StageRecord unsupported_record(StageKind kind, const Error& error) {
  StageRecord record = failed_record(kind, error);
  record.unsupported = true;
  record.reason = "unsupported: " + error.detail;
  return record;
}

StageRecord run_stage(const StageInput& input, const CallContext& call) {
  if (const Status declared = stage_supported(input.driver.info(), input.state, input.kind); !declared) {
    if (is_delete(input.kind)) input.state.skip_delete();
    return unsupported_record(input.kind, declared.error());
  }
  StageRecord record{.stage = std::string(to_string(input.kind)), .server = input.identity};
  record.started_ms = wall_time_ms();
  const Status done = perform(input, call, record);
  if (done)
    record.valid = true;
  else
    mark_invalid(record, done.error());
  record.ended_ms = wall_time_ms();
  return record;
}

}  // namespace lab
