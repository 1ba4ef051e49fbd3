// `deduplab generate` and `deduplab payloads`: exact data for other tools.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/compressed_share.hpp"
#include "cli/exit_code.hpp"
#include "cli/generate_audit.hpp"
#include "cli/generate_into.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress.hpp"
#include "cli/say.hpp"
#include "core/spill_file.hpp"
#include "payload/made_source.hpp"
#include "payload/stream_output.hpp"

namespace lab::cli {
namespace {

constexpr std::int64_t kObjectsMax = 1'000'000'000;  // As in a plan.
constexpr std::int64_t kContainersDefault = 4;       // As in a plan.
constexpr Bytes kDatasetMax{1LL << 60};              // As in a plan.
constexpr Millis kProgressInterval{1'000};

Error usage(const std::string& flag, const std::string& detail) {
  return {ErrorCode::kInvalidArgument, "generate", flag + ": " + detail};
}

Result<DatasetSpec> spec_of(const GenerateOptions& options) {
  DatasetSpec spec;
  spec.payload = options.payload;
  spec.dataset_seed = options.seed;
  if (options.objects < 1 || options.objects > kObjectsMax)
    return usage("--objects", fmt::format("{} is not from 1 to {}", options.objects, kObjectsMax));
  spec.objects = static_cast<std::uint64_t>(options.objects);
  if (!options.compressible.empty()) {
    const auto share = parse_compressible(options.compressible);
    if (!share) return usage("--compressible", share.error().detail);
    spec.compressible = *share;
  }
  const auto grade = parse_grade(options.grade);
  if (!grade) return usage("--grade", grade.error().detail);
  spec.grade = *grade;
  const auto size = parse_size_law(options.object_size);
  if (!size) return usage("--object-size", size.error().detail);
  spec.object_size = *size;
  const auto popularity = parse_popularity(options.popularity);
  if (!popularity) return usage("--popularity", popularity.error().detail);
  spec.popularity = *popularity;
  const auto unit = parse_duplicate_unit(options.duplicate_unit);
  if (!unit) return usage("--duplicate-unit", unit.error().detail);
  spec.unit = *unit;
  const auto order = parse_order(options.order);
  if (!order) return usage("--order", order.error().detail);
  spec.order = *order;
  const auto placement = parse_placement(options.placement);
  if (!placement) return usage("--placement", placement.error().detail);
  spec.placement = *placement;
  const bool across = *placement == Placement::kAcross;
  const std::int64_t containers = options.containers.value_or(across ? kContainersDefault : 1);
  if (containers < 1 || containers > 1000)
    return usage("--containers", fmt::format("{} is not from 1 to 1000", containers));
  if ((containers > 1) != across)
    return usage("--containers", "within has one container, across at least two");
  spec.containers = static_cast<std::uint32_t>(containers);
  return spec;
}

/// Where the objects go: into a system, a stream, or else a directory.
struct Destination {
  std::optional<IntoTarget> into{};
  std::optional<StreamOutput> stream{};
};

/// Only standard output has a choice of how it is written.
Result<Destination> output_of(const GenerateOptions& options, const GlobalOptions& global) {
  if (const std::string flag = first_flag_of(options.into); !flag.empty()) return usage(flag, "is of --into");
  if (!options.manifest.empty()) return usage("--manifest", "is of --into; --output writes its own");
  if (!options.limit.empty()) return usage("--limit", "is of --into");
  Destination destination;
  if (options.output != "-")
    return options.format.empty() ? Result<Destination>(std::move(destination))
                                  : usage("--format", "is of --output -, standard output");
  if (::isatty(STDOUT_FILENO) == 1) return usage("--output", "- would write payloads to a terminal");
  if (global.json) return usage("--json", "standard output is taken by the payloads");
  destination.stream = {.descriptor = STDOUT_FILENO, .temporary = temporary_folder()};
  if (options.format.empty()) return destination;
  const auto format = parse_stream_format(options.format);
  if (!format) return usage("--format", format.error().detail);
  destination.stream->format = *format;
  return destination;
}

Result<Destination> destination_of(const GenerateOptions& options, const GlobalOptions& global,
                                   const DatasetSpec& spec) {
  const bool system = !options.into.name.empty();
  if (system && !options.output.empty())
    return usage("--into", "stands beside --output: give one of the two");
  if (!system && options.output.empty())
    return usage("--output", "name a new or empty directory, - for standard output, or a system by --into");
  if (!system) return output_of(options, global);
  if (!options.format.empty()) return usage("--format", "is of --output -, standard output");
  auto into = into_target(options, spec);
  if (!into) return std::move(into).error();
  return Destination{.into = std::move(*into)};
}

/// What is written has to fit where it goes: told before it is made. Files of a directory and records have
/// sizes of their own, which the law does not know.
Status check_room(const DatasetSpec& spec, const GenerateOptions& options) {
  namespace fs = std::filesystem;
  if (!spec.object_size.sets_size()) return ok();
  const auto size = static_cast<double>(spec.object_size.mean().count);
  const double bytes = size * static_cast<double>(spec.objects);
  const auto all = [&] { return fmt::format("{} objects of {}", spec.objects, to_string(spec.object_size)); };
  if (bytes > static_cast<double>(kDatasetMax.count))
    return usage("--objects", fmt::format("{} are more than {}", all(), format_bytes_exact(kDatasetMax)));
  const std::string& folder = options.output.empty() ? options.into.path : options.output;
  if (folder == "-" || folder.empty() || spec.payload.starts_with("directory:")) return ok();
  fs::path place = fs::absolute(folder);
  while (!fs::exists(place) && place.has_relative_path()) place = place.parent_path();
  std::error_code unknown;
  const fs::space_info space = fs::space(place, unknown);
  if (unknown || bytes <= static_cast<double>(space.available)) return ok();
  return usage(options.output.empty() ? "--path" : "--output",
               fmt::format("{}: {} do not fit into the {} that are free there", folder, all(),
                           format_bytes(Bytes{static_cast<std::int64_t>(space.available)})));
}

/// A line a second at most, for the eye.
class GenerateLine {
 public:
  GenerateLine(std::uint64_t objects, bool quiet) : objects_(objects), quiet_(quiet) {}
  void operator()(std::uint64_t done, Bytes bytes) {
    if (quiet_ || Clock::now() - last_ < kProgressInterval) return;
    last_ = Clock::now();
    const double seconds = std::chrono::duration<double>(last_ - began_).count();
    const double left = seconds / static_cast<double>(done) * static_cast<double>(objects_ - done);
    say("{} of {} objects, {}, {} left\n", done, objects_, format_bytes(bytes), format_seconds(left));
  }

 private:
  std::uint64_t objects_;
  bool quiet_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point last_ = Clock::now();
};

/// What is known of the data beside its summary, where it was asked for.
struct Measured {
  std::optional<CompressedShare> share{};
  std::unique_ptr<DatasetAudit> audit{};
  std::optional<RealDataReport> real{};
  std::optional<UnitReport> unit{};
};

nlohmann::ordered_json as_json(const RealDataReport& real) {
  nlohmann::ordered_json all{{"place", real.place}, {"files", real.files},       {"left_out", real.left_out},
                             {"links", real.links}, {"specials", real.specials}, {"bytes", real.bytes.count}};
  if (real.records) {
    all["records"] = real.pieces;
    all["equal_records"] = real.equal_pieces;
    all["empty_records"] = real.empty;
  } else {
    all["slices"] = real.pieces;
    all["equal_slices"] = real.equal_pieces;
    all["left_over_bytes"] = real.left_over.count;
  }
  return all;
}

void say_found(const RealDataReport& real) {
  say("{}: {} files of {} bytes in all, {} files of other types and {} links left out; {} different {}, {} "
      "equal ones skipped, {}\n",
      real.place, real.files, real.bytes.count, real.left_out, real.links, real.pieces,
      real.records ? "records" : "slices", real.equal_pieces,
      real.records ? fmt::format("{} empty ones left out", real.empty)
                   : fmt::format("{} bytes left over", real.left_over.count));
}

/// `where` is for the JSON alone, where there is any.
void print_summary(const GenerateSummary& made, const GenerateOptions& options, const Measured& measured,
                   bool json, const nlohmann::ordered_json& where = nullptr) {
  const double ratio = made.unique.count == 0
                           ? 1
                           : static_cast<double>(made.logical.count) / static_cast<double>(made.unique.count);
  if (json) {
    nlohmann::ordered_json all{{"payload", options.payload},
                               {"grade", options.grade},
                               {"objects", made.objects},
                               {"distinct", made.distinct},
                               {"logical_bytes", made.logical.count},
                               {"unique_bytes", made.unique.count},
                               {"edr_max", ratio}};
    if (measured.share)
      all["compressed_share"] = {{"asked", measured.share->asked},
                                 {"least", measured.share->least},
                                 {"most", measured.share->most},
                                 {"originals", measured.share->originals}};
    if (measured.real) all["real_data"] = as_json(*measured.real);
    if (measured.unit)
      all["duplicate_unit"] = {{"unit", to_string(measured.unit->unit)},
                               {"met", measured.unit->met},
                               {"distinct", measured.unit->distinct}};
    if (measured.audit) all["audit"] = measured.audit->as_json();
    if (!where.is_null()) all["into"] = where;
    print("{}\n", all.dump(2));
    return;
  }
  if (measured.share)
    say("zstd at level 3 leaves {:.4f} to {:.4f} of each of {} originals, {} asked\n", measured.share->least,
        measured.share->most, measured.share->originals, measured.share->asked);
  if (measured.real) say_found(*measured.real);
  if (measured.unit)
    say("{}: {} met, {} distinct\n", to_string(measured.unit->unit), measured.unit->met,
        measured.unit->distinct);
  if (measured.audit) measured.audit->print();
  say("{} objects, {} distinct; L = {} bytes, U = {} bytes, EDR_max = {:.4f}\n", made.objects, made.distinct,
      made.logical.count, made.unique.count, ratio);
}

int exit_code_of_failure(const Error& error) {
  if (error.code != ErrorCode::kCancelled) return fail(exit_code_of(error), error);
  const int by_signal = InterruptGuard::exit_code();
  return fail(by_signal == 0 ? kExitInterrupted : by_signal, error);
}

}  // namespace

int generate(const GenerateOptions& options, const GlobalOptions& global) {
  const auto spec = spec_of(options);
  if (!spec) return fail(kExitUsage, spec.error());
  const auto destination = destination_of(options, global, *spec);
  if (!destination) return fail(kExitUsage, destination.error());
  if (const Status room = check_room(*spec, options); !room) return fail(kExitUsage, room.error());
  const auto dataset = Dataset::make(*spec, {.real_world_dir = options.real_world_dir});
  if (!dataset) return fail(kExitUsage, dataset.error());
  Measured measured{.real = (*dataset)->real_data_report(), .unit = (*dataset)->unit_report()};
  if (spec->compressible) {
    const auto share = measure_compressed_share(**dataset);
    if (!share) return fail(kExitUsage, share.error());
    measured.share = *share;
  }
  const InterruptGuard interrupt;
  const CallContext call{Clock::time_point::max(), interrupt.token()};
  GenerateLine line(spec->objects, global.no_progress);
  const auto progress = [&line](std::uint64_t done, Bytes bytes) { line(done, bytes); };
  GenerateAudit hooks;
  if (options.audit) {
    // Blocks of other units than whole objects are equal because that was asked for.
    const bool strict = is_made(spec->payload) && !measured.unit;
    auto counting = DatasetAudit::make({strict, !measured.unit}, call.stop);
    if (!counting) return fail(exit_code_of(counting.error()), counting.error());
    measured.audit = std::move(*counting);
    hooks = measured.audit->hooks();
  }
  const GenerateAudit* const audited = measured.audit ? &hooks : nullptr;
  if (destination->into) {
    const IntoOutcome outcome = generate_into(*destination->into, *dataset, call, progress, audited);
    if (outcome.exit_code != kExitOk) return outcome.exit_code;
    print_summary(outcome.made, options, measured, global.json, where_json(*destination->into, outcome));
    if (!global.json) print_where(*destination->into, outcome);
    return kExitOk;
  }
  const auto made = destination->stream
                        ? generate_stream(**dataset, *destination->stream, call, progress, audited)
                        : generate_directory(**dataset, options.output, call, progress, audited);
  if (!made) return exit_code_of_failure(made.error());
  print_summary(*made, options, measured, global.json);
  return kExitOk;
}

int payloads(const GlobalOptions& global) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const PayloadKind& kind : payload_kinds()) {
    all.push_back({{"name", kind.name}, {"built_in", kind.built_in}, {"what", kind.what}});
    if (!global.json) print("{:<24} {}{}\n", kind.name, kind.built_in ? "" : "(not built in) ", kind.what);
  }
  if (global.json) print("{}\n", all.dump(2));
  return kExitOk;
}

}  // namespace lab::cli
