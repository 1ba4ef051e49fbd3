// What a variant of CockroachDB decides, and its schema as SQL.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "drivers/pgwire/dialect.hpp"

namespace lab::cockroach {

inline constexpr int kMajorMin = 23;  // SHOW RANGES ... WITH DETAILS as we read it came with 23.1.

struct Setup {
  std::string variant = "default";
  std::int64_t gc_ttl_seconds = 0;  // 0: the cluster's own (hours).
  bool row_ttl = false;             // Rows carry an expiration, far later than any run.
};

const std::vector<VariantInfo>& variants();

/// Errors: kInvalidArgument for option "gc_ttl_seconds".
Result<Setup> make_setup(const std::string& variant, const SystemConfig& config);

/// 26 of "CockroachDB CCL v26.1.0 (x86_64-...)"; nothing for the words of another system.
std::optional<int> major_version(std::string_view words);

/// A container is a database with one table. Its DDL is not done in transactions, which the system only
/// partly supports.
class CockroachDialect final : public pgwire::Dialect {
 public:
  explicit CockroachDialect(Setup setup) : setup_(std::move(setup)) {}
  const char* system() const override { return "cockroachdb"; }
  const char* container() const override { return "database"; }
  bool ddl_in_transaction() const override { return false; }
  std::string prefix(const std::string& container) const override;
  Result<std::vector<pgwire::FoundContainer>> find(pgwire::Connection& connection, const CallContext& call,
                                                   const char* operation,
                                                   const std::string& name) const override;
  std::string create_container(const std::string& container) const override;
  std::string drop_container(const std::string& container) const override;
  std::vector<std::string> create_table(const std::string& container) const override;

 private:
  Setup setup_;
};

}  // namespace lab::cockroach
