// SPDX-License-Identifier: Apache-2.0
#include "runner/cell_run.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/files.hpp"
#include "driver/limited_driver.hpp"
#include "probe/settle.hpp"
#include "runner/hooks.hpp"
#include "runner/password.hpp"
#include "runner/preflight.hpp"
#include "runner/sampler.hpp"
#include "stage/others.hpp"
#include "stage/stage_scan.hpp"

namespace lab {
namespace {

namespace fs = std::filesystem;

/// A stage behind an invalid one, with that one's reason and code: whoever looks at it sees what began it.
StageRecord not_run_record(StageKind kind, const StageRecord& first) {
  StageRecord record = failed_record(kind, {});
  record.reason = fmt::format("not run: {} before it was invalid: {}", first.stage, first.reason);
  record.error_code = first.error_code;
  record.retryable = first.retryable;
  return record;
}

/// One chain from its reset on, with the connections it needs.
class ChainRun {
 public:
  ChainRun(const CellSetting& setting, const Cell& cell, const Chain& chain, std::int64_t attempt,
           bool discard)
      : setting_(setting), cell_(cell), chain_(chain), attempt_(attempt), discard_(discard) {}

  /// Errors: the journal's and kCancelled.
  Result<CellOutcome> run() {
    Status ready = prepare();
    if (!ready && ready.error().code == ErrorCode::kCancelled) return ready.error();
    CellOutcome outcome;
    std::optional<Error> failure;
    if (!ready) {
      failure = ready.error();
      outcome.unreached = !reached_ && failure->code != ErrorCode::kUnsupported;
    }
    std::optional<StageRecord> first_invalid;
    for (const StageKind kind : chain_) {
      StageRecord record;
      std::vector<Sample> samples;
      if (failure && failure->code == ErrorCode::kUnsupported)
        record = unsupported_record(kind, *failure);  // The server is too old for this variant, and says so.
      else if (failure)
        record = failed_record(kind, *failure);
      else if (first_invalid)
        record = not_run_record(kind, *first_invalid);
      else
        record = run_one(kind, samples);
      if (setting_.stop.stop_requested()) return Error{ErrorCode::kCancelled, "run", "a stop was requested"};
      if (!record.valid && !record.unsupported && !first_invalid) first_invalid = record;
      note(record, outcome);
      LAB_TRY(store(std::move(record), samples));
    }
    return outcome;
  }

 private:
  CallContext run_call() const { return {Clock::time_point::max(), setting_.stop}; }
  CallContext step() const { return within(run_call(), setting_.plan.stages.step_limit); }

  Status prepare() {
    auto dataset =
        Dataset::make(cell_.dataset, {.real_world_dir = setting_.plan.real_world_dir.value_or("")});
    if (!dataset) return dataset.error();
    LAB_TRY(audit(**dataset));
    LAB_TRY(open(step()));
    reached_ = true;
    state_ = std::make_unique<ChainState>(*dataset, driver_->info().keeps);
    LAB_TRY(driver_->reset(step()));
    LAB_TRY(driver_->flush(step()));
    if (cell_.cache == "cold") LAB_TRY(make_cold());
    return baseline();
  }

  /// Once for all cells that use the same bytes; what was counted is kept with the run.
  Status audit(const Dataset& dataset) {
    const std::string key = audit_key(dataset.spec());
    if (setting_.audited.contains(key)) return ok();
    const auto rows = audit_dataset(dataset, step());
    if (!rows) return rows.error();
    nlohmann::json counted = nlohmann::json::array();
    for (const scan::AuditRow& row : *rows)
      counted.push_back({{"unit", row.unit}, {"met", row.met}, {"asked", row.asked}, {"made", row.made}});
    LAB_TRY(setting_.journal.set_value("audit/" + key, counted.dump()));
    setting_.audited.insert(key);
    return ok();
  }

