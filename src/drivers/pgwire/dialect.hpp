// What differs between the systems of this protocol, as far as namespace and table are concerned.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/pgwire/connection.hpp"

namespace lab::pgwire {

inline constexpr const char* kTable = "files";
inline constexpr const char* kMarkerTable = "deduplab_marker";

/// A container (schema, database) that bears one of the names of the lab's namespace.
struct FoundContainer {
  std::string name{};
  std::uint32_t number = 0;  // 0: the namespace itself.
  bool marked = false;       // It holds our marker's table.
  bool has_table = false;
  std::int64_t others = 0;  // Tables, views and the like in it that are not ours.
};

/// Stateless; SQL as text, every name quoted.
class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual const char* system() const = 0;       // "postgresql"
  virtual const char* container() const = 0;    // What a container is: "schema", "database".
  virtual bool ddl_in_transaction() const = 0;  // CREATE and DROP are undone by ROLLBACK.

  /// What stands before a table's name, its dot included.
  virtual std::string prefix(const std::string& container) const = 0;
  /// The namespace `name` and its containers `name`_1, ..., in any order.
  virtual Result<std::vector<FoundContainer>> find(Connection& connection, const CallContext& call,
                                                   const char* operation, const std::string& name) const = 0;
  virtual std::string create_container(const std::string& container) const = 0;
  /// Fails where anything is left in it.
  virtual std::string drop_container(const std::string& container) const = 0;
  virtual std::vector<std::string> create_table(const std::string& container) const = 0;

  std::string table(const std::string& container) const { return prefix(container) + kTable; }
  std::string marker(const std::string& container) const { return prefix(container) + kMarkerTable; }
};

/// The container's number, when `name` is the namespace `base` (0) or `base`_<number> as we write it.
std::optional<std::uint32_t> container_number(const std::string& base, const std::string& name);

}  // namespace lab::pgwire
