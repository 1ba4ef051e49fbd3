// SPDX-License-Identifier: Apache-2.0
#include "stage/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/random.hpp"

namespace lab {
namespace {

constexpr std::uint64_t kSamplePurpose = 0x76657269667900ULL;

Error differs(std::string detail) { return {ErrorCode::kCorruption, "verify", std::move(detail)}; }

/// What one full read-back saw.
struct SeenAll {
  DigestSum keyed{};
  std::set<Digest> contents{};  // Filled only where the variant keeps one per key.
  DigestSum distinct{};         // Over `contents`.
};

Result<SeenAll> read_everything(const StageInput& input, const CallContext& call) {
  SeenAll seen;
  const bool want_contents = input.state.keeps_one_per_key();
  const Status read = input.driver.read_all(
      call, [&](const ObjectId& id, std::uint32_t container, std::span<const std::byte> payload) -> Status {
        const Digest digest = sha256(payload);
        seen.keyed.add(keyed_digest(id, container, digest));
        if (want_contents && seen.contents.insert(digest).second) seen.distinct.add(digest);
        return allowed(call, "verify");
      });
  if (!read) return read.error();
  return seen;
}

/// Which of equal objects is left is the system's choice, and it may go on removing between two questions:
/// every content is there, and there are no more objects than were counted before.
Status verify_contents(const StageInput& input, const SeenAll& seen, std::uint64_t& live) {
  const Expected& expected = input.state.expected();
  if (seen.keyed.count > live)
    return differs(fmt::format("count says {} objects, reading back gives {}", live, seen.keyed.count));
  if (seen.distinct != expected.contents)
    return differs(fmt::format("the {} distinct contents read back are not the {} that were acknowledged",
                               seen.contents.size(), expected.unique_objects));
  live = seen.keyed.count;
  return ok();
}

Status verify_full(const StageInput& input, const CallContext& call, std::uint64_t& live) {
  const auto seen = read_everything(input, call);
  if (!seen) return seen.error();
  if (input.state.keeps() == Keeps::kOnePerKeyAfterMaintenance) return verify_contents(input, *seen, live);
  if (seen->keyed.count != live)
    return differs(fmt::format("count says {} objects, reading back gives {}", live, seen->keyed.count));
  if (seen->keyed != input.state.expected().keyed)
    return differs(fmt::format("the {} objects read back are not the ones that were acknowledged", live));
  return ok();
}

Status verify_sample(const StageInput& input, const CallContext& call) {
  std::vector<std::uint64_t> numbers = input.state.held_numbers();
  Random random(derive_seed(input.state.dataset().spec().dataset_seed, kSamplePurpose));
  shuffle(std::span(numbers), random);
  numbers.resize(std::min<std::size_t>(numbers.size(), input.plan.stages.verify_sample));
  std::vector<std::byte> content;
  for (const std::uint64_t number : numbers) {
    const ObjectOrder order = input.state.order_of(number);
    const auto stored = input.driver.get(call, order.key);
    if (!stored) return stored.error();
    LAB_TRY(input.state.dataset().source().fill(order.content, content));
    if (as_text(content) != *stored)
      return differs(fmt::format("object {} was read back with other bytes", number));
  }
  return ok();
}

Status verify_empty(const StageInput& input, const CallContext& call) {
  return input.driver.read_all(
      call, [](const ObjectId& id, std::uint32_t, std::span<const std::byte>) -> Status {
        return differs("object " + format_uuid(id) + " can still be read after its deletion");
      });
}

/// The count that the system must have, or may have where copies wait for the next maintenance.
Status check_count(const StageInput& input, std::uint64_t live) {
  const Expected& expected = input.state.expected();
  const bool may_lag = input.state.keeps() == Keeps::kOnePerKeyAfterMaintenance && expected.objects > 0;
  if (live == expected.objects) return ok();
  if (may_lag && live >= expected.unique_objects && live < expected.objects) return ok();
  return differs(fmt::format("{} objects are in the system, {} should be", live, expected.objects));
}

}  // namespace

Result<Verification> verify(const StageInput& input, const CallContext& call) {
  const auto live = input.driver.count(call);
  if (!live) return live.error();
  LAB_TRY(check_count(input, *live));
  Verification result{.live = *live};
  const Expected& expected = input.state.expected();
  if (!input.state.live()) {
    LAB_TRY(verify_empty(input, call));
    result.how = "empty";
    return result;
  }
  const bool nameable =
      input.driver.info().has(Capability::kGet) &&
      input.state.keeps() != Keeps::kOnePerKeyAfterMaintenance;  // Else nobody knows which are left.
  if (expected.logical <= input.plan.stages.verify_full_up_to || !nameable) {
    LAB_TRY(verify_full(input, call, result.live));
    result.how = "full";
  } else {
    LAB_TRY(verify_sample(input, call));
    result.how = fmt::format("sample of {}", input.plan.stages.verify_sample);
  }
  if (input.state.keeps_one_per_key()) result.removed = input.state.dataset().objects() - result.live;
  return result;
}

}  // namespace lab