  /// A new session with its connections, on the server that the plan means.
  Status open(const CallContext& call) {
    // In this order, and before anything new: a session may hold what the next one waits for.
    observer_.reset();
    driver_.reset();
    session_.reset();
    SystemConfig config = setting_.config;
    config.variant = cell_.variant;
    config.mode = cell_.mode;
    config.payload = cell_.dataset.payload;
    config.containers = cell_.dataset.containers;
    auto session = open_session(setting_.entry, config, call);
    if (!session) return session.error();
    session_ = std::move(*session);
    LAB_TRY(connect(call));
    auto observer = session_->open_observer(call);
    if (!observer) return observer.error();
    observer_ = std::move(*observer);
    auto identity = observer_->identity(call);
    if (!identity) return identity.error();
    identity_ = *identity;
    // Of an embedded system, and of a server that was replaced since its session was opened.
    if (setting_.system.identity && *setting_.system.identity != identity_.identity)
      return Error{ErrorCode::kRefused, "run",
                   fmt::format("the plan wants server identity '{}', this one is '{}'",
                               *setting_.system.identity, identity_.identity)};
    return open_probes(call);
  }

  /// The probes below the system's own files, anew for each chain.
  Status open_probes(const CallContext& call) {
    roots_ = {};
    auto roots = observer_->directories(call);
    if (roots) roots_ = std::move(*roots);
    probes_ = make_probes({.plan = setting_.plan,
                           .system = setting_.system,
                           .roots = [this](const CallContext& now) { return observer_->directories(now); },
                           .place = roots_.empty() ? fs::path() : existing_above(roots_.front()),
                           .secrets = setting_.secrets});
    return ok();
  }

  /// The folder that a hook is told.
  std::optional<fs::path> directory() const {
    if (!roots_.empty()) return roots_.front();
    if (setting_.system.directory) return fs::path(*setting_.system.directory);
    return std::nullopt;
  }

  Status connect(const CallContext& call) {
    auto driver = session_->open_driver(call);
    if (!driver) return driver.error();
    driver_ = std::make_unique<GuardedDriver>(std::move(*driver));
    return ok();
  }

  /// The empty system, settled; and once for each system, variant and payload what it moves by itself.
  Status baseline() {
    const CallContext call = run_call();
    const auto source = settle_source(*observer_, probes_, driver_->info().background_work, call,
                                      setting_.plan.stages.step_limit);
    // What the volume has kept of former cells would take the place of this one's growth.
    Reading unused;
    probes_.read_disturbing(step(), unused);
    Settled empty = settle(source, setting_.plan.settle, required(), call, setting_.time);
    LAB_TRY(allowed(call, "run.baseline"));
    if (empty.lost) return *empty.lost;
    probes_.read_disturbing(step(), empty.reading);
    // The stage begins from what the trim has left.
    if (probes_.disturbs()) probes_.read_again(step(), empty.reading);
    probes_.set_reference();
    if (!empty.settled)
      return Error{
          ErrorCode::kUnsettled, "run.baseline",
          "the empty system did not come to rest within " + format_duration(setting_.plan.settle.limit)};
    empty_ = empty.reading.bytes;
    empty_missing_ = empty.reading.missing;
    const std::string key = fmt::format("{}/{}/{}", cell_.system, cell_.variant, cell_.dataset.payload);
    if (!setting_.entry.embedded || !noise_is_known(key)) LAB_TRY(measure_noise(source, key));
    noise_ = setting_.noise.at(key);
    return ok();
  }

  /// Whether each probe that answers, or its whole, has been watched: one that was away during the idle
  /// control has no noise floor, and none is not 0.
  bool noise_is_known(const std::string& key) const {
    const auto known = setting_.noise.find(key);
    if (known == setting_.noise.end()) return false;
    return std::all_of(empty_.begin(), empty_.end(), [&](const auto& entry) {
      const std::string& probe = entry.first;
      return known->second.contains(probe) || known->second.contains(probe.substr(0, probe.find(':')));
    });
  }

