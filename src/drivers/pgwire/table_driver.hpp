// What a driver of this protocol does with rows, the same for each system.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/pgwire/lab_namespace.hpp"
#include "drivers/pgwire/row_shape.hpp"

namespace lab::pgwire {

/// Operations as errors name them: "postgresql.put".
class OperationNames {
 public:
  explicit OperationNames(const std::string& system) : system_(system) {}
  const char* operator()(const char* what);

 private:
  std::string system_;
  std::map<std::string, std::string, std::less<>> names_{};
};

/// Objects are rows of the table `files`; a container is one such table.
class TableDriver : public Driver {
 public:
  const DriverInfo& info() const noexcept override { return info_; }
  Status prove(const CallContext& call) override;
  Status reset(const CallContext& call) override;
  Status put(const CallContext& call, const Object& object) override;
  Status put_batch(const CallContext& call, std::span<const Object> objects) override;
  Status read_all(const CallContext& call, const ObjectSink& sink) override;
  Result<std::uint64_t> count(const CallContext& call) override;
  Result<std::string> get(const CallContext& call, const ObjectKey& key) override;
  Status erase(const CallContext& call, std::span<const ObjectKey> keys) override;
  Status erase_all(const CallContext& call, DeleteAll how) override;

 protected:
  TableDriver(std::unique_ptr<Connection> connection, LabNamespace place, std::string run_id, DriverInfo info,
              const NativeSchema* schema = nullptr);

  /// All of `work` or nothing. A protocol with conflicts between transactions does it again.
  virtual Status whole(const CallContext& call, const char* operation, const std::function<Status()>& work);
  /// INSERT of one row of shape() into `table`.
  virtual std::string insert_sql(const std::string& table) const = 0;
  /// All of a container's objects into its table, inside a transaction; `again`: an id was there already.
  virtual Status load(const CallContext& call, const char* operation, std::uint32_t container,
                      std::span<const Object* const> objects, bool again) = 0;

  /// COPY of all that `source` gives into `table`, with a last column that counts them where `numbered`.
  /// Checks the count.
  Status copy(const CallContext& call, const char* operation, const std::string& table,
              const ObjectSource& source, bool numbered);
  /// One row by insert_sql, prepared.
  Status insert(const CallContext& call, const char* operation, const Object& object);
  std::vector<std::string> tables() const;

  Connection& connection() noexcept { return *connection_; }
  const LabNamespace& place() const noexcept { return place_; }
  const RowShape& shape() const noexcept { return shape_; }
  // As errors name an operation: name("put").
  OperationNames name{""};  // NOLINT(readability-identifier-naming): reads as the function it is

 private:
  Status erase_one(const CallContext& call, const char* operation, const ObjectKey& key);
  /// A large payload, which libpq would hold twice if it came whole.
  Result<std::string> read_in_slices(const CallContext& call, const char* operation, const std::string& table,
                                     const ObjectId& id);

  std::unique_ptr<Connection> connection_;
  LabNamespace place_;
  std::string run_id_;
  DriverInfo info_;
  RowShape shape_;
};

}  // namespace lab::pgwire
