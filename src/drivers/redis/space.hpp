// Our namespace on a Redis server: keys below one prefix, the marker, the lock, the settings we changed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/lab_lock.hpp"
#include "driver/placed_id.hpp"
#include "drivers/redis/server.hpp"

namespace lab::redis {

/// NAME:<container>:<16 bytes of the id> for an object, NAME:<container>:stream for a stream;
/// NAME:marker, NAME:lock, NAME:beat beside them.
struct KeySpace {
  std::string name{};  // Of a-z 0-9 - _ only, so that it means itself in a pattern.

  std::string prefix() const { return name + ":"; }
  std::string pattern() const { return name + ":*"; }
  std::string marker() const { return name + ":marker"; }
  std::string lock() const { return name + ":lock"; }
  std::string beat() const { return name + ":beat"; }
  std::string object(std::uint32_t container, const ObjectId& id) const;
  std::string stream(std::uint32_t container) const;
  /// An object or a stream, by its exact name: no other key below the prefix is ever deleted.
  bool holds_data(std::string_view key) const;
  bool is_foreign(std::string_view key) const;  // Below the prefix, and no name that we give.
  /// Nothing for a key that is no object's.
  std::optional<PlacedId> object_of(std::string_view key) const;
};

/// All keys of the database that match, page after page. SCAN may give a key twice.
Status scan(Link& link, const CallContext& call, const char* operation, const std::string& pattern,
            const std::function<Status(const std::vector<std::string>& keys)>& page);

/// That nobody else's keys lie below our prefix: they would change what memory and files are measured to be.
/// Errors: kRefused, which names one.
Status check_no_foreign(Link& link, const CallContext& call, const char* operation, const KeySpace& space);

/// UNLINKs our objects and streams. Errors: those of check_no_foreign, before anything is deleted.
Status wipe(Link& link, const CallContext& call, const char* operation, const KeySpace& space);

enum class Ownership : std::uint8_t { kNothing, kOurs, kOthers };

/// Whose the space is: kOthers where there are keys and no marker of ours. Writes nothing.
Result<Ownership> ownership(Link& link, const CallContext& call, const char* operation,
                            const KeySpace& space);
/// The refusal of a space that is not ours.
Error not_ours(const KeySpace& space, const char* operation);

/// Writes the marker where nothing is. Errors: kRefused, also for keys of others beside our marker.
Status claim(Link& link, const CallContext& call, const char* operation, const KeySpace& space);

/// Marker there and lock held by `run_id`. Errors: kRefused, kInUse.
Status check_held(Link& link, const CallContext& call, const char* operation, const KeySpace& space,
                  const std::string& run_id);

/// The lock, a key of its own; heartbeats by the server's clock. They are kept out of the append-only file,
/// where they would look like growth.
std::unique_ptr<LockStore> make_lock_store(const Address& address, const KeySpace& space);

/// Deletes lock and marker, the marker last, if no run holds the lock. Errors: kInUse.
Status remove_marker(Link& link, const CallContext& call, const char* operation, const KeySpace& space);

/// What the marker remembers of the server's settings before ours, and what files we made it write.
struct Remembered {
  Settings settings{};
  std::string server_run{};  // A server that was restarted since has its own settings again.
  bool wrote_aof = false;
  bool wrote_rdb = false;
};
Result<Remembered> remembered(Link& link, const CallContext& call, const char* operation,
                              const KeySpace& space);

/// Sets back what an earlier session left, notes the present values in the marker and in `before`, then sets
/// `wanted`.
Status apply_settings(Link& link, const CallContext& call, const char* operation, const KeySpace& space,
                      const Settings& wanted, Settings& before);

/// Sets all of them in one go and then forgets them in the marker. What was sent is set even where the
/// answers come too late; an append-only file that is switched on may still be in the making.
Status send_back(Link& link, const CallContext& call, const char* operation, const KeySpace& space,
                 const Settings& before);

/// Sets back what the marker remembers and forgets it. An append-only file that is switched on again is
/// complete when it returns.
Status restore_settings(Link& link, const CallContext& call, const char* operation, const KeySpace& space);

}  // namespace lab::redis
