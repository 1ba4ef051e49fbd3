// SPDX-License-Identifier: Apache-2.0
#include "payload/write_objects.hpp"

#include <iterator>

namespace lab {
namespace {

constexpr Bytes kBuffer{2 << 20};  // Objects made ahead. Small, so that memory is the same for every dataset.
constexpr Millis kProgressInterval{100};

/// A dataset that somebody else owns, in the producer's terms.
std::shared_ptr<const Dataset> borrowed(const Dataset& dataset) {
  return {std::shared_ptr<void>(), &dataset};
}

}  // namespace

Result<GenerateSummary> write_objects(const Dataset& dataset, const CallContext& call,
                                      const GenerateProgress& progress, const GenerateAudit* audit,
                                      const WriteObject& write) {
  const auto order_of = [&](std::uint64_t number) {
    const ObjectFacts facts = dataset.facts(number);
    return ObjectOrder{{facts.number, facts.id, facts.container}, facts.content};
  };
  Producer producer(borrowed(dataset), dataset.objects(), order_of, kBuffer);
  GenerateSummary summary;
  auto reported = Clock::now();
  while (true) {
    auto made = producer.next(call);
    if (!made) return std::move(made).error();
    if (!*made) break;
    MadeObject& object = **made;
    const ObjectFacts facts = dataset.facts(object.key.number);
    LAB_TRY(write(facts, object));
    if (audit != nullptr) LAB_TRY(audit->object(facts, object.payload, object.digest));
    summary.add(facts, Bytes{std::ssize(object.payload)});
    producer.recycle(std::move(object));
    if (progress && Clock::now() - reported >= kProgressInterval) {
      progress(summary.objects, summary.logical);
      reported = Clock::now();
    }
  }
  if (progress) progress(summary.objects, summary.logical);
  return summary;
}

}  // namespace lab
