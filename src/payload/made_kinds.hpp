// The payload kinds that are made here: each turns a content's key and size into its bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"
#include "payload/content_stream.hpp"

namespace lab {

/// Format v2 of all kinds: the bytes that these functions make are guarded by hashes in the tests, and a
/// change of one of them is a new format. Precondition of all: size >= the kind's smallest; `out` is resized
/// to `size`.

/// Incompressible bytes. From 8 bytes on any number of contents; below, 256^size contents. No two aligned
/// blocks of 16 bytes of one seed are equal.
void make_random_binary(ContentKey key, std::size_t size, std::vector<std::byte>& out);

/// Like random_binary with zeros at the end of every 512 bytes, as many that zstd at level 3 leaves
/// `thousandths` of the size, within 2 %. Precondition: 200 to 990 thousandths, size >=
/// kSmallestCompressible.
void make_compressible_binary(ContentKey key, std::size_t size, int thousandths, std::vector<std::byte>& out);

/// One JSON object in canonical form: keys sorted at every level, no white space, UTF-8, no escapes.
void make_structured_json(ContentKey key, std::size_t size, std::vector<std::byte>& out);

/// A title with the serial, then sentences and paragraphs; UTF-8, ends with a newline.
void make_text_document(ContentKey key, std::size_t size, std::vector<std::byte>& out);

/// Rows "<UUID version 4>,<shard of two digits>".
void make_uuid_keys(ContentKey key, std::size_t size, std::vector<std::byte>& out);

/// One JSON object in the text form of PostgreSQL's jsonb: shorter keys first, then bytewise, ", " and ": ".
void make_jsonb_documents(ContentKey key, std::size_t size, std::vector<std::byte>& out);

/// Rows "<milliseconds>,<device>,<temperature>,<meter>" of one device, in equal steps of time.
void make_time_series(ContentKey key, std::size_t size, std::vector<std::byte>& out);

/// Rows "<id>,<time>,<payer>,<payee>,<amount>,<currency>,<purpose>,<balance in cents>".
void make_synthetic_transactions(ContentKey key, std::size_t size, std::vector<std::byte>& out);

inline constexpr Bytes kSmallestAnyBinary{8};
inline constexpr Bytes kSmallestCompressible{2'048};  // Of less the head of a compressed object is too much.
inline constexpr Bytes kSmallestJson{46};             // {"id":"<16 hexadecimal digits>","items":[],"note":""}
inline constexpr Bytes kSmallestText{27};             // "Document <16 hexadecimal digits>" and ".\n"
inline constexpr Bytes kSmallestUuidKeys{40};
inline constexpr Bytes kSmallestJsonb{50};          // {"id": "<16 digits>", "docs": [], "note": ""}
inline constexpr Bytes kSmallestTimeSeries{48};     // The longest first row.
inline constexpr Bytes kSmallestTransactions{134};  // The longest row.

struct MadeKind {
  std::string_view name{};
  std::string_view what{};
  std::string_view mime{};
  Purpose purpose{};
  Bytes smallest_any{};  // From this size on there are more contents than anybody can ask for.
  void (*make)(ContentKey, std::size_t, std::vector<std::byte>&) = nullptr;
};

std::span<const MadeKind> made_kinds();
std::vector<std::string> made_kind_names();

/// Nothing if `name` is not a kind that is made here.
const MadeKind* find_made_kind(std::string_view name);

/// Smallest size from which `objects` distinct contents can be made, at least 1.
Bytes smallest_made_size(const MadeKind& kind, std::uint64_t objects);

/// How many distinct contents there are when none is smaller than `smallest`.
std::uint64_t made_contents_max(const MadeKind& kind, Bytes smallest);

}  // namespace lab
