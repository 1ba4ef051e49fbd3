// The data interface of a system under test, and what a system declares about itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "model/dataset.hpp"

namespace lab {

enum class Capability : std::uint8_t {
  kBatch,           // put_batch: the system's best bulk path for objects that are all at hand.
  kStream,          // put_stream: the best bulk path for as many as come.
  kGet,             // get by key.
  kEraseEach,       // erase of named objects, one or more.
  kDeleteLogical,   // All objects by the system's logical delete (DELETE without WHERE, a range tombstone).
  kDeleteTruncate,  // All objects by truncation.
  kDeleteDrop,      // All objects by dropping their container, which is made anew empty.
  kMaintenance,     // maintain().
  kReplace,         // A second put of an id replaces: what the update stage needs.
};

/// What a second put of an id does.
enum class SecondPut : std::uint8_t { kRefuse, kReplace, kAppend };

/// Whether the variant keeps every object, or one per key and from when on.
enum class Keeps : std::uint8_t { kAll, kOnePerKeyAtIngestion, kOnePerKeyAfterMaintenance };

enum class DeleteAll : std::uint8_t { kLogical, kTruncate, kDrop };
std::string_view to_string(DeleteAll how) noexcept;  // "delete_logical", "delete_truncate", "delete_drop"

struct DriverInfo {
  std::string system{};      // "sqlite"
  std::string variant{};     // "wal"
  std::string bulk_path{};   // "one transaction, prepared INSERT": what put_batch is, for the report.
  std::string durability{};  // What an acknowledgement of put means: "fsync of file and folder".
  std::set<Capability> capabilities{};
  SecondPut second_put = SecondPut::kRefuse;
  Keeps keeps = Keeps::kAll;        // The key is the content's SHA-256 unless a system's page says otherwise.
  bool maintenance_shrinks = true;  // False: what it frees is kept for use again, but for the end of a file.
  bool background_work = false;     // False: settled after two equal readings behind syncfs.
  std::int64_t object_size_max = 0;  // Largest payload it takes, 0 = no limit of its own.

  bool has(Capability capability) const { return capabilities.contains(capability); }
};

/// Called for each object read back; the payload is borrowed. An error ends the reading and is returned.
using ObjectSink =
    std::function<Status(const ObjectId&, std::uint32_t container, std::span<const std::byte> payload)>;

/// Hands out the objects of a load one by one, null after the last; each is borrowed until the next call. An
/// error of the source ends the load and is returned.
using ObjectSource = std::function<Result<const Object*>()>;

/// Objects that are at hand; borrowed for as long as the source is used.
ObjectSource source_of(std::span<const Object* const> objects);

/// What a maintenance did. `worked` is told from its own counter or from the files, not from bytes freed.
struct MaintenanceOutcome {
  std::string what{};  // "VACUUM", "CompactRange(bottommost=force)"
  bool worked = false;
};

/// One data connection to one system under test. Not thread-safe; but different connections of one Session
/// may be used by different threads. Live from its opening to its destruction. Drivers do not sleep, retry
/// or wait for quiet. Every call obeys its CallContext: kTimeout after the deadline and kCancelled within
/// 2 s of a stop request, whatever the system does.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual const DriverInfo& info() const noexcept = 0;

  // Required.

  /// A cheap round trip. Errors: kConnectionLost.
  virtual Status prove(const CallContext&) = 0;

  /// Makes the lab's own namespace anew and empty, schema included; touches nothing else. Refuses (kRefused)
  /// a namespace without the lab's marker.
  virtual Status reset(const CallContext&) = 0;

  /// Durable, as info().durability says, when it returns. Errors: kRefused for an id that is there when
  /// info().second_put is kRefuse.
  virtual Status put(const CallContext&, const Object&) = 0;

  /// Every object once, in any order. Reads the payloads from the system, never from a copy of ours.
  virtual Status read_all(const CallContext&, const ObjectSink&) = 0;

  /// Objects in the system now.
  virtual Result<std::uint64_t> count(const CallContext&) = 0;

  /// Makes all that was acknowledged durable and brings it to its place (checkpoint, memtable flush).
  virtual Status flush(const CallContext&) = 0;

  // Optional: kUnsupported unless info().capabilities declares it.

  /// All or nothing where the system can; durable when it returns. Payloads are borrowed.
  virtual Status put_batch(const CallContext&, std::span<const Object>);
  /// New ids, into one container, as one statement or one pipeline without a pause; durable when it returns.
  /// After an error anything between none and all of them may be there.
  virtual Status put_stream(const CallContext&, const ObjectSource&);
  /// Errors: kNotFound.
  virtual Result<std::string> get(const CallContext&, const ObjectKey&);
  /// Durable when it returns. An id that is not there is kNotFound.
  virtual Status erase(const CallContext&, std::span<const ObjectKey>);
  virtual Status erase_all(const CallContext&, DeleteAll);
  virtual Result<MaintenanceOutcome> maintain(const CallContext&);
};

/// The refusal of an operation that a driver does not declare.
Error unsupported(const DriverInfo& info, std::string_view operation);

}  // namespace lab
