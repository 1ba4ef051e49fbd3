// One connection to a Redis server: commands, answers, pipelining; RESP2 read by hiredis.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/redis/wire.hpp"

struct redisReader;  // NOLINT(readability-identifier-naming): hiredis's name
struct redisReply;   // NOLINT(readability-identifier-naming): hiredis's name

namespace lab::redis {

/// One argument of a command, in one piece or in two that are sent one after the other.
struct Word {
  std::string_view first{};
  std::string_view second{};

  Word(std::string_view whole) : first(whole) {}    // NOLINT: implicit by design
  Word(const char* whole) : first(whole) {}         // NOLINT: implicit by design
  Word(const std::string& whole) : first(whole) {}  // NOLINT: implicit by design
  Word(std::string_view a, std::string_view b) : first(a), second(b) {}
  std::size_t size() const noexcept { return first.size() + second.size(); }
};
using Command = std::vector<Word>;  // Borrows its bytes: a kept one must not name temporaries.

/// An answer or a part of one; borrowed from its Reply.
class Answer {
 public:
  explicit Answer(const redisReply* reply) : reply_(reply) {}
  bool is_error() const noexcept;
  bool is_nil() const noexcept;
  std::string_view text() const noexcept;  // A string, a status or an error; else empty.
  long long number() const noexcept;       // An integer; else 0.
  std::size_t size() const noexcept;       // Of an array; else 0.
  Answer operator[](std::size_t index) const;

 private:
  const redisReply* reply_;
};

/// An answer that owns its bytes.
class Reply : public Answer {
 public:
  explicit Reply(redisReply* reply) : Answer(reply), owned_(reply) {}

 private:
  struct Free {
    void operator()(redisReply* reply) const;
  };
  std::unique_ptr<redisReply, Free> owned_;
};

/// The code that the first word of an error answer stands for, and the answer's words.
Error error_of(std::string_view words, const char* operation);

/// Not thread-safe. A connection that was lost stays lost. One that a call left in the middle (deadline,
/// stop, a reader's error) is closed, also on the server, and opened anew by the next begin().
class Link {
 public:
  /// Connects, logs in, chooses the database. Errors: those of Wire; kRefused for a login that is not taken;
  /// kNotFound for a database that the server does not have; kConnectionLost (retryable) while the server
  /// loads its data.
  static Result<std::unique_ptr<Link>> open(const Address& address, const CallContext& call,
                                            const char* operation);
  ~Link();

  /// First of each call: whether it may start, and a connection without rest of an earlier one. Errors:
  /// kTimeout, kCancelled, kConnectionLost once it was lost or where the server is another than at first.
  Status begin(const CallContext& call, const char* operation);

  /// One command and its answer, begun as by begin(). An error answer is an Error.
  Result<Reply> ask(const CallContext& call, const char* operation, const Command& command);

  /// Queues or sends a command whose answer is taken later, in order, by receive().
  Status send(const CallContext& call, const char* operation, const Command& command);
  /// The next answer; an error answer is an Error, and the answers after it still come.
  Result<Reply> receive(const CallContext& call, const char* operation);
  std::size_t awaited() const noexcept { return awaited_; }
  /// False once an error left it in the middle of something: there is nothing more to receive.
  bool whole() const noexcept { return !broken_ && !lost_; }

  /// What tells this run of the server from any other.
  const std::string& server_run() const noexcept { return server_run_; }

 private:
  explicit Link(Address address);
  Status login(const CallContext& call, const char* operation);
  Status choose_database(const CallContext& call, const char* operation);
  Status renew(const CallContext& call, const char* operation);
  Result<Reply> say(const CallContext& call, const char* operation, const Command& command);
  Status append(std::string_view bytes, const CallContext& call, const char* operation);
  Status push(const CallContext& call, const char* operation);
  Status failed(Error error);
  Error scrubbed(Error error) const;

  struct FreeReader {
    void operator()(redisReader* reader) const;
  };
  Address address_;
  std::unique_ptr<Wire> wire_{};
  std::unique_ptr<redisReader, FreeReader> reader_{};
  std::vector<char> buffer_{};
  std::string out_{};
  std::size_t awaited_ = 0;
  bool broken_ = false;                // In the middle of something: of no use, but not lost.
  std::optional<std::string> lost_{};  // Why.
  std::string server_run_{};
  std::string client_id_{};
};

}  // namespace lab::redis
