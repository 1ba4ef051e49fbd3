// The lab's databases on the server: whose they are, the lock, making and removing them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "driver/lab_lock.hpp"
#include "drivers/mariadb/connection.hpp"
#include "drivers/mariadb/layout.hpp"

namespace lab::mariadb {

/// One database that bears the name of a container of ours.
struct Found {
  bool ours = false;     // Marked: by its comment, or by the marker table (in a database of others).
  bool created = false;  // By us: it bears our comment and may be dropped.
  std::map<std::string, std::string> tables{};  // Name -> comment; views too.
  std::string token{};                          // The random word of its marker; empty without one.

  bool has_marker() const { return tables.contains(kMarker); }
  bool has_files() const { return tables.contains(kTable); }
};

/// Databases by container number, from the server. Those that the user may not see are not among them.
Result<std::map<std::uint32_t, Found>> find_namespace(Use& use, const ServerNamespace& space);

/// Makes what is missing for `containers` and marks it. Errors: kRefused for a database without our mark,
/// before anything is made; kNotFound where one of others is to be used and is missing.
Status make_namespace(Use& use, const ServerNamespace& space, std::uint32_t containers);

/// Errors: kRefused without the marker, kInUse when the lock is not `run_id`'s.
Status check_held(Use& use, const ServerNamespace& space, const std::string& run_id);

/// Drops `files` everywhere, then the markers, then the databases that we made; tables of others and the
/// databases that hold them stay.
Status drop_namespace(Use& use, const ServerNamespace& space);

/// The row of the marker that says which run is at work. Opens its connection when it is needed, and anew
/// when that was lost: a heartbeat is no data.
std::unique_ptr<LockStore> lock_store(Server server, ServerNamespace space);

}  // namespace lab::mariadb