  /// Idle control: drift of the probes, then the sampler's cost in the same idleness.
  Status measure_noise(const SettleSource& source, const std::string& key) {
    auto drift = idle_drift(source, setting_.plan.settle, run_call(), setting_.time);
    if (!drift) return drift.error();
    setting_.noise[key] = std::move(*drift);
    auto observer = session_->open_observer(step());
    if (!observer) return observer.error();
    StageProgress idle;
    const auto began = setting_.time.now();
    Sampler sampler(std::move(*observer), setting_.plan.stages.sample_interval, idle, std::nullopt,
                    setting_.stop);
    setting_.time.sleep_until(setting_.stop, began + setting_.plan.settle.idle);
    const SamplerResult cost = sampler.stop();
    const double seconds = std::chrono::duration<double>(setting_.time.now() - began).count();
    LAB_TRY(setting_.journal.set_value("noise/" + key, nlohmann::json(setting_.noise[key]).dump()));
    const nlohmann::json measured{
        {"idle_seconds", seconds}, {"cpu_seconds", cost.cpu_seconds}, {"rounds", cost.rounds}};
    return setting_.journal.set_value("sampler/" + key, measured.dump());
  }

  /// A server forgets by a restart, which ends all connections. An embedded engine has just been opened.
  Status make_cold() {
    cache_action_ = "opened anew";
    if (!setting_.entry.embedded) LAB_TRY(restart_server());
    return drop_caches();
  }

  Status restart_server() {
    observer_.reset();
    driver_.reset();
    session_.reset();
    const auto restarted = run_restart_hook(setting_.plan.hooks, setting_.system.name, run_call());
    if (!restarted) return restarted.error();
    reached_ = false;
    // It may need a moment until it takes clients.
    Random random(static_cast<std::uint64_t>(wall_time_ms()));
    const CallContext call = step();
    LAB_TRY(retry(call, setting_.plan.retry.reconnect, setting_.time, random, [&] {
      Status opened = open(call);
      if (opened || opened.error().code != ErrorCode::kConnectionLost) return opened;
      Error lost = opened.error();
      lost.retryable = true;
      return Status(lost);
    }));
    reached_ = true;
    cache_action_ = fmt::format("restarted by {}, connected anew", *restarted);
    return ok();
  }

  /// What is left is the page cache; it is asked to let go of the system's files.
  Status drop_caches() {
    const auto roots = observer_->directories(step());
    if (!roots) return roots.error();
    std::size_t files = 0;
    for (const fs::path& root : *roots) {
      std::error_code failure;
      for (fs::recursive_directory_iterator entry(root, failure), end; !failure && entry != end;
           entry.increment(failure)) {
        auto file = open_file(entry->path(), O_RDONLY);
        if (file && ::posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED) == 0) ++files;
      }
    }
    cache_action_ += fmt::format("; posix_fadvise(DONTNEED) on {} files", files);
    return ok();
  }

  std::vector<std::string> required() const {
    std::vector<std::string> probes;
    for (const std::string& probe : setting_.system.probes)
      if (setting_.entry.has_files || (probe != "files" && probe != "apparent")) probes.push_back(probe);
    return probes;
  }

  /// Proves the connection and opens it anew if it is lost: 1, 2, 4, 8, 16 s as the plan says.
  Status prove(std::uint64_t& reconnects) {
    const CallContext call = step();
    Random random(static_cast<std::uint64_t>(wall_time_ms()));
    RetryPolicy policy = setting_.plan.retry.reconnect;
    policy.attempts_max +=
        1;  // The first attempt is the connection that is there; each further one waits before.
    bool first = true;
    return retry(call, policy, setting_.time, random, [&]() -> Status {
      Status proved = ok();
      if (!std::exchange(first, false)) {
        reconnects += 1;
        proved = connect(call);
      }
      if (proved) proved = driver_->prove(call);
      if (proved || proved.error().code != ErrorCode::kConnectionLost) return proved;
      Error lost = proved.error();
      lost.retryable = true;
      return lost;
    });
  }

