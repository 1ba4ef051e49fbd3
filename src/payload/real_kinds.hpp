// The kinds of local and of downloaded real data, and what their files become: one stream of bytes a kind.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payload/csv_reader.hpp"
#include "payload/source_files.hpp"

namespace lab {

struct RealKind {
  std::string_view name{};
  std::string_view what{};
  std::string_view mime{};
  std::span<const std::string_view> endings{};  // Of the files that are read: "csv".
  /// Reads one file and gives its part of the stream. What is written on docs/payloads.md of it is format v2.
  Status (*convert)(const SourceFile& file, const TextSink& sink) = nullptr;
  bool downloaded = false;  // Made for what `deduplab download` fetches.
  /// Reads one file and gives its whole records, each by one call, in the form that docs/payloads.md says.
  /// Null for a kind that has none.
  Status (*records)(const SourceFile& file, const TextSink& sink) = nullptr;
  std::string_view record_mime{};
};

std::span<const RealKind> real_kinds();

/// Whether a file with this content name is read.
bool is_read(const RealKind& kind, std::string_view content);

/// The kinds that have whole records, for messages: "a, b, c".
std::string kinds_of_records();

/// Nothing if `name` is not a kind of local real data.
const RealKind* find_real_kind(std::string_view name);

}  // namespace lab
