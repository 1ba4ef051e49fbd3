// Makes objects ahead of their use, bytes and hashes, on threads of its own with a bounded buffer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/time.hpp"
#include "payload/dataset.hpp"

namespace lab {

/// One object to make: which content under which key.
struct ObjectOrder {
  ObjectKey key{};
  std::uint64_t content = 0;
};

/// An object that owns its bytes.
struct MadeObject {
  ObjectKey key{};
  std::uint64_t content = 0;
  std::vector<std::byte> payload{};
  std::string_view mime{};
  Digest digest{};

  Object view() const { return {key.number, key.id, mime, key.container, payload, digest}; }
};

/// Delivers the ordered objects in order. The first `next` calls after construction may wait; the wait is the
/// caller's to time (client_wait_seconds). Buffer: at most `buffer` bytes, at least one object; but an object
/// of more than two and a half buffers is made only once it is asked for: one that is made ahead of it,
/// beside the one that its caller is still working on, would be the most memory that the program takes.
class Producer {
 public:
  /// `order_of(i)` for i in [0, count) is called from the producer's thread.
  Producer(std::shared_ptr<const Dataset> dataset, std::uint64_t count,
           std::function<ObjectOrder(std::uint64_t)> order_of, Bytes buffer = Bytes{32LL << 20});
  ~Producer();  // Stops and joins, whatever is left.
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// The next object, or nothing after the last. Errors: the source's (at their place in the order, and again
  /// at each later call), kTimeout, kCancelled; after these two the next call goes on where this one stopped.
  Result<std::optional<MadeObject>> next(const CallContext& call);

  /// Waits until as much is made as the buffer takes, or all: the clock of a stage starts then. Errors:
  /// kTimeout, kCancelled; the source's come from next().
  Status wait_until_ready(const CallContext& call);

  /// Gives a buffer back for reuse; optional. Kept ones count apart from the buffer and have the same limit.
  void recycle(MadeObject&& object);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lab
