// Datasets out of their parts: a source of contents, the stream of copies, containers and ids.
// SPDX-License-Identifier: Apache-2.0
#include "payload/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>

#include "core/text.hpp"
#include "model/counts_file.hpp"
#include "payload/content_stream.hpp"
#include "payload/copies.hpp"
#include "payload/directory_source.hpp"
#include "payload/made_source.hpp"
#include "payload/real_source.hpp"
#include "payload/sizes.hpp"
#include "payload/unit_source.hpp"

namespace lab {
namespace {

Error bad(std::string detail) { return {ErrorCode::kInvalidArgument, "payload", std::move(detail)}; }

// --- The plan of the objects ---

ObjectId id_of(std::uint64_t dataset_seed, std::uint64_t number) {
  constexpr unsigned kSerialBits = 60;  // The id begins with a bijection of the number: ids cannot collide.
  const std::uint64_t seed = derive_seed(dataset_seed, Purpose::kId);
  const std::uint64_t serial = mixed_serial(number, seed, kSerialBits);
  // RFC 9562: 48 bits, version 4, 12 bits; then variant 0b10 and 62 bits.
  const std::uint64_t high = ((serial >> 12U) << 16U) | 0x4000U | (serial & 0xFFFU);
  const std::uint64_t low = (derive_seed(seed, number) >> 2U) | 0x8000'0000'0000'0000ULL;
  ObjectId id{};
  for (unsigned i = 0; i < 8; ++i) {
    id[i] = static_cast<std::byte>(high >> (56U - 8U * i));
    id[8 + i] = static_cast<std::byte>(low >> (56U - 8U * i));
  }
  return id;
}

/// What goes into a plan besides the specification.
struct Parts {
  std::unique_ptr<const ContentSource> source{};
  std::uint64_t distinct = 0;
  std::vector<std::uint64_t> weights{};  // Of a file of counts; none with a law.
  std::optional<DirectoryReport> directory{};
  std::optional<RealDataReport> real{};
  std::optional<UnitReport> unit{};
  std::optional<BlockPlan> blocks{};
};

CopyPlan copy_plan(const DatasetSpec& spec, std::uint64_t distinct, std::span<const std::uint64_t> weights) {
  return {spec.objects, distinct, spec.popularity, spec.order, spec.dataset_seed, weights};
}

/// Index holds any object number: four bytes for the content, four for the container, and four for the first
/// occurrence of each original; twice as much for the first and last above 2^32 objects.
template <class Index>
class PlannedDataset final : public Dataset {
 public:
  PlannedDataset(DatasetSpec spec, Parts parts)
      : spec_(std::move(spec)),
        parts_(std::move(parts)),
        contents_(content_stream<Index>(copy_plan(spec_, parts_.distinct, parts_.weights))),
        firsts_(parts_.distinct) {
    parts_.weights = {};  // They are in the stream now.
    // Contents appear for the first time in the order 0, 1, 2, ...
    std::uint64_t seen = 0;
    for (std::uint64_t number = 0; number < contents_.size(); ++number)
      if (contents_[number] == seen) firsts_[seen++] = static_cast<Index>(number);
    if (spec_.containers > 1) place();
  }

  const DatasetSpec& spec() const override { return spec_; }
  std::uint64_t objects() const override { return spec_.objects; }
  std::uint64_t distinct() const override { return parts_.distinct; }
  const ContentSource& source() const override { return *parts_.source; }
  std::optional<DirectoryReport> directory_report() const override { return parts_.directory; }
  std::optional<RealDataReport> real_data_report() const override { return parts_.real; }
  std::optional<UnitReport> unit_report() const override { return parts_.unit; }

  Bytes repeated_in_objects() const override {
    if (!parts_.blocks) return {};
    const auto copies = static_cast<std::int64_t>(parts_.blocks->blocks() - parts_.blocks->distinct());
    return {copies * spec_.unit.bytes.count};
  }

  std::vector<UnitPart> unit_parts(std::uint64_t number) const override {
    std::vector<UnitPart> parts;
    if (!parts_.blocks) return parts;
    const auto size = static_cast<std::uint64_t>(spec_.unit.bytes.count);
    for (std::uint64_t place = 0; place < parts_.blocks->in_object(); ++place)
      parts.push_back({.begin = parts_.blocks->begin_of(number) + place * size,
                       .size = size,
                       .identity = parts_.blocks->block_at(number, place)});
    return parts;
  }

