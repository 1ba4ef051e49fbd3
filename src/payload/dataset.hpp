// The dataset: every object of a specification, reproducible by its number, in constant memory a byte.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "model/dataset.hpp"

namespace lab {

/// What a content is a changed copy of.
struct NearCopy {
  std::uint64_t original = 0;  // The same number for all copies of it, and for itself.
  Bytes shared{};              // Its bytes that were not changed: all of an original.
};

/// Makes the distinct contents of one payload kind: content k of a dataset seed. Contents of different k are
/// different, by construction and not by chance. Thread-safe: const and without shared state.
class ContentSource {
 public:
  virtual ~ContentSource() = default;
  virtual std::uint64_t contents_max() const = 0;  // How many contents there are; large for made kinds.
  virtual Result<Bytes> size_of(std::uint64_t content) const = 0;
  virtual std::string_view mime_of(std::uint64_t content) const = 0;
  /// Fills `out` with content k, resized to its exact size. Errors: kCorruption when a real file changed
  /// since it was scanned, kResourceExhausted when the object does not fit into memory.
  virtual Status fill(std::uint64_t content, std::vector<std::byte>& out) const = 0;
  /// Of a changed copy and of its original; nothing of other contents.
  virtual std::optional<NearCopy> near_copy(std::uint64_t /*content*/) const { return std::nullopt; }
};

/// What a directory payload found: what it uses, and what it left out and why.
struct DirectoryReport {
  std::string path{};          // Canonical.
  std::uint64_t files = 0;     // Regular files, empty ones too.
  Bytes bytes{};               // Of all of them.
  std::uint64_t distinct = 0;  // Different contents: the pool of originals.
  Bytes distinct_bytes{};
  std::uint64_t duplicates = 0;  // Files, hard links too, whose content an earlier file has: not used twice.
  std::uint64_t symlinks = 0;    // Left out, not followed.
  std::uint64_t specials = 0;    // Sockets, pipes, devices: left out.
  std::vector<std::string> duplicate_names{};  // The first few of each, relative to `path`, in path order.
  std::vector<std::string> symlink_names{};
  std::vector<std::string> special_names{};
};

/// What of a kind of local real data was found, and what of it is not used. Its pieces are slices of one
/// size, or whole records.
struct RealDataReport {
  std::string place{};         // real_world_dir/<kind>, canonical.
  std::uint64_t files = 0;     // That were read, those in archives too.
  std::uint64_t left_out = 0;  // Of other types.
  std::uint64_t links = 0;     // Not followed.
  std::uint64_t specials = 0;  // Sockets, pipes, devices.
  Bytes bytes{};               // Of the kind's stream.
  bool records = false;
  std::uint64_t pieces = 0;        // Different ones: the pool of originals.
  std::uint64_t equal_pieces = 0;  // Equal to an earlier one: not used twice.
  Bytes left_over{};               // At the end of the stream: less than a slice.
  std::uint64_t empty = 0;         // Records without a byte: no objects.
};

/// What a dataset needs besides its specification. What it is in a plan's cell decides no bytes.
struct DatasetInputs {
  std::string real_world_dir{};  // Where real data lies; empty: there is none.
};

/// How much of what repeats in place of whole objects there is.
struct UnitReport {
  DuplicateUnit unit{};
  std::uint64_t met = 0;       // Blocks; of other units objects.
  std::uint64_t distinct = 0;  // Of these; of other units those that are no changed copy.
};

/// A stretch of an object that may stand in other objects too. Equal identities are equal bytes, different
/// ones are different bytes.
struct UnitPart {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t identity = 0;
};

/// What is known of an object without making its bytes.
struct ObjectFacts {
  std::uint64_t number = 0;
  ObjectId id{};
  std::uint32_t container = 0;
  std::uint64_t content = 0;               // Which content of the source.
  std::optional<std::uint64_t> copy_of{};  // Number of the first object with the same content.
};

/// The exact plan of a dataset: N objects of which distinct_objects(N, grade) are distinct. The originals, in
/// order, are contents 0, 1, 2, ...: the first `distinct` objects of U0. Const after making; thread-safe.
/// Memory: a few bytes an object, none a byte of payload.
class Dataset {
 public:
  /// Errors: kInvalidArgument (unknown kind, sizes too small for N distinct objects, less real data than
  /// asked, naming how much there is), kNotFound (directory, real data), kCorruption (broken archive or
  /// table, named), kRefused or kIo (a file that cannot be read, named), kResourceExhausted (memory). Real
  /// data is read once a process: what is made of the same path later uses the same reading.
  static Result<std::shared_ptr<const Dataset>> make(const DatasetSpec& spec,
                                                     const DatasetInputs& inputs = {});

  /// The errors that make would give, but for memory, without planning a single object.
  static Status check(const DatasetSpec& spec, const DatasetInputs& inputs = {});

  virtual ~Dataset() = default;
  virtual const DatasetSpec& spec() const = 0;
  virtual std::uint64_t objects() const = 0;
  virtual std::uint64_t distinct() const = 0;
  virtual ObjectFacts facts(std::uint64_t number) const = 0;
  virtual const ContentSource& source() const = 0;

  /// A content that no object of the dataset has, the `index`-th: for the update stage. Errors:
  /// kInvalidArgument where the source has no more. Spare contents are the ones that U0 of the same
  /// specification does not reach, so they are equal across grades.
  virtual Result<std::uint64_t> spare_content(std::uint64_t index) const = 0;

  /// For directory payloads only.
  virtual std::optional<DirectoryReport> directory_report() const { return std::nullopt; }

  /// For kinds of local real data only.
  virtual std::optional<RealDataReport> real_data_report() const { return std::nullopt; }

  /// Where something else than whole objects repeats. All objects are then different: distinct() counts them
  /// all, and the specification's grade is that of the unit.
  virtual std::optional<UnitReport> unit_report() const { return std::nullopt; }

  /// The bytes that repeat inside of the objects, of all of them: L - U. 0 where whole objects repeat, and
  /// for changed copies, of which no stretch of a known length repeats.
  virtual Bytes repeated_in_objects() const { return {}; }

  /// The blocks of an object, which may repeat. None of other units.
  virtual std::vector<UnitPart> unit_parts(std::uint64_t /*number*/) const { return {}; }
};

struct PayloadKind {
  std::string name{};
  std::string what{};
  bool built_in = true;
  bool records = false;  // Its objects can be whole records.
};

/// Every payload kind by name, `directory:<path>` among them.
const std::vector<PayloadKind>& payload_kinds();

/// Smallest object size from which `objects` distinct contents of `payload` can be made; nothing for real
/// data. Errors: kInvalidArgument (unknown kind, with the nearest).
Result<std::optional<Bytes>> smallest_object_size(std::string_view payload, std::uint64_t objects);

}  // namespace lab