  StageRecord run_one(StageKind kind, std::vector<Sample>& samples) {
    setting_.listener.on_stage_start(cell_, std::string(to_string(kind)));
    std::uint64_t reconnects = 0;
    if (const Status proved = prove(reconnects); !proved) return failed_record(kind, proved.error());
    auto observer = session_->open_observer(step());
    if (!observer) return failed_record(kind, observer.error());
    StageProgress progress;
    const auto probes = required();
    auto hook =
        after_operations_hook(setting_.plan, setting_.system, std::string(to_string(kind)), directory());
    if (!hook) return failed_record(kind, hook.error());
    const StageInput input{*driver_,  *observer_, *state_,       kind,    setting_.plan,   probes,
                           identity_, progress,   setting_.time, probes_, std::move(*hook)};
    Sampler sampler(std::move(*observer), setting_.plan.stages.sample_interval, progress,
                    setting_.system.max_bytes, setting_.stop);
    StageRecord record = run_stage(input, run_call());
    SamplerResult seen = sampler.stop();
    record.retries = reconnects;
    if (record.unsupported) return record;
    record.samples = seen.rounds;
    record.sampler_interval_ms = seen.interval_ms;
    record.sampler_cpu_seconds = seen.cpu_seconds;
    record.peak_bytes = seen.peak_bytes;
    const bool frees = is_delete(kind) || kind == StageKind::kMaintenance;
    if (frees && record.before_bytes.contains("files") && record.after_bytes.contains("files"))
      record.seconds_to_95 = seconds_to_95(seen.samples, "files", record.started_ms,
                                           record.before_bytes.at("files"), record.after_bytes.at("files"));
    samples = std::move(seen.samples);
    // Behind all readings and samples, and outside of the stage's times.
    if (record.valid && !discard_ && scans_after(setting_.plan.scan, kind))
      record.scan = scan_stage({setting_.plan.scan, *observer_, *state_,
                                [this](double share) { setting_.listener.on_scan(share); }},
                               run_call());
    return record;
  }

  static void note(const StageRecord& record, CellOutcome& outcome) {
    if (record.valid || record.unsupported || !outcome.valid) return;
    outcome.valid = false;
    outcome.retryable = record.retryable;
    outcome.reason = record.stage + ": " + record.reason;
  }

  /// A part of `files` that only appears later had no file in the empty system, whose tree was read whole: 0
  /// bytes.
  void add_parts_without_files(StageRecord& record) const {
    if (!empty_.contains("files")) return;
    for (const auto& [probe, bytes] : record.after_bytes)
      if (probe.starts_with("files:") && !empty_missing_.contains(probe))
        record.empty_bytes.try_emplace(probe, 0);
  }

  Status store(StageRecord record, const std::vector<Sample>& samples) {
    record.cell = cell_;
    record.cell_id = cell_id(cell_);
    record.chain = chain_name(chain_);
    record.server = identity_;
    redact_words(record);
    record.cache_action = cell_.cache == "cold" ? cache_action_ : "nothing restarted or dropped";
    if (!record.unsupported) {
      record.empty_bytes = empty_;
      add_parts_without_files(record);
      record.noise_bytes = noise_;
      allow_for_others(record);
    }
    if (!discard_) {
      LAB_TRY(setting_.journal.add_stage(attempt_, record, samples));
      setting_.listener.on_stage_end(record);
    }
    return ok();
  }

  const CellSetting& setting_;
  const Cell& cell_;
  const Chain& chain_;
  std::int64_t attempt_;
  bool discard_;
  bool reached_ = false;                // The system could be opened, the last time that was tried.
  std::unique_ptr<Session> session_{};  // Before the connections that it opened.
  std::unique_ptr<Driver> driver_{};
  std::unique_ptr<Observer> observer_{};
  std::unique_ptr<ChainState> state_{};
  std::vector<fs::path> roots_{};  // The folders of its files when it was opened.
  ProbeSet probes_{};
  ServerIdentity identity_{};
  std::string cache_action_{};
  ByteMap empty_{};
  std::map<std::string, std::string> empty_missing_{};
  ByteMap noise_{};
};

}  // namespace

Result<CellOutcome> run_cell(const CellSetting& setting, const Cell& cell, const std::string& block_id,
                             bool discard) {
  std::int64_t attempt = 0;
  if (!discard) {
    const auto begun = setting.journal.begin_attempt(block_id, cell_id(cell));
    if (!begun) return begun.error();
    attempt = *begun;
    setting.listener.on_cell(cell);
  }
  CellOutcome whole;
  for (const Chain& chain : cell.chains) {
    const auto outcome = ChainRun(setting, cell, chain, attempt, discard).run();
    if (!outcome) return outcome.error();
    if (whole.valid && !outcome->valid) whole = *outcome;
  }
  if (!discard) LAB_TRY(setting.journal.finish_attempt(attempt));
  return whole;
}

}  // namespace lab
