// How objects lie in Redis: one string, one hash, or one entry of a stream for each.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>

#include "driver/driver.hpp"
#include "driver/native_record.hpp"
#include "drivers/redis/space.hpp"

namespace lab::redis {

/// kNative: a hash of a row's fields, a string of a kind that is one value.
enum class LayoutKind : std::uint8_t { kString, kHash, kStream, kNative };

/// Of one connection. Calls are checked by the driver: begun, and with containers that exist.
class Layout {
 public:
  Layout(KeySpace space, std::uint32_t containers) : space_(std::move(space)), containers_(containers) {}
  virtual ~Layout() = default;

  /// Acknowledged when it returns.
  virtual Status put(Link& link, const CallContext& call, const Object& object) = 0;
  /// In transactions of MULTI/EXEC, pipelined: each is in or not at all. Acknowledged when it returns. After
  /// a refusal nothing more is sent, and what was on its way may be in.
  Status put_batch(Link& link, const CallContext& call, std::span<const Object> objects);
  virtual Status read_all(Link& link, const CallContext& call, const ObjectSink& sink) = 0;
  virtual Result<std::uint64_t> count(Link& link, const CallContext& call) = 0;
  virtual Result<std::string> get(Link& link, const CallContext& call, const ObjectKey& key) = 0;
  virtual Status erase(Link& link, const CallContext& call, std::span<const ObjectKey> keys) = 0;
  /// Only the ways that the layout has: by capabilities().
  virtual Status erase_all(Link& link, const CallContext& call, DeleteAll how) = 0;
  virtual std::set<Capability> capabilities() const = 0;
  virtual SecondPut second_put() const = 0;

 protected:
  /// Sends the command that stores one object; its answer is still to come.
  virtual Status send_put(Link& link, const CallContext& call, const char* operation,
                          const Object& object) = 0;
  virtual void note_put(const Object& /*object*/, const Answer& /*answer*/) {}

  const KeySpace space_;
  const std::uint32_t containers_;
};

/// `schema` is that of kNative, null for the others.
std::unique_ptr<Layout> make_layout(LayoutKind kind, KeySpace space, std::uint32_t containers,
                                    const NativeSchema* schema = nullptr);

}  // namespace lab::redis