  ObjectFacts facts(std::uint64_t number) const override {
    LAB_CHECK(number < contents_.size(), "the number of an object is below the number of objects");
    const std::uint64_t content = contents_[number];
    const std::uint64_t first = firsts_[content];
    ObjectFacts facts{.number = number, .id = id_of(spec_.dataset_seed, number), .content = content};
    if (!containers_.empty()) facts.container = containers_[number];
    if (first != number) facts.copy_of = first;
    return facts;
  }

  Result<std::uint64_t> spare_content(std::uint64_t index) const override {
    const std::uint64_t spares = parts_.source->contents_max() - spec_.objects;
    if (index < spares) return spec_.objects + index;
    return bad(fmt::format("{} objects of {} leave {} contents to spare, {} are needed", spec_.objects,
                           spec_.payload, spares, index + 1));
  }

 private:
  /// The m-th occurrence of content k lies in container (h(k) + m) mod n.
  void place() {
    const std::uint64_t seed = derive_seed(spec_.dataset_seed, Purpose::kContainer);
    std::vector<std::uint32_t> next(parts_.distinct);
    for (std::uint64_t content = 0; content < parts_.distinct; ++content)
      next[content] = static_cast<std::uint32_t>(Random(derive_seed(seed, content)).below(spec_.containers));
    containers_.reserve(contents_.size());
    for (const Index content : contents_) {
      containers_.push_back(next[content]);
      next[content] = next[content] + 1 == spec_.containers ? 0 : next[content] + 1;
    }
  }

