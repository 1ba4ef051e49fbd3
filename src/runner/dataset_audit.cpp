// SPDX-License-Identifier: Apache-2.0
#include "runner/dataset_audit.hpp"

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/spill_file.hpp"
#include "payload/made_source.hpp"

namespace lab {
namespace {

constexpr std::uint64_t kObjectsMax = 64;
constexpr Bytes kBytesMax{16LL << 20};
constexpr Bytes kMemory{16LL << 20};

/// Of the units that repeat inside of objects: how many were met, of how many identities, with how many
/// different bytes.
class UnitCount {
 public:
  void add(const std::vector<UnitPart>& parts, std::span<const std::byte> payload) {
    for (const UnitPart& part : parts) {
      met_ += 1;
      asked_.insert(part.identity);
      made_.insert(sha256(payload.subspan(part.begin, part.size)));
    }
  }
  scan::AuditRow row(const DuplicateUnit& unit) const {
    return {.unit = to_string(unit), .met = met_, .asked = asked_.size(), .made = made_.size()};
  }
  bool any() const { return met_ > 0; }

 private:
  std::uint64_t met_ = 0;
  std::set<std::uint64_t> asked_{};
  std::set<Digest> made_{};
};

/// What of a sample has to be as asked: whole objects and units in any case, all blocks and chunks where data
/// is made and nothing else is asked to repeat.
bool must_hold(const DatasetSpec& spec, const scan::AuditRow& row) {
  if (row.unit == "object" || row.unit == to_string(spec.unit)) return true;
  return is_made(spec.payload) && spec.unit == DuplicateUnit{};
}

}  // namespace

std::string audit_key(const DatasetSpec& spec) {
  return fmt::format("{}/{}/{}/{}/{}/{}/{}/{}/{}/{}", spec.payload, spec.dataset_seed, spec.grade,
                     spec.objects, to_string(spec.object_size), to_string(spec.popularity),
                     to_string(spec.order),
                     spec.compressible ? compressible_name(*spec.compressible) : "as it is",
                     to_string(spec.unit), spec.popularity.counts_sha256);
}

std::vector<std::uint64_t> audit_sample(const Dataset& dataset) {
  const std::uint64_t objects = dataset.objects();
  std::set<std::uint64_t> numbers;
  Bytes bytes;
  const auto add = [&](std::uint64_t number) {
    if (!numbers.insert(number).second) return;
    // A size that is not known is an error when the object is made.
    if (const auto size = dataset.source().size_of(dataset.facts(number).content)) bytes += *size;
  };
  const std::uint64_t steps = std::min(objects, kObjectsMax);
  for (std::uint64_t step = 0; step < steps; ++step) {
    if (numbers.size() >= 2 && (numbers.size() >= kObjectsMax || bytes >= kBytesMax)) break;
    // From the last to the first: at the beginning of a stream there are few copies.
    const std::uint64_t number = objects - 1 - step * objects / steps;
    add(number);
    if (const auto original = dataset.facts(number).copy_of) add(*original);
  }
  return {numbers.begin(), numbers.end()};
}

Result<std::vector<scan::AuditRow>> audit_dataset(const Dataset& dataset, const CallContext& call) {
  auto audit = scan::make_audit({.memory = kMemory, .temporary = temporary_folder(), .stop = call.stop});
  if (!audit) return std::move(audit).error();
  std::set<std::uint64_t> seen;  // Contents.
  UnitCount units;
  std::vector<std::byte> payload;
  for (const std::uint64_t number : audit_sample(dataset)) {
    LAB_TRY(allowed(call, "run.audit"));
    const std::uint64_t content = dataset.facts(number).content;
    LAB_TRY(dataset.source().fill(content, payload));
    units.add(dataset.unit_parts(number), payload);
    LAB_TRY((*audit)->add(payload, sha256(payload), seen.insert(content).second));
  }
  auto rows = (*audit)->finish();
  if (!rows) return rows;
  if (units.any()) rows->push_back(units.row(dataset.spec().unit));
  for (const scan::AuditRow& row : *rows)
    if (!row.as_asked() && must_hold(dataset.spec(), row))
      return Error{ErrorCode::kCorruption, "run.audit",
                   fmt::format("{}: {} distinct asked, {} distinct made", row.unit, row.asked, row.made)};
  return rows;
}

}  // namespace lab
