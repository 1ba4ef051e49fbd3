// The table of the kinds that are made here, and how many contents a size can tell apart.
// SPDX-License-Identifier: Apache-2.0
#include "payload/made_kinds.hpp"

#include <algorithm>
#include <array>

namespace lab {
namespace {

constexpr std::uint64_t kContentsMax = 1ULL << 62U;  // Keeps sums of contents within 63 bits.

constexpr std::array<MadeKind, 7> kMadeKinds = {{
    {"random_binary", "incompressible bytes", "application/octet-stream", Purpose::kBinary,
     kSmallestAnyBinary, &make_random_binary},
    {"structured_json", "one canonical JSON object of order records", "application/json", Purpose::kJson,
     kSmallestJson, &make_structured_json},
    {"text_document", "English-looking prose in UTF-8", "text/plain; charset=utf-8", Purpose::kText,
     kSmallestText, &make_text_document},
    {"uuid_keys", "rows of UUID keys", "text/csv", Purpose::kUuidKeys, kSmallestUuidKeys, &make_uuid_keys},
    {"jsonb_documents", "one JSON object of events, as PostgreSQL prints jsonb", "application/json",
     Purpose::kJsonb, kSmallestJsonb, &make_jsonb_documents},
    {"time_series", "rows of one device's readings over time", "text/csv", Purpose::kTimeSeries,
     kSmallestTimeSeries, &make_time_series},
    {"synthetic_transactions", "rows of made payments", "text/csv; charset=utf-8", Purpose::kTransactions,
     kSmallestTransactions, &make_synthetic_transactions},
}};

}  // namespace

std::span<const MadeKind> made_kinds() { return kMadeKinds; }

std::vector<std::string> made_kind_names() {
  std::vector<std::string> names;
  for (const MadeKind& kind : kMadeKinds) names.emplace_back(kind.name);
  return names;
}

const MadeKind* find_made_kind(std::string_view name) {
  const auto found = std::ranges::find(kMadeKinds, name, &MadeKind::name);
  return found == kMadeKinds.end() ? nullptr : &*found;
}

Bytes smallest_made_size(const MadeKind& kind, std::uint64_t objects) {
  // Only noise can be cut short of its serial: n bytes tell 256^n contents apart.
  if (kind.purpose != Purpose::kBinary) return kind.smallest_any;
  Bytes size{1};
  while (size < kind.smallest_any && objects > made_contents_max(kind, size)) size += Bytes{1};
  return size;
}

std::uint64_t made_contents_max(const MadeKind& kind, Bytes smallest) {
  if (smallest >= kind.smallest_any) return kContentsMax;
  return 1ULL << (8U * static_cast<unsigned>(smallest.count));
}

}  // namespace lab
