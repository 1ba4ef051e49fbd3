// SPDX-License-Identifier: Apache-2.0
#include "cli/generate_into.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/new_file.hpp"
#include "cli/say.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "payload/manifest_writer.hpp"
#include "payload/write_objects.hpp"
#include "runner/load.hpp"
#include "runner/preflight.hpp"
#include "runner/runner.hpp"

namespace lab::cli {
namespace {

constexpr Millis kLookLimit{60'000};   // Before the load, as `clean` has it.
constexpr Millis kAfterLimit{10'000};  // After a failure: an evicted pod has half a minute for all.

Error usage(const std::string& flag, const std::string& detail) {
  return {ErrorCode::kInvalidArgument, "generate", flag + ": " + detail};
}

int stopped_or(int code) {
  const int by_signal = InterruptGuard::exit_code();
  return by_signal == 0 ? code : by_signal;
}

/// One load from its first question to its manifest.
class IntoLoad {
 public:
  IntoLoad(const IntoTarget& target, const CallContext& call, const GenerateAudit* audit)
      : target_(target), entry_(target.named.entry), call_(call), audit_(audit) {}

  IntoOutcome run(const std::shared_ptr<const Dataset>& dataset, const GenerateProgress& progress) {
    IntoOutcome outcome;
    outcome.exit_code = prepare();
    if (outcome.exit_code != kExitOk) return outcome;
    LoadReached reached;
    const LoadRequest request{
        entry_,
        config_,
        dataset,
        target_.limit,
        [this](const ObjectFacts& facts, const MadeObject& object) { return note(facts, object); },
        progress};
    auto made = load_dataset(request, call_, reached);
    Status whole = made ? finish() : Status(made.error());
    if (!whole) {
      outcome.exit_code = fail(code_of(whole.error(), reached), whole.error());
      say_what_is_left(reached, dataset->objects());
      return outcome;
    }
    outcome.made = *made;
    auto where = what_is_there(entry_, built_in_systems(), config_, within(call_, kLookLimit));
    if (where) outcome.where = redacted(std::move(*where));
    if (!where) say("warning: where they are was not told: {}\n", log_redacted(where.error().text()));
    return outcome;
  }

 private:
  /// Everything before the first write to the system. Returns the exit code.
  int prepare() {
    const Plan& plan = target_.named.plan;
    const SystemPlan& system = target_.named.system();
    auto config = system_config(plan, system, entry_, new_run_id(system.name, wall_time_ms()), "");
    if (!config) return fail(kExitUsage, config.error());
    config_ = std::move(*config);
    config_.variant = system.variants.front();
    if (const int code = examine(); code != kExitOk) return code;
    const auto found = what_is_there(entry_, built_in_systems(), config_, within(call_, kLookLimit));
    if (!found) return fail(stopped_or(kExitPreflight), elsewhere(found.error()));
    if (!found->empty()) return refuse(*found);
    if (target_.manifest.empty()) return kExitOk;
    auto writer = ManifestWriter::open(target_.manifest);
    if (!writer) return fail(exit_code_of(writer.error()), writer.error());
    manifest_.emplace(std::move(*writer));
    return kExitOk;
  }

  int examine() const {
    if (entry_.examine == nullptr) return kExitOk;
    int code = kExitOk;
    for (const Check& check :
         examine_system(target_.named.plan, target_.named.system(), entry_, "", call_.stop)) {
      if (check.passed) continue;
      say("deduplab: {}: {}\n", check.name, log_redacted(check.detail));
      code = stopped_or(kExitPreflight);
    }
    return code;
  }

  /// A folder that cannot be used and that `clean` does not empty either.
  Error elsewhere(Error why) const {
    if (entry_.embedded) why.detail += "; nothing was written, name another folder as --path";
    return why;
  }

  int refuse(const std::vector<std::string>& found) const {
    const int code = fail(kExitPreflight, {ErrorCode::kRefused, "generate",
                                           fmt::format("{} is not empty there: {}; nothing was written",
                                                       entry_.name, join(redacted(found), ", "))});
    say("what a run or an earlier load has left there is removed by: {}\n",
        clean_command(target_.named.system()));
    return code;
  }

  Status note(const ObjectFacts& facts, const MadeObject& object) {
    if (audit_ != nullptr) LAB_TRY(audit_->object(facts, object.payload, object.digest));
    if (!manifest_) return ok();
    return writing(
        manifest_->add(manifest_line(facts, object.mime, Bytes{std::ssize(object.payload)}, object.digest)));
  }

  /// When all objects are there.
  Status finish() {
    if (audit_ != nullptr) {
      const auto line = audit_->last_line();
      if (!line) return line.error();
      if (manifest_) LAB_TRY(writing(manifest_->add(*line)));
    }
    return manifest_ ? writing(manifest_->finish()) : ok();
  }

  Status writing(Status written) {
    manifest_failed_ = manifest_failed_ || !written;
    return written;
  }

  int code_of(const Error& error, const LoadReached& reached) const {
    if (error.code == ErrorCode::kCancelled) return stopped_or(kExitInterrupted);
    if (manifest_failed_) return kExitNotWritten;
    if (error.code == ErrorCode::kInvalidArgument && !reached.began) return kExitUsage;
    const bool refused = error.code == ErrorCode::kRefused || error.code == ErrorCode::kInUse;
    return refused && reached.acknowledged == 0 ? kExitPreflight : kExitFailedCells;
  }

  /// After a failure, also one by a signal: only what the system itself tells now.
  void say_what_is_left(const LoadReached& reached, std::uint64_t objects) const {
    if (!reached.began) return;
    if (reached.loaded)
      say("all {} objects are there\n", objects);
    else
      say("at least {} of {} objects were acknowledged before that; what was on its way then was to be "
          "acknowledged as a whole, and a part of it may be there too\n",
          reached.acknowledged, objects);
    if (!target_.manifest.empty()) say("no manifest was written\n");
    const auto left = what_is_there(entry_, built_in_systems(), config_, within({}, kAfterLimit));
    if (left && left->empty()) {
      say("nothing of them is in {} now\n", entry_.name);
      return;
    }
    if (left) say("in {} now: {}\n", entry_.name, join(redacted(*left), ", "));
    if (!left) say("what is in {} now is not known: {}\n", entry_.name, log_redacted(left.error().text()));
    say("to remove it: {}\n", clean_command(target_.named.system()));
  }

  static std::vector<std::string> redacted(std::vector<std::string> lines) {
    for (std::string& line : lines) line = log_redacted(line);
    return lines;
  }

  const IntoTarget& target_;
  const SystemEntry& entry_;
  const CallContext& call_;
  const GenerateAudit* audit_;
  SystemConfig config_{};
  std::optional<ManifestWriter> manifest_{};
  bool manifest_failed_ = false;
};

}  // namespace

Result<IntoTarget> into_target(const GenerateOptions& options, const DatasetSpec& spec) {
  auto named = named_system(options.into, "--into");
  if (!named) return std::move(named).error();
  IntoTarget target{.named = std::move(*named), .manifest = options.manifest, .limit = StagesPlan{}.limit};
  target.named.plan.dataset.placements = {spec.placement};
  target.named.plan.dataset.containers = spec.containers;
  if (!options.manifest.empty())
    if (const std::string why = why_no_new_file(options.manifest); !why.empty())
      return usage("--manifest", why);
  if (options.limit.empty()) return target;
  const auto limit = parse_duration(options.limit);
  if (!limit) return usage("--limit", limit.error().detail);
  if (limit->count() <= 0) return usage("--limit", "'" + options.limit + "' is no time");
  target.limit = *limit;
  return target;
}

IntoOutcome generate_into(const IntoTarget& target, const std::shared_ptr<const Dataset>& dataset,
                          const CallContext& call, const GenerateProgress& progress,
                          const GenerateAudit* audit) {
  return IntoLoad(target, call, audit).run(dataset, progress);
}

void print_where(const IntoTarget& target, const IntoOutcome& outcome) {
  if (outcome.where) say("in {}: {}\n", target.named.entry.name, join(*outcome.where, ", "));
  if (target.manifest.empty())
    say("no manifest was written; --manifest FILE asks for one\n");
  else
    say("manifest: {}\n", target.manifest.string());
  say("to remove them: {}\n", clean_command(target.named.system()));
}

nlohmann::ordered_json where_json(const IntoTarget& target, const IntoOutcome& outcome) {
  nlohmann::ordered_json all{{"system", target.named.entry.name},
                             {"variant", target.named.system().variants.front()}};
  if (outcome.where) all["where"] = *outcome.where;
  if (!target.manifest.empty()) all["manifest"] = target.manifest.string();
  all["remove"] = clean_command(target.named.system());
  return all;
}

}  // namespace lab::cli
