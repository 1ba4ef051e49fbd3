// The lab's marker topic and the lock that lies in it as its newest record.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "driver/lab_lock.hpp"
#include "drivers/kafka/client.hpp"
#include "drivers/kafka/producer.hpp"
#include "drivers/kafka/topics.hpp"

namespace lab::kafka {

/// Kafka has no conditional write: a record is written and what lies before it is read back. Of two that
/// wrote at once the one with the smaller offset has the lock, and the other puts the first one's name back.
class MarkerLock final : public LockStore {
 public:
  static Result<std::unique_ptr<MarkerLock>> open(const Access& access, const Names& names,
                                                  const CallContext& call);

  /// Writes a record to learn the broker's present time.
  Result<std::optional<LockState>> read(const CallContext& call) override;
  Result<bool> write(const CallContext& call, const std::optional<std::string>& expected,
                     const std::string& run_id) override;

 private:
  explicit MarkerLock(Access access) : access_(std::move(access)) {}
  Status open_producer(const CallContext& call);
  Result<std::int64_t> append(const CallContext& call, std::string_view key, const std::string& value);

  Access access_;
  std::string topic_{};
  std::optional<std::string> holder_{};  // By the newest lock record before next_.
  std::int64_t written_ms_ = 0;          // When the broker took that record.
  std::int64_t next_ = 0;
  std::optional<std::string> first_after_{};  // First lock record that the last catching up saw.
  std::int64_t first_after_offset_ = 0;
  /// Up to before `end`; nothing: to the present end.
  Status catch_up(const CallContext& call, std::optional<std::int64_t> end);

  std::int64_t appended_ = 0;     // Offset of the record acknowledged last,
  std::int64_t appended_ms_ = 0;  // and when.
  std::unique_ptr<Client> reader_{};
  std::unique_ptr<Producer> producer_{};
};

/// The lock by its newest record, whose age is told by the clock of this host; nothing where there is none.
/// Writes nothing.
Result<std::optional<LockState>> newest_lock(Client& reader, const CallContext& call, const char* operation,
                                             const Names& names);

}  // namespace lab::kafka