  DatasetSpec spec_;
  Parts parts_;
  std::vector<Index> contents_;              // By number.
  std::vector<Index> firsts_;                // By content: the number of its original.
  std::vector<std::uint32_t> containers_{};  // By number; empty where there is one.
};

// --- Checks ---

Status check_kind(std::string_view payload) {
  if (payload.starts_with(kDirectoryPrefix)) {
    if (payload.size() > kDirectoryPrefix.size()) return ok();
    return bad("'directory:' needs a path: directory:<path>");
  }
  if (is_made(payload)) {
    const auto mix = made_mix(payload);
    return mix ? ok() : Status(mix.error());
  }
  if (find_real_kind(payload) != nullptr) return ok();
  std::vector<std::string> names{std::string(kDirectoryPrefix)};
  for (const PayloadKind& kind : payload_kinds()) {
    if (!kind.name.starts_with(kDirectoryPrefix)) names.push_back(kind.name);
  }
  // A slip in "directory:/path" is to be seen without the path.
  const std::size_t colon = payload.find(':');
  const std::string_view word = colon == std::string_view::npos ? payload : payload.substr(0, colon + 1);
  return bad(fmt::format("'{}' is not a payload kind{}", payload, suggestion(word, names)));
}

Status check_largest(const SizeLaw& law) {
  constexpr std::int64_t kLargestObject = 1LL << 40;
  const bool uniform = law.kind == SizeLaw::Kind::kUniform;
  if (law.low.count < 1 || law.low.count > kLargestObject || (uniform && law.high.count > kLargestObject))
    return bad(fmt::format("object size {}: an object has 1 byte to 1 TiB", to_string(law)));
  return ok();
}

Status check_size_law(const DatasetSpec& spec, const MadeMix& mix) {
  const SizeLaw& law = spec.object_size;
  const bool lognormal = law.kind == SizeLaw::Kind::kLognormal;
  const bool uniform = law.kind == SizeLaw::Kind::kUniform;
  LAB_TRY(check_largest(law));
  if (uniform && law.high < law.low)
    return bad(fmt::format("object size {}: the largest size is below the smallest", to_string(law)));
  if (lognormal && !(law.sigma > 0 && law.sigma <= 100))
    return bad(fmt::format("object size {}: sigma is a number above 0", to_string(law)));
  // The lower cut of a lognormal law must not depend on the number of objects, so it allows for any number.
  const Bytes smallest = lognormal ? smallest_any_size(mix) : smallest_size(mix, spec.objects);
  if (law.low < smallest)
    return bad(fmt::format("object size {} is too small for {} distinct objects of {}: at least {}",
                           to_string(law), spec.objects, mix.payload, format_bytes_exact(smallest)));
  return ok();
}

Status check_spec(const DatasetSpec& spec) {
  LAB_TRY(check_kind(spec.payload));
  if (!spec.object_size.sets_size() && spec.payload.starts_with(kDirectoryPrefix))
    return bad(fmt::format("object size {}: a directory has no records, which {} have",
                           to_string(spec.object_size), kinds_of_records()));
  if (!spec.object_size.sets_size() && is_made(spec.payload))
    return bad(
        fmt::format("object size {}: of real data, whose records are as large as they are; {} is made "
                    "in the size that is asked",
                    to_string(spec.object_size), spec.payload));
  if (spec.compressible && !is_made(spec.payload))
    return bad("compressible: real files compress as they do; random_binary can be asked for a share");
  if (spec.objects == 0) return bad("objects: at least 1");
  if (spec.grade < 0 || spec.grade > 99) return bad(fmt::format("grade U{}: U0 to U99", spec.grade));
  const double exponent = spec.popularity.zipf_exponent;
  if (!(exponent == 0 || (exponent >= 0.01 && exponent <= 10)))
    return bad(fmt::format("popularity zipf:{}: 0.01 to 10", exponent));
  if (spec.containers == 0) return bad("containers: at least 1");
  if (spec.compressible && (*spec.compressible < 200 || *spec.compressible > 990))
    return bad(fmt::format("compressible {} thousandths: 200 to 990", *spec.compressible));
  if (spec.containers > 1 && spec.placement == Placement::kWithin)
    return bad(fmt::format("placement 'within' has 1 container, not {}", spec.containers));
  return ok();
}

std::shared_ptr<const Dataset> planned(const DatasetSpec& spec, Parts parts) {
  if (spec.objects <= std::numeric_limits<std::uint32_t>::max())
    return std::make_shared<const PlannedDataset<std::uint32_t>>(spec, std::move(parts));
  return std::make_shared<const PlannedDataset<std::uint64_t>>(spec, std::move(parts));
}

/// Of the objects of a made kind.
Result<Bytes> smallest_made(const DatasetSpec& spec) {
  const auto mix = made_mix(spec);
  if (!mix) return mix.error();
  return size_range(spec.object_size, smallest_any_size(*mix)).smallest;
}

/// What cannot repeat in such data.
Status check_unit(const DatasetSpec& spec) {
  const DuplicateUnit& unit = spec.unit;
  if (unit.kind == DuplicateUnit::Kind::kObject) return ok();
  if (unit.kind == DuplicateUnit::Kind::kBlock) {
    if (spec.payload != "random_binary" || spec.compressible || spec.object_size.varies())
      return bad(fmt::format("duplicate unit {}: of random_binary of one size, without a compressed share",
                             to_string(unit)));
    if (spec.popularity != Popularity{} || spec.order != Order::kShuffled)
      return bad(
          fmt::format("duplicate unit {}: its copies have no popularity and no order", to_string(unit)));
    const auto blocks = BlockPlan::of(spec, unit);
    return blocks ? ok() : Status(blocks.error());
  }
  if (!is_made(spec.payload))
    return bad(fmt::format("duplicate unit {}: of data that is made here", to_string(unit)));
  const auto smallest = smallest_made(spec);
  return smallest ? check_near(spec.objects, unit, *smallest) : Status(smallest.error());
}

/// The parts of a dataset in which something else than whole objects repeats: blocks in place of the source's
/// objects, or its objects with changes. Precondition: check_unit.
Result<Parts> with_unit(const DatasetSpec& spec, Parts parts) {
  const DuplicateUnit& unit = spec.unit;
  if (unit.kind == DuplicateUnit::Kind::kObject) return parts;
  if (unit.kind == DuplicateUnit::Kind::kBlock) {
    const auto blocks = BlockPlan::of(spec, unit);
    if (!blocks) return blocks.error();
    parts.source = make_block_source(*blocks, spec, unit);
    parts.unit = UnitReport{.unit = unit, .met = blocks->blocks(), .distinct = blocks->distinct()};
    parts.blocks = *blocks;
  } else {
    const auto smallest = smallest_made(spec);
    if (!smallest) return smallest.error();
    auto near = make_near_source(std::move(parts.source), copy_plan(spec, parts.distinct, parts.weights),
                                 unit, *smallest);
    if (!near) return std::move(near).error();
    parts.source = std::move(*near);
    parts.unit = UnitReport{.unit = unit, .met = spec.objects, .distinct = parts.distinct};
  }
  parts.distinct = spec.objects;
  return parts;
}

/// Counts of a file have to reach as far as the originals.
Status check_reach(const DatasetSpec& spec, std::span<const std::uint64_t> counts) {
  const std::uint64_t distinct = distinct_objects(spec.objects, spec.grade);
  if (counts.size() < distinct)
    return bad(fmt::format("popularity {}: {} counts for {} originals", to_string(spec.popularity),
                           counts.size(), distinct));
  if (std::ranges::all_of(counts.first(distinct), [](std::uint64_t count) { return count == 0; }))
    return bad(fmt::format("popularity: the first {} counts are all 0", distinct));
  return ok();
}

/// Of the popularity's file, if there is one. It has to be the one that the specification was made with.
Result<std::vector<std::uint64_t>> counts_of(const DatasetSpec& spec) {
  const Popularity& popularity = spec.popularity;
  if (popularity.counts_file.empty()) return std::vector<std::uint64_t>{};
  auto read = load_counts(popularity.counts_file);
  if (!read) return std::move(read).error();
  if (!popularity.counts_sha256.empty() && read->sha256 != popularity.counts_sha256)
    return Error{ErrorCode::kCorruption, "popularity",
                 fmt::format("{} has changed since the plan was read: its SHA-256 is {}, not {}",
                             popularity.counts_file, read->sha256, popularity.counts_sha256)};
  LAB_TRY(check_reach(spec, read->counts));
  return std::move(read->counts);
}

/// The scanned directory, if it has as many distinct files as asked.
Result<std::shared_ptr<const DirectoryPool>> pool_of(const DatasetSpec& spec) {
  auto pool = scan_directory(spec.payload.substr(kDirectoryPrefix.size()));
  if (!pool) return pool;
  const DirectoryReport& report = (*pool)->report;
  if (spec.objects > report.distinct)
    return bad(fmt::format("{} objects asked, {} has {} distinct files ({} files, {} of them duplicates)",
                           spec.objects, report.path, report.distinct, report.files, report.duplicates));
  return pool;
}

/// How a kind of real data is cut: the size of its slices, nothing for whole records.
Result<std::optional<Bytes>> slice_size_of(const RealKind& kind, const SizeLaw& law) {
  if (!law.sets_size()) {
    if (kind.records != nullptr) return std::optional<Bytes>{};
    return bad(fmt::format("object size {}: {} has no records, which {} have", to_string(law), kind.name,
                           kinds_of_records()));
  }
  if (law.varies())
    return bad(fmt::format("object size {}: {} is cut into slices of one size", to_string(law), kind.name));
  LAB_TRY(check_largest(law));
  return std::optional(law.low);
}

/// The slices or records of a kind of local real data, if there are as many different ones as asked.
Result<std::shared_ptr<const RealPool>> real_pool_of(const RealKind& kind, const DatasetSpec& spec,
                                                     const DatasetInputs& inputs) {
  if (inputs.real_world_dir.empty())
    return bad(
        fmt::format("{0} is real data: real_world_dir in a plan, or --real-world-dir, names the folder "
                    "that has {0}",
                    kind.name));
  const auto slice_size = slice_size_of(kind, spec.object_size);
  if (!slice_size) return slice_size.error();
  auto pool = read_real_data(kind, inputs.real_world_dir, *slice_size);
  if (!pool && pool.error().code == ErrorCode::kNotFound && kind.downloaded) {
    Error error = std::move(pool).error();
    error.detail += fmt::format("; 'deduplab download --list FILE --into {}' fetches what a list names",
                                inputs.real_world_dir);
    return error;
  }
  if (!pool) return pool;
  const RealDataReport& report = (*pool)->report;
  const std::string_view pieces = *slice_size ? "slices" : "records";
  if (spec.objects > report.pieces)
    return bad(fmt::format(
        "{} objects asked, {} has {} different {}{} ({} files, {} bytes, {} equal {} skipped)", spec.objects,
        report.place, report.pieces, pieces, *slice_size ? " of " + format_bytes_exact(**slice_size) : "",
        report.files, report.bytes.count, report.equal_pieces, pieces));
  return pool;
}

/// The contents of a kind, with what was found of them.
Result<Parts> source_of(const DatasetSpec& spec, const DatasetInputs& inputs) {
  Parts parts;
  if (spec.payload.starts_with(kDirectoryPrefix)) {
    const auto pool = pool_of(spec);
    if (!pool) return pool.error();
    parts.source = make_directory_source(*pool, spec.dataset_seed);
    parts.directory = (*pool)->report;
  } else if (const RealKind* const kind = find_real_kind(spec.payload); kind != nullptr) {
    const auto pool = real_pool_of(*kind, spec, inputs);
    if (!pool) return pool.error();
    parts.source = make_real_source(*kind, *pool, spec.dataset_seed);
    parts.real = (*pool)->report;
  } else {
    auto mix = made_mix(spec);
    if (!mix) return mix.error();
    LAB_TRY(check_size_law(spec, *mix));
    parts.source = make_made_source(std::move(*mix), spec);
  }
  return parts;
}

}  // namespace

Result<std::shared_ptr<const Dataset>> Dataset::make(const DatasetSpec& spec,
                                                     const DatasetInputs& inputs) try {
  LAB_TRY(check_spec(spec));
  auto counts = counts_of(spec);
  if (!counts) return std::move(counts).error();
  auto source = source_of(spec, inputs);
  if (!source) return std::move(source).error();
  LAB_TRY(check_unit(spec));
  source->distinct = distinct_objects(spec.objects, spec.grade);
  source->weights = std::move(*counts);
  auto parts = with_unit(spec, std::move(*source));
  if (!parts) return std::move(parts).error();
  return planned(spec, std::move(*parts));
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kResourceExhausted, "payload",
               fmt::format("no memory for {} objects", spec.objects)};
} catch (const std::length_error&) {
  return Error{ErrorCode::kResourceExhausted, "payload",
               fmt::format("no memory for {} objects", spec.objects)};
}

