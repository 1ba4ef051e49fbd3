// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/link.hpp"

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>

#include "core/redaction.hpp"
#include "core/text.hpp"
#include "drivers/redis/server.hpp"

namespace lab::redis {
namespace {

constexpr std::size_t kQueueMax = 256U << 10U;   // Gathered before it is sent.
constexpr std::size_t kLargePiece = 64U << 10U;  // Sent from where it lies, without a copy.
constexpr std::size_t kReadStep = 256U << 10U;

struct Meaning {
  std::string_view word;
  ErrorCode code;
  bool retryable = false;
};
// Words that an error answer begins with; anything else is kRefused.
constexpr std::array kMeanings{
    Meaning{"OOM", ErrorCode::kResourceExhausted},
    Meaning{"MISCONF", ErrorCode::kIo},
    Meaning{"LOADING", ErrorCode::kConnectionLost, true},
    Meaning{"MASTERDOWN", ErrorCode::kConnectionLost, true},
    Meaning{"BUSY", ErrorCode::kRefused, true},
    Meaning{"TRYAGAIN", ErrorCode::kRefused, true},
    Meaning{"MOVED", ErrorCode::kUnsupported},
    Meaning{"CROSSSLOT", ErrorCode::kUnsupported},
    Meaning{"CLUSTERDOWN", ErrorCode::kUnsupported},
    Meaning{"WRONGTYPE", ErrorCode::kCorruption},
};

}  // namespace

bool Answer::is_error() const noexcept { return reply_->type == REDIS_REPLY_ERROR; }
bool Answer::is_nil() const noexcept { return reply_->type == REDIS_REPLY_NIL; }
std::string_view Answer::text() const noexcept {
  const bool has = reply_->type == REDIS_REPLY_STRING || reply_->type == REDIS_REPLY_STATUS ||
                   reply_->type == REDIS_REPLY_ERROR;
  return has ? std::string_view(reply_->str, reply_->len) : std::string_view();
}
long long Answer::number() const noexcept {
  return reply_->type == REDIS_REPLY_INTEGER ? reply_->integer : 0;
}
std::size_t Answer::size() const noexcept { return reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0; }
Answer Answer::operator[](std::size_t index) const {
  LAB_CHECK(index < size(), "an answer has no such element");
  return Answer(reply_->element[index]);
}

void Reply::Free::operator()(redisReply* reply) const { freeReplyObject(reply); }

Error error_of(std::string_view words, const char* operation) {
  const std::string_view word = words.substr(0, words.find(' '));
  Error error{ErrorCode::kRefused, operation, to_valid_utf8(words)};
  for (const Meaning& meaning : kMeanings) {
    if (word != meaning.word) continue;
    error.code = meaning.code;
    error.retryable = meaning.retryable;
  }
  if (words.find("max number of clients") != std::string_view::npos) {
    error.code = ErrorCode::kResourceExhausted;
    error.retryable = true;
  }
  if (word == "MISCONF" && words.find("No space left on device") != std::string_view::npos)
    error.code = ErrorCode::kResourceExhausted;
  return error;
}

void Link::FreeReader::operator()(redisReader* reader) const { redisReaderFree(reader); }

Link::Link(Address address) : address_(std::move(address)), buffer_(kReadStep) {}
Link::~Link() = default;

Result<std::unique_ptr<Link>> Link::open(const Address& address, const CallContext& call,
                                         const char* operation) {
  LAB_TRY(allowed(call, operation));
  std::unique_ptr<Link> link(new Link(address));
  LAB_TRY(link->login(call, operation));
  return link;
}

Status Link::login(const CallContext& call, const char* operation) {
  auto wire = Wire::connect(address_, call, operation);
  if (!wire) return std::move(wire).error();
  wire_ = std::move(*wire);
  reader_.reset(redisReaderCreate());
  if (reader_ == nullptr) return Error{ErrorCode::kResourceExhausted, operation, "no memory"};
  out_.clear();
  awaited_ = 0;
  broken_ = false;
  if (!address_.user.empty()) {
    LAB_TRY(say(call, operation, {"AUTH", address_.user, address_.password}));
  } else if (!address_.password.empty()) {
    LAB_TRY(say(call, operation, {"AUTH", address_.password}));
  }
  LAB_TRY(choose_database(call, operation));
  const auto id = say(call, operation, {"CLIENT", "ID"});
  if (!id) return id.error();
  client_id_ = std::to_string(id->number());
  const auto told = say(call, operation, {"INFO", "server"});
  if (!told) return told.error();
  const Info info = parse_info(told->text());
  const std::string run = info.contains("run_id") ? info.at("run_id") : "";
  if (run.empty()) return Error{ErrorCode::kRefused, operation, "INFO tells no run_id: this is no Redis"};
  if (!server_run_.empty() && run != server_run_)
    return Error{ErrorCode::kConnectionLost, operation, "the server was restarted", true};
  server_run_ = run;
  return ok();
}

Status Link::choose_database(const CallContext& call, const char* operation) {
  if (address_.database == 0) return ok();
  const auto chosen = say(call, operation, {"SELECT", std::to_string(address_.database)});
  if (chosen) return ok();
  Error error = chosen.error();
  if (error.detail.find("DB index") == std::string::npos) return error;
  error.code = ErrorCode::kNotFound;
  error.detail = fmt::format(
      "there is no database {}: the number at the url's end must be below the server's setting 'databases' "
      "({})",
      address_.database, error.detail);
  return error;
}

Status Link::begin(const CallContext& call, const char* operation) {
  LAB_TRY(allowed(call, operation));
  if (lost_) return Error{ErrorCode::kConnectionLost, operation, *lost_, true};
  if (!broken_ && awaited_ == 0 && out_.empty()) return ok();
  return renew(call, operation);
}

/// What the old connection had sent may still lie unread in the server's socket: there it must not come to
/// life after a reset on the new one, so the old one is killed first.
Status Link::renew(const CallContext& call, const char* operation) {
  const std::string old = client_id_;
  broken_ = true;
  const auto closed = [&]() -> Status {
    LAB_TRY(login(call, operation));
    LAB_TRY(say(call, operation, {"CLIENT", "KILL", "ID", old}));
    return ok();
  }();
  if (closed) return ok();
  broken_ = true;
  client_id_ = old;
  return failed(closed.error());
}

Status Link::failed(Error error) {
  broken_ = true;
  if (error.code == ErrorCode::kConnectionLost) {
    lost_ = error.detail;
    wire_.reset();
  }
  return error;
}

/// Some servers repeat the arguments of a command that they refuse.
Error Link::scrubbed(Error error) const {
  error.detail = without_secret(std::move(error.detail), address_.password);
  return error;
}

Status Link::push(const CallContext& call, const char* operation) {
  if (out_.empty()) return ok();
  const Status written = wire_->write(out_, call, operation);
  out_.clear();
  if (!written) return failed(written.error());
  return ok();
}

Status Link::append(std::string_view bytes, const CallContext& call, const char* operation) {
  if (bytes.size() < kLargePiece) {
    out_ += bytes;
    if (out_.size() < kQueueMax) return ok();
    return push(call, operation);
  }
  LAB_TRY(push(call, operation));
  const Status written = wire_->write(bytes, call, operation);
  if (!written) return failed(written.error());
  return ok();
}

Status Link::send(const CallContext& call, const char* operation, const Command& command) {
  if (lost_ || wire_ == nullptr)
    return Error{ErrorCode::kConnectionLost, operation, lost_.value_or("not connected"), true};
  const bool was_broken = broken_;
  broken_ = true;  // Until the whole command is on its way.
  out_ += fmt::format("*{}\r\n", command.size());
  for (const Word& word : command) {
    out_ += fmt::format("${}\r\n", word.size());
    LAB_TRY(append(word.first, call, operation));
    LAB_TRY(append(word.second, call, operation));
    out_ += "\r\n";
  }
  broken_ = was_broken;
  awaited_ += 1;
  return ok();
}

Result<Reply> Link::receive(const CallContext& call, const char* operation) {
  if (lost_ || wire_ == nullptr)
    return Error{ErrorCode::kConnectionLost, operation, lost_.value_or("not connected"), true};
  LAB_CHECK(awaited_ > 0, "an answer is taken for each command, no more");
  LAB_TRY(push(call, operation));
  while (true) {
    void* got = nullptr;
    if (redisReaderGetReply(reader_.get(), &got) != REDIS_OK) {
      if (reader_->err == REDIS_ERR_OOM) {
        broken_ = true;
        return Error{ErrorCode::kResourceExhausted, operation, "no memory for an answer"};
      }
      const Status bad = failed(
          {ErrorCode::kConnectionLost, operation, std::string("not Redis's protocol: ") + reader_->errstr});
      return bad.error();
    }
    if (got != nullptr) {
      awaited_ -= 1;
      Reply reply(static_cast<redisReply*>(got));
      if (!reply.is_error()) return reply;
      return scrubbed(error_of(reply.text(), operation));
    }
    const auto read = wire_->read(buffer_, call, operation);
    if (!read) {
      const Status bad = failed(read.error());
      return bad.error();
    }
    if (redisReaderFeed(reader_.get(), buffer_.data(), *read) != REDIS_OK) {
      broken_ = true;
      return Error{ErrorCode::kResourceExhausted, operation, "no memory for an answer"};
    }
  }
}

Result<Reply> Link::say(const CallContext& call, const char* operation, const Command& command) {
  LAB_TRY(send(call, operation, command));
  return receive(call, operation);
}

Result<Reply> Link::ask(const CallContext& call, const char* operation, const Command& command) {
  LAB_TRY(begin(call, operation));
  return say(call, operation, command);
}

}  // namespace lab::redis
