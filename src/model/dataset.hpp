// What a dataset is: its exact description, and one object of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/hash.hpp"
#include "core/result.hpp"
#include "core/units.hpp"
#include "model/duplicate_unit.hpp"

namespace lab {

enum class Order : std::uint8_t { kShuffled, kAdjacent, kDistant, kAlternate };
enum class Placement : std::uint8_t { kWithin, kAcross };

std::string_view to_string(Order order) noexcept;
std::string_view to_string(Placement placement) noexcept;
Result<Order> parse_order(std::string_view text);
Result<Placement> parse_placement(std::string_view text);

/// "U90" -> 90. Errors: kInvalidArgument unless U and an integer from 0 to 99.
Result<int> parse_grade(std::string_view text);
std::string grade_name(int grade);

/// How large objects are: "128 KiB", "uniform:4 KiB:1 MiB" (both ends included), or
/// "lognormal:64 KiB:1.5" (median and sigma of the logarithm; cut to [median/1024, median*1024]);
/// sigma from 0.01 to 5, an object from 1 byte to 1 TiB. Or "record": an object is one whole record of real
/// data, as long as that is.
struct SizeLaw {
  enum class Kind : std::uint8_t { kFixed, kUniform, kLognormal, kRecord };
  Kind kind = Kind::kFixed;
  Bytes low{131'072};  // Fixed: the size. Uniform: the smallest. Lognormal: the median.
  Bytes high{0};       // Uniform: the largest.
  double sigma = 0;    // Lognormal.

  friend bool operator==(const SizeLaw&, const SizeLaw&) = default;
  bool varies() const noexcept { return kind != Kind::kFixed; }
  /// Whether it says how large objects are; a record alone knows its length.
  bool sets_size() const noexcept { return kind != Kind::kRecord; }
  /// Expected bytes of an object, rounded; what a plan's `totals` is divided by. Precondition: sets_size().
  Bytes mean() const;
};

/// Errors: kInvalidArgument, naming the four spellings.
Result<SizeLaw> parse_size_law(std::string_view text);
std::string to_string(const SizeLaw& law);  // Canonical; read back by parse_size_law.

/// How copies are shared out among the originals: "even", "zipf:<s>" with s from 0.01 to 10, or
/// "counts:<file>".
struct Popularity {
  double zipf_exponent = 0;     // 0 is even.
  std::string counts_file{};    // In place of the law: a count for each original, see model/counts_file.hpp.
  std::string counts_sha256{};  // Of that file, in hexadecimal; empty where it was not read yet.
  friend bool operator==(const Popularity&, const Popularity&) = default;
};
Result<Popularity> parse_popularity(std::string_view text);
std::string to_string(const Popularity& popularity);

/// What zstd at level 3 makes of each object alone, as a share of its size: "0.2" to "0.99", in thousandths.
/// Errors: kInvalidArgument.
Result<std::optional<int>> parse_compressible(std::string_view text);
std::string compressible_name(int thousandths);  // Canonical; read back by parse_compressible.

/// N - floor(N * grade / 100), in integers.
constexpr std::uint64_t distinct_objects(std::uint64_t objects, int grade) {
  const auto share = static_cast<std::uint64_t>(grade);
  return objects - (objects / 100 * share + objects % 100 * share / 100);
}

/// Everything that decides the bytes of a dataset. Equal specifications are equal bytes everywhere.
struct DatasetSpec {
  std::string payload{};  // "random_binary", "directory:/data/mail"
  std::uint64_t dataset_seed = 1;
  int grade = 0;
  std::uint64_t objects = 0;
  SizeLaw object_size{};  // Not used by directory payloads: their files are as they are.
  Popularity popularity{};
  Order order = Order::kShuffled;
  Placement placement = Placement::kWithin;
  std::uint32_t containers = 1;       // More than one only with Placement::kAcross.
  std::optional<int> compressible{};  // In thousandths; none: as the kind is.
  DuplicateUnit unit{};               // What the grade is a share of.

  friend bool operator==(const DatasetSpec&, const DatasetSpec&) = default;
};

/// First 8 bytes of SHA-256("v1/<seed>/<payload>/<repetition>"), big-endian; repetition counts from 1.
std::uint64_t dataset_seed_of(std::uint64_t seed, std::string_view payload, int repetition);

using ObjectId = std::array<std::byte, 16>;  // A valid UUID version 4, in network byte order.
std::string format_uuid(const ObjectId& id);

/// One object. Payload and MIME type are borrowed: valid only during the call.
struct Object {
  std::uint64_t number = 0;
  ObjectId id{};
  std::string_view mime{};
  std::uint32_t container = 0;
  std::span<const std::byte> payload{};
  Digest digest{};  // SHA-256 of the payload, made ahead by the producer.
};

/// Names an object that is already in the system.
struct ObjectKey {
  std::uint64_t number = 0;
  ObjectId id{};
  std::uint32_t container = 0;
};

}  // namespace lab
