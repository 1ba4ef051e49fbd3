// SPDX-License-Identifier: Apache-2.0
#include "drill/cell.hpp"

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/files.hpp"
#include "core/random.hpp"
#include "drill/child.hpp"
#include "model/plan_load.hpp"
#include "runner/preflight.hpp"
#include "testbed/server_process.hpp"

namespace lab::drill {
namespace {

namespace fs = std::filesystem;

constexpr int kReferenceRepetitions = 5;
constexpr int kRunSteps = 20;            // A run is hanging after so many times the limit of one step.
constexpr int kAttempts = 3;             // To hit a stage, and to resume.
constexpr Millis kServerLimit{300'000};  // For everything that brings the server back.
constexpr Millis kTick{2};
constexpr Bytes kRunDiskSpare{64LL << 20};

/// A small file system at a folder, for as long as this lives.
class SmallDisk {
 public:
  static Result<SmallDisk> mount(const fs::path& at, Bytes size) {
    LAB_TRY(make_directories(at));
    const std::string options = fmt::format("size={},mode=0700", size.count);
    if (::mount("tmpfs", at.c_str(), "tmpfs", 0, options.c_str()) != 0)
      return errno_error("drill.disk", at.string(), errno);
    return SmallDisk(at);
  }
  ~SmallDisk() {
    if (!at_.empty()) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(SmallDisk&& other) noexcept : at_(std::exchange(other.at_, {})) {}
  SmallDisk& operator=(SmallDisk&&) = delete;

 private:
  explicit SmallDisk(fs::path at) : at_(std::move(at)) {}
  fs::path at_;
};

/// What a fault needs is not there: its cell is skipped, and says why.
Error lacking(const Error& error) { return {ErrorCode::kUnsupported, error.operation, error.detail}; }

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// The program with these words, its output in `log`.
Result<Child> start_program(const DrillSetting& setting, std::vector<std::string> words,
                            std::vector<std::string> environment, const fs::path& log) {
  words.insert(words.begin(), setting.program.string());
  return Child::start({.argv = std::move(words), .environment = std::move(environment)}, log);
}

CallContext run_bound(const DrillSetting& setting, Millis limit) {
  return within(setting.call, limit * kRunSteps);
}

/// Everything about one cell of a drill while it is done.
class CellDrill {
 public:
  CellDrill(const DrillSetting& setting, const Target& target, const DrillCell& cell,
            const Reference& reference, const Neighbour& neighbour)
      : setting_(setting),
        target_(target),
        cell_(cell),
        fault_(*cell.fault),
        reference_(reference),
        neighbour_(neighbour),
        folder_(setting.out / cell.name()),
        run_(folder_ / "run"),
        random_(derive_seed(setting.seed, leading_u64(sha256(cell.name())))),
        scene_{setting.bed, target.recipe} {
    scene_.call = {Clock::time_point::max(), {}};  // What heals is done though a stop was requested.
    scene_.server = target.server.directory;
    outcome_ = {.system = cell.system,
                .stage = std::string(to_string(cell.stage)),
                .fault = std::string(fault_.name)};
  }

  Result<Outcome> run() {
    if (!supported()) return ended(Answer::kUnsupported, "the variant has no such stage");
    if (const auto why = fault_.not_for.find(cell_.system); why != fault_.not_for.end())
      return ended(Answer::kSkipped, std::string(why->second));
    // No fault has come yet: a server that does not start is no outcome of this cell.
    scene_.call = server_call();
    LAB_TRY(bring_up(scene_));
    for (int attempt = 1;; ++attempt) {
      const Status prepared = prepare();
      if (!prepared && prepared.error().code == ErrorCode::kUnsupported)
        return ended(Answer::kSkipped, prepared.error().detail);
      const auto hit = prepared ? disturb() : Result<bool>(prepared.error());
      if (!hit) return failed(hit.error());
      if (*hit) break;
      if (attempt == kAttempts) return ended(Answer::kNotAllowed, "the run was over before the fault came");
      span_ /= 2;
    }
    const Status judged = recover();
    return judged ? Result<Outcome>(outcome_) : failed(judged.error());
  }

 private:
  CallContext server_call() const { return within({}, kServerLimit); }
  fs::path log() const { return folder_ / "output.txt"; }

  Outcome ended(Answer answer, std::string detail) {
    outcome_.answer = answer;
    outcome_.detail = std::move(detail);
    return outcome_;
  }

  Result<Outcome> failed(const Error& error) {
    scene_.call = server_call();
    if (injected_.wall_ms != 0) ignore(fault_.heal(scene_), "the error before it is the one to tell");
    if (run_disk_) keep_run();
    ignore(bring_up(scene_), "the error before it is the one to tell");
    if (setting_.call.stop.stop_requested())
      return Error{ErrorCode::kCancelled, "drill", "a stop was requested"};
    return ended(Answer::kNotAllowed, error.text());
  }

  /// What lies on a disk that goes away with this cell.
  void keep_run() const {
    std::error_code failure;
    fs::copy(run_, folder_ / "run", fs::copy_options::recursive, failure);
  }

  /// The undisturbed record of the stage, in the cell that comes first.
  const StageRecord* record() const {
    for (const auto& [key, known] : reference_)
      if (known.record.cell.system == cell_.system && known.record.stage == outcome_.stage)
        return &known.record;
    return nullptr;
  }
  bool supported() const { return record() != nullptr && !record()->unsupported; }

  Status prepare() {
    scene_.call = server_call();
    run_disk_.reset();
    ::umount2((folder_ / "disk").c_str(), MNT_DETACH);  // Of a drill that was killed.
    LAB_TRY(remove_tree(folder_));
    LAB_TRY(make_directories(folder_));
    LAB_TRY(bring_up(scene_));
    Plan plan =
        plan_of_cell(setting_.plan, cell_.system, chain_with(setting_.plan, cell_.stage), fault_.limit, 1);
    environment_.clear();
    switch (fault_.needs) {
      case Needs::kNothing:
        break;
      case Needs::kProxy:
        LAB_TRY(go_by_proxy(plan.systems.front()));
        break;
      case Needs::kServerDisk:
        if (const auto top = small_disk(scene_.server); !top) return lacking(top.error());
        break;
      case Needs::kRunDisk:
        LAB_TRY(mount_run_disk(plan));
        break;
      case Needs::kClock:
        LAB_TRY(take_clock());
        break;
    }
    return write_file_atomic(folder_ / "plan.toml", save_plan(plan));
  }

  Status go_by_proxy(SystemPlan& system) {
    const auto& ports = target_.server.ports;
    const testbed::ProxyPorts way = target_.recipe.proxy.value_or(testbed::ProxyPorts{});
    if (target_.recipe.proxy && ports.size() <= std::max(way.listen, way.server))
      return Error{ErrorCode::kUnsupported, "drill.proxy",
                   "the server tells its clients its own address; start it anew: deduplab testbed down, up"};
    proxy_.reset();
    auto opened = testbed::Proxy::open(ports.at(way.server), target_.recipe.proxy ? ports[way.listen] : 0);
    if (!opened) return opened.error();
    proxy_ = std::move(*opened);
    scene_.proxy = proxy_.get();
    const std::string port = fmt::format(":{}", ports.front());
    system.url->replace(system.url->find(port), port.size(), fmt::format(":{}", proxy_->port()));
    return ok();
  }

  Status mount_run_disk(const Plan& plan) {
    if (::geteuid() != 0)
      return Error{ErrorCode::kUnsupported, "drill.disk", "only root can mount a small file system"};
    scene_.run_disk = folder_ / "disk";
    const Bytes need = estimate(plan, expand(plan), setting_.registry).disk_peak;
    auto mounted = SmallDisk::mount(scene_.run_disk, kRunDiskSpare + need + need);
    if (!mounted) return mounted.error();
    run_disk_.emplace(std::move(*mounted));
    run_ = scene_.run_disk / "run";
    return ok();
  }

  Status take_clock() {
    const auto library = clock_library();
    if (!library) return lacking(library.error());
    scene_.clock = folder_ / "clock";
    environment_ = clock_environment(*library, scene_.clock);
    return write_file_atomic(scene_.clock, "+0");
  }

  /// From the run's start to its end, with the fault in the stage. False where the run was faster.
  Result<bool> disturb() {
    auto program = start_program(setting_,
                                 {"run", (folder_ / "plan.toml").string(), "--out", run_.string(),
                                  "--no-progress", "--log-level", "debug"},
                                 environment_, log());
    if (!program) return program.error();
    scene_.program = program->pid();
    const CallContext bound = run_bound(setting_, fault_.limit);
    LAB_TRY(await_stage(*program, bound));
    const auto began = Clock::now();
    sleep_until(setting_.call.stop, began + moment());
    LAB_TRY(allowed(setting_.call, "drill"));
    if (!program->running()) return false;
    scene_.call = server_call();
    injected_ = {wall_time_ms(), cell_.system};
    LAB_TRY(fault_.inject(scene_));
    injected_at_ = Clock::now();
    outcome_.injected_s = std::chrono::duration<double>(injected_at_ - began).count();
    LAB_TRY(await_end(*program, bound));
    scene_.call = server_call();
    LAB_TRY(fault_.heal(scene_));
    LAB_TRY(bring_up(scene_));
    const auto& allowed_codes = fault_.exit_codes;
    const int code = *outcome_.exit_code;
    if (std::find(allowed_codes.begin(), allowed_codes.end(), code) != allowed_codes.end()) return true;
    if (code == 0) return false;  // It was at its end already.
    return Error{ErrorCode::kInternal, "drill.run", fmt::format("it ended with {}: {}", code, last_words())};
  }

  /// Until the log says that the stage of a measured cell begins.
  Status await_stage(Child& program, const CallContext& bound) const {
    const std::string cell_begins = fmt::format("cell begins: system={};", cell_.system);
    const std::string stage_begins = fmt::format("stage begins: {} system={};", outcome_.stage, cell_.system);
    while (true) {
      const bool running = program.running();
      if (const auto text = read_file(run_ / "log.jsonl")) {
        const std::size_t at = text->find(cell_begins);
        if (at != std::string::npos && text->find(stage_begins, at) != std::string::npos) return ok();
      }
      if (!running)
        return Error{ErrorCode::kInternal, "drill.run", "it ended before the stage began: " + last_words()};
      LAB_TRY(hung_or(allowed(bound, "drill.run"), "before the stage began"));
      sleep_until(bound.stop, Clock::now() + kTick);
    }
  }

  /// Where in the stage the fault comes: half of the times while it works with the system, else anywhere.
  Millis moment() {
    const double whole = static_cast<double>(record()->ended_ms - record()->started_ms);
    const double work = std::max(1.0, whole - record()->settle_seconds * 1e3);
    const double within = random_.below(2) == 0 ? work : whole;
    return Millis{static_cast<std::int64_t>(random_.unit() * span_ * within)};
  }

  Status await_end(Child& program, const CallContext& bound) {
    if (fault_.heals_after) {
      const auto heal_at = injected_at_ + *fault_.heals_after;
      while (program.running() && Clock::now() < heal_at) {
        LAB_TRY(hung_or(allowed(bound, "drill.run"), "under the fault"));
        sleep_until(bound.stop, std::min(heal_at, Clock::now() + kTick));
      }
      scene_.call = server_call();
      LAB_TRY(fault_.heal(scene_));
    }
    const auto code = program.wait(bound);
    if (!code) return hung_or(code.error(), "after the fault");
    outcome_.exit_code = *code;
    outcome_.ended_s = seconds_since(injected_at_);
    if (!fault_.ends_within || Clock::now() - injected_at_ <= *fault_.ends_within) return ok();
    return Error{ErrorCode::kTimeout, "drill.run",
                 fmt::format("it took {:.1f} s to end, more than {}", *outcome_.ended_s,
                             format_duration(*fault_.ends_within))};
  }

  Status hung_or(const Status& status, const char* when) const {
    if (status || status.error().code != ErrorCode::kTimeout) return status;
    return Error{ErrorCode::kTimeout, "drill.run", fmt::format("it hangs {}: {}", when, last_words())};
  }

  std::string last_words() const { return testbed::tail_of(log()); }

  /// What the disturbed run has left is judged, resumed until all is valid, and judged again.
  Status recover() {
    outcome_.answer = Answer::kValid;
    const std::optional<Moment> ended = fault_.ends_server ? std::optional(injected_) : std::nullopt;
    std::error_code failure;
    int code = *outcome_.exit_code;
    if (fs::exists(run_ / "journal.db", failure)) LAB_TRY(judged(ended, code == 0));
    for (int attempt = 0; attempt < kAttempts && code != 0; ++attempt) {
      outcome_.answer = Answer::kResumed;
      auto program = start_program(setting_, {"resume", run_.string(), "--no-progress"}, {}, log());
      if (!program) return program.error();
      const auto resumed = program->wait(run_bound(setting_, fault_.limit));
      if (!resumed) return hung_or(resumed.error(), "while it is resumed");
      code = *resumed;
    }
    outcome_.healed_s = seconds_since(injected_at_);
    if (code > 1)
      return Error{ErrorCode::kInternal, "drill.resume",
                   fmt::format("it ended with {}: {}", code, last_words())};
    LAB_TRY(judged(ended, code == 0));
    const auto digest = neighbour_.digest(server_call());
    if (!digest) return digest.error();
    if (*digest != neighbour_.at_first())
      return Error{ErrorCode::kCorruption, "drill.neighbour",
                   fmt::format("data of others was {} and is {}", neighbour_.at_first(), *digest)};
    run_disk_.reset();
    return remove_tree(run_);
  }

  Status judged(const std::optional<Moment>& ended, bool whole) {
    const auto judgement = judge(run_, reference_, ended, whole);
    if (!judgement) return judgement.error();
    if (!judgement->findings.empty())
      return Error{ErrorCode::kCorruption, "drill.judge", judgement->findings.front()};
    outcome_.detail = judgement->invalid.empty() ? outcome_.detail : judgement->invalid.begin()->second;
    if (outcome_.healed_s && !judgement->invalid.empty()) outcome_.answer = Answer::kInvalid;
    return ok();
  }

  const DrillSetting& setting_;
  const Target& target_;
  const DrillCell& cell_;
  const Fault& fault_;
  const Reference& reference_;
  const Neighbour& neighbour_;
  fs::path folder_;
  fs::path run_;
  Random random_;
  Scene scene_;
  Outcome outcome_{};
  std::vector<std::string> environment_{};
  std::unique_ptr<testbed::Proxy> proxy_{};
  std::optional<SmallDisk> run_disk_{};
  double span_ = 1;  // Part of the stage in which the fault comes.
  Moment injected_{};
  Clock::time_point injected_at_{};
};

}  // namespace

Result<Reference> run_reference(const DrillSetting& setting, const Target& target, const Chain& chain) {
  const fs::path folder = setting.out / target.entry.name / ("undisturbed-" + chain_name(chain));
  std::error_code failure;
  if (!fs::exists(folder / "complete", failure)) {
    LAB_TRY(remove_tree(folder));
    LAB_TRY(make_directories(folder));
    const Fault* const usual = &faults().front();
    const Plan plan =
        plan_of_cell(setting.plan, target.entry.name, chain, usual->limit, kReferenceRepetitions);
    LAB_TRY(write_file_atomic(folder / "plan.toml", save_plan(plan)));
    auto program = start_program(
        setting,
        {"run", (folder / "plan.toml").string(), "--out", (folder / "run").string(), "--no-progress"}, {},
        folder / "output.txt");
    if (!program) return program.error();
    const auto code = program->wait(run_bound(setting, usual->limit));
    if (!code) return code.error();
    if (*code != 0)
      return Error{ErrorCode::kRefused, "drill.reference",
                   fmt::format("without any fault the run ends with {}: {}", *code,
                               testbed::tail_of(folder / "output.txt"))};
    LAB_TRY(write_file_atomic(folder / "complete", ""));
  }
  return load_reference(folder / "run");
}

Result<Outcome> drill_cell(const DrillSetting& setting, const Target& target, const DrillCell& cell,
                           const Reference& reference, const Neighbour& neighbour) {
  return CellDrill(setting, target, cell, reference, neighbour).run();
}

}  // namespace lab::drill