Status Dataset::check(const DatasetSpec& spec, const DatasetInputs& inputs) {
  LAB_TRY(check_spec(spec));
  if (const auto counts = counts_of(spec); !counts) return counts.error();
  if (is_made(spec.payload)) {
    const auto mix = made_mix(spec);
    if (!mix) return mix.error();
    LAB_TRY(check_size_law(spec, *mix));
    return check_unit(spec);
  }
  LAB_TRY(check_unit(spec));
  if (const RealKind* const kind = find_real_kind(spec.payload); kind != nullptr) {
    const auto pool = real_pool_of(*kind, spec, inputs);
    return pool ? ok() : Status(pool.error());
  }
  const auto pool = pool_of(spec);
  if (!pool) return pool.error();
  return ok();
}

const std::vector<PayloadKind>& payload_kinds() {
  static const std::vector<PayloadKind> kinds = [] {
    std::vector<PayloadKind> all;
    for (const MadeKind& kind : made_kinds())
      all.push_back({std::string(kind.name), std::string(kind.what), true});
    all.push_back({"mixed", "five made kinds equally, or mixed:<kind>=<share>+<kind>=<share>...", true});
    all.push_back({"directory:<path>", "the distinct files of a local directory, as they are", true});
    for (const RealKind& kind : real_kinds())
      all.push_back({std::string(kind.name), std::string(kind.what), true, kind.records != nullptr});
    return all;
  }();
  return kinds;
}

Result<std::optional<Bytes>> smallest_object_size(std::string_view payload, std::uint64_t objects) {
  LAB_TRY(check_kind(payload));
  if (!is_made(payload)) return std::optional<Bytes>{};
  const auto mix = made_mix(payload);
  if (!mix) return mix.error();
  return std::optional(smallest_size(*mix, objects));
}

}  // namespace lab
