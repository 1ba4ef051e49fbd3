// The lab's namespace on a server of this protocol: marker, lock row, containers, tables.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/lab_lock.hpp"
#include "driver/server_namespace.hpp"
#include "drivers/pgwire/dialect.hpp"

namespace lab::pgwire {

/// The marker is a table of ours in each container; in container 0 its one row is also the lock. Nothing that
/// lies in a container without it is ever changed.
class LabNamespace {
 public:
  LabNamespace(const Dialect& dialect, ServerNamespace place, std::uint32_t containers)
      : dialect_(&dialect), place_(std::move(place)), containers_(containers) {}

  const Dialect& dialect() const noexcept { return *dialect_; }
  const ServerNamespace& place() const noexcept { return place_; }
  std::uint32_t containers() const noexcept { return containers_; }
  std::string container(std::uint32_t number) const { return place_.container(number); }
  std::string table(std::uint32_t number) const { return dialect_->table(container(number)); }

  /// Makes namespace and marker where they are missing. Errors: kRefused for one that is not ours.
  Status claim(Connection& connection, const CallContext& call, const char* operation) const;

  /// All our tables and containers away, those that this session needs anew. Errors: kRefused without the
  /// marker, kInUse when the lock is not `run_id`'s any more.
  Status make_anew(Connection& connection, const CallContext& call, const char* operation,
                   const std::string& run_id) const;

  /// What is ours, the marker last. Errors: kRefused, kInUse while another run holds the lock.
  Status remove(Connection& connection, const CallContext& call, const char* operation,
                const std::string& run_id) const;

  /// A line for each container of ours.
  Result<std::vector<std::string>> leftovers(Connection& connection, const CallContext& call,
                                             const char* operation) const;

  /// Whose the namespace is, in words. Errors: kRefused where it is not ours, kInUse where another run holds
  /// it.
  Result<std::string> owner(Connection& connection, const CallContext& call, const char* operation,
                            const std::string& run_id) const;

  /// Nothing where the row is missing.
  Result<std::optional<LockState>> read_lock(Connection& connection, const CallContext& call,
                                             const char* operation) const;
  Result<bool> write_lock(Connection& connection, const CallContext& call, const char* operation,
                          const std::optional<std::string>& expected, const std::string& run_id) const;

 private:
  using Containers = std::vector<FoundContainer>;

  /// Sorted by number.
  Result<Containers> found(Connection& connection, const CallContext& call, const char* operation) const;
  Status run(Connection& connection, const CallContext& call, const char* operation,
             const std::vector<std::string>& statements) const;
  std::vector<std::string> make_marker(const std::string& container) const;
  std::vector<std::string> drop_ours(const FoundContainer& one, bool with_marker) const;
  Error not_ours(const FoundContainer& one, const char* operation) const;
  Status check_held_by_no_other(Connection& connection, const CallContext& call, const char* operation,
                                const std::string& run_id) const;
  /// Statements that give this session container `number`.
  Status plan_container(const Containers& all, std::uint32_t number, const char* operation,
                        std::vector<std::string>& statements) const;

  const Dialect* dialect_;
  ServerNamespace place_;
  std::uint32_t containers_;
};

/// The lock row on a connection of its own, which is opened anew when it is lost: a heartbeat must outlive a
/// restart of the server, and no measurement goes over it.
std::unique_ptr<LockStore> lock_store(Address address, LabNamespace place);

}  // namespace lab::pgwire
