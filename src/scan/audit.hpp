// An audit of objects as they are made: how many are distinct, as a whole and by their blocks and chunks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "core/result.hpp"
#include "core/units.hpp"

namespace lab::scan {

/// One unit: "object", "fixed:512", ..., "cdc:8192". What is left at the end of an object is no whole block
/// and not counted, nor is its last content-defined chunk, which ends there and not where its content says:
/// two short ends may be equal by chance.
struct AuditRow {
  std::string unit{};
  std::uint64_t met = 0;    // In all objects.
  std::uint64_t asked = 0;  // Of these, in originals: as many are to be distinct.
  std::uint64_t made = 0;   // Distinct, counted.

  bool as_asked() const noexcept { return asked == made; }
  friend bool operator==(const AuditRow&, const AuditRow&) = default;
};

struct AuditOptions {
  Bytes memory = 64_MiB;  // For all that it keeps; what does not fit goes to temporary files.
  std::filesystem::path temporary{};
  std::stop_token stop{};
};

/// Objects, blocks of 512, 4096, 8192 and 131072 bytes, content-defined chunks of 8192 bytes on the average.
/// The counts are exact. Not thread-safe.
class Audit {
 public:
  virtual ~Audit() = default;

  /// `original`: no object before is meant to have these bytes. Errors: kResourceExhausted when the disk of
  /// the temporary files is full; then the audit is void.
  virtual Status add(std::span<const std::byte> bytes, const Digest& digest, bool original) = 0;

  /// Once, at the end. Errors: kCancelled, kIo.
  virtual Result<std::vector<AuditRow>> finish() = 0;
};

Result<std::unique_ptr<Audit>> make_audit(const AuditOptions& options);

}  // namespace lab::scan
