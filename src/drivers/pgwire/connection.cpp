// libpq's non-blocking calls, with poll(2) between them.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/connection.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/log.hpp"
#include "core/text.hpp"
#include "driver/waiting.hpp"
#include "drivers/pgwire/name_lookup.hpp"
#include "drivers/pgwire/sqlstate.hpp"

namespace lab::pgwire {
namespace {

// The contract allows 2 s after a stop: for the server to confirm a cancellation, and then a rollback.
constexpr Millis kGrace{1'200};
constexpr Millis kRollbackGrace{700};
constexpr std::size_t kWarningsMax = 5;

/// PQcancel blocks as long as the server likes, so it runs in a thread that may be left behind.
class Cancellation {
 public:
  explicit Cancellation(PGconn* connection) {
    PGcancel* const cancel = PQgetCancel(connection);
    if (cancel == nullptr) return;
    std::thread([state = state_, cancel] {
      char words[256];
      const int accepted = PQcancel(cancel, words, sizeof words);
      PQfreeCancel(cancel);
      const std::lock_guard lock(state->mutex);
      state->accepted = accepted != 0;
      state->over = true;
      state->changed.notify_all();
    }).detach();
  }
  /// True when the server has taken the request, so that it cannot hit a later statement.
  bool taken(Clock::time_point deadline) {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_until(lock, deadline, [this] { return state_->over; }) && state_->accepted;
  }

 private:
  struct State {
    std::mutex mutex{};
    std::condition_variable changed{};
    bool over = false;
    bool accepted = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

bool has_failed(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

std::string field(const PGresult* result, int code) {
  const char* const text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

void keep_warning(void* warnings, const PGresult* result) {
  auto& kept = *static_cast<std::vector<std::string>*>(warnings);
  if (field(result, PG_DIAG_SEVERITY_NONLOCALIZED) == "WARNING" && kept.size() < kWarningsMax)
    kept.push_back(one_line(field(result, PG_DIAG_MESSAGE_PRIMARY)));
}

template <class Number>
Number parsed(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::int64_t Rows::number(int row, int column) const noexcept {
  return parsed<std::int64_t>(text(row, column));
}
double Rows::real(int row, int column) const noexcept { return parsed<double>(text(row, column)); }
std::uint64_t Rows::affected() const noexcept { return parsed<std::uint64_t>(PQcmdTuples(result_.get())); }

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const Address& address, const CallContext& call,
                                                     const char* operation) {
  LAB_TRY(allowed(call, operation));
  const auto addresses = addresses_of(address.host, call, operation);
  if (!addresses) return addresses.error();
  auto keywords = address.keywords();
  std::string hosts;
  for (std::size_t number = 1; number < addresses->size(); ++number) hosts += address.host + ",";
  keywords[0].second = hosts + address.host;  // As many as there are addresses.
  keywords.emplace_back("hostaddr", join(*addresses, ","));
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : keywords) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* const handle = PQconnectStartParams(names.data(), values.data(), 0);
  if (handle == nullptr) return Error{ErrorCode::kResourceExhausted, operation, "no memory"};
  std::unique_ptr<Connection> connection(new Connection(handle));
  // One that libpq has found itself, in PGPASSWORD or in its password file, is as secret as the plan's.
  const char* const password = PQpass(handle);
  if (password != nullptr && !log_is_secret(password)) log_redact(password);
  Status logged_in = connection->log_in(call, operation);
  if (logged_in) return connection;
  Error failed = std::move(logged_in).error();
  // libpq's words where the server's certificate or its authority is not as asked for, or it has no TLS at
  // all.
  const bool of_tls = failed.detail.find("certificate") != std::string::npos ||
                      failed.detail.find("does not support SSL") != std::string::npos;
  if (!of_tls) return failed;
  if (failed.code == ErrorCode::kConnectionLost) {
    failed.code = ErrorCode::kRefused;
    failed.retryable = false;
  }
  if (address.checked_unasked)
    failed.detail +=
        "; without sslmode in the url it is verify-full: add sslrootcert=FILE, or sslmode=disable for plain "
        "text";
  return failed;
}

Status Connection::log_in(const CallContext& call, const char* operation) {
  PQsetNoticeReceiver(handle_.get(), keep_warning, &warnings_);
  PQsetErrorVerbosity(handle_.get(), PQERRORS_VERBOSE);  // Only so is the SQLSTATE in the message.
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (PQstatus(handle_.get()) != CONNECTION_BAD && state != PGRES_POLLING_OK) {
    LAB_TRY(wait_socket(PQsocket(handle_.get()),
                        state == PGRES_POLLING_READING ? SocketFor::kRead : SocketFor::kWrite, call,
                        operation));
    state = PQconnectPoll(handle_.get());
    if (state == PGRES_POLLING_FAILED) break;
  }
  PQsetErrorVerbosity(handle_.get(), PQERRORS_DEFAULT);
  if (PQstatus(handle_.get()) == CONNECTION_OK) {
    if (PQsetnonblocking(handle_.get(), 1) != 0) return failed(operation);
    return ok();
  }
  const std::string_view message = PQerrorMessage(handle_.get());
  const std::string_view sql_state = state_in(message);
  std::string words = one_line(message);
  if (PQconnectionNeedsPassword(handle_.get()) != 0)
    return Error{ErrorCode::kRefused, operation,
                 words + ": give password_env or password_file, or an entry in libpq's password file"};
  if (sql_state.empty()) return Error{ErrorCode::kConnectionLost, operation, std::move(words), true};
  return Error{code_of_state(sql_state), operation, std::move(words), is_retryable(sql_state)};
}

Status Connection::usable(const CallContext& call, const char* operation) const {
  LAB_TRY(allowed(call, operation));
  if (lost_) return Error{ErrorCode::kConnectionLost, operation, *lost_, true};
  return ok();
}

Error Connection::lose(const char* operation, std::string words) {
  if (!lost_) lost_ = words.empty() ? "the connection was lost" : std::move(words);
  return {ErrorCode::kConnectionLost, operation, *lost_, true};
}

/// Closed at once: the server shall undo what it has begun, and nobody shall use it by mistake.
void Connection::give_up(std::string words) {
  lost_ = std::move(words);
  handle_.reset();
}

Error Connection::failed(const char* operation) {
  std::string words = one_line(PQerrorMessage(handle_.get()));
  if (PQstatus(handle_.get()) == CONNECTION_BAD) return lose(operation, std::move(words));
  return {ErrorCode::kInternal, operation, std::move(words)};
}

Error Connection::failed(const char* operation, const PGresult* result, const CallContext& call) {
  last_state_ = field(result, PG_DIAG_SQLSTATE);
  std::string words = field(result, PG_DIAG_MESSAGE_PRIMARY);
  constexpr std::array<int, 2> kMore{PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT};
  for (const int more : kMore)
    if (const std::string text = field(result, more); !text.empty()) words += "; " + text;
  words = words.empty() ? one_line(PQresultErrorMessage(result))
                        : fmt::format("{} (SQLSTATE {})", one_line(words), last_state_);
  const ErrorCode code = code_of_state(last_state_);
  if (PQstatus(handle_.get()) == CONNECTION_BAD || code == ErrorCode::kConnectionLost ||
      field(result, PG_DIAG_SEVERITY_NONLOCALIZED) == "FATAL")
    return lose(operation, std::move(words));
  if (last_state_ == kQueryCanceled) {
    if (const Status bounded = allowed(call, operation); !bounded) return bounded.error();
    return {ErrorCode::kTimeout, operation, std::move(words)};  // The server's own limit, or another session.
  }
  return {code, operation, std::move(words), is_retryable(last_state_)};
}

Status Connection::sent(int accepted, const char* operation) {
  if (accepted == 0) return failed(operation);
  return ok();
}

Status Connection::flush_output(const CallContext& call, const char* operation) {
  while (true) {
    const int left = PQflush(handle_.get());
    if (left == 0) return ok();
    if (left < 0) return failed(operation);
    LAB_TRY(wait_socket(PQsocket(handle_.get()), SocketFor::kBoth, call, operation));
    if (PQconsumeInput(handle_.get()) == 0) return failed(operation);
  }
}

/// Nothing (a null handle) when the statement is over.
Result<ResultHandle> Connection::next_result(const CallContext& call, const char* operation) {
  LAB_TRY(flush_output(call, operation));
  while (PQisBusy(handle_.get()) != 0) {
    LAB_TRY(wait_socket(PQsocket(handle_.get()), SocketFor::kRead, call, operation));
    if (PQconsumeInput(handle_.get()) == 0) return failed(operation);
  }
  return ResultHandle(PQgetResult(handle_.get()));
}

/// Takes all results of a statement; the last one, or the first failure.
Result<ResultHandle> Connection::last_result(const CallContext& call, const char* operation) {
  ResultHandle last;
  std::optional<Error> failure;
  while (true) {
    auto next = next_result(call, operation);
    if (!next) return std::move(next).error();
    if (*next == nullptr) break;
    if (has_failed(next->get()) && !failure) failure = failed(operation, next->get(), call);
    last = std::move(*next);
    if (PQresultStatus(last.get()) == PGRES_COPY_IN) return last;  // It goes on with our bytes.
  }
  if (failure) return *std::move(failure);
  if (last == nullptr) return failed(operation);
  return last;
}

template <class T>
Result<T> Connection::ended(Result<T> result) {
  if (!result && !lost_ && PQtransactionStatus(handle_.get()) == PQTRANS_ACTIVE) abandon();
  return result;
}

void Connection::abandon() {
  const CallContext grace{Clock::now() + kGrace, {}};
  Cancellation cancellation(handle_.get());
  if (drain(grace) && cancellation.taken(grace.deadline)) return;
  give_up("the server did not confirm a cancellation in time, so its connection was given up");
}

/// Reads what is left of a statement; ends a COPY as failed.
bool Connection::drain(const CallContext& grace) {
  bool copy_over = false;
  while (true) {
    auto next = next_result(grace, "pgwire.cancel");
    if (!next) return false;
    if (*next == nullptr) return true;
    if (PQresultStatus(next->get()) != PGRES_COPY_IN) continue;
    if (copy_over || !end_copy(grace, "pgwire.cancel", "ended by the client")) return false;
    copy_over = true;
  }
}

Status Connection::execute(const CallContext& call, const char* operation, const std::string& sql) {
  LAB_TRY(usable(call, operation));
  LAB_TRY(sent(PQsendQuery(handle_.get(), sql.c_str()), operation));
  const auto last = ended(last_result(call, operation));
  if (!last) return last.error();
  return ok();
}

Result<Rows> Connection::query(const CallContext& call, const char* operation, const std::string& sql,
                               const Parameters& parameters) {
  LAB_TRY(usable(call, operation));
  LAB_TRY(sent(PQsendQueryParams(handle_.get(), sql.c_str(), parameters.count(), parameters.types(),
                                 parameters.values(), parameters.lengths(), parameters.formats(), 0),
               operation));
  auto last = ended(last_result(call, operation));
  if (!last) return std::move(last).error();
  return Rows(std::move(*last));
}

Result<Rows> Connection::prepared(const CallContext& call, const char* operation, const std::string& sql,
                                  const Parameters& parameters, Format format) {
  LAB_TRY(usable(call, operation));
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    const std::string name = fmt::format("lab_{}", statements_.size());
    LAB_TRY(
        sent(PQsendPrepare(handle_.get(), name.c_str(), sql.c_str(), parameters.count(), parameters.types()),
             operation));
    const auto made = ended(last_result(call, operation));
    if (!made) return made.error();
    found = statements_.emplace(sql, name).first;
  }
  LAB_TRY(
      sent(PQsendQueryPrepared(handle_.get(), found->second.c_str(), parameters.count(), parameters.values(),
                               parameters.lengths(), parameters.formats(), static_cast<int>(format)),
           operation));
  auto last = ended(last_result(call, operation));
  if (!last) return std::move(last).error();
  return Rows(std::move(*last));
}

Status Connection::stream(const CallContext& call, const char* operation, const std::string& sql,
                          const std::function<Status(const Rows&)>& sink) {
  LAB_TRY(usable(call, operation));
  LAB_TRY(sent(PQsendQueryParams(handle_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr,
                                 static_cast<int>(Format::kBinary)),
               operation));
  LAB_TRY(sent(PQsetSingleRowMode(handle_.get()), operation));
  return ended([&]() -> Status {
    std::optional<Error> failure;
    while (true) {
      LAB_TRY(allowed(call, operation));
      auto next = next_result(call, operation);
      if (!next) return std::move(next).error();
      if (*next == nullptr) break;
      if (has_failed(next->get()) && !failure) failure = failed(operation, next->get(), call);
      if (PQresultStatus(next->get()) == PGRES_SINGLE_TUPLE) LAB_TRY(sink(Rows(std::move(*next))));
    }
    if (failure) return *std::move(failure);
    return ok();
  }());
}

Status Connection::send_piece(const CallContext& call, const char* operation, std::string_view piece) {
  while (true) {
    LAB_TRY(allowed(call, operation));
    const int queued = PQputCopyData(handle_.get(), piece.data(), static_cast<int>(piece.size()));
    if (queued < 0) return failed(operation);
    LAB_TRY(flush_output(call, operation));
    if (queued > 0) return ok();
  }
}

/// `failure` null: the rows are complete. Otherwise the server gives the COPY up.
Status Connection::end_copy(const CallContext& call, const char* operation, const char* failure) {
  while (true) {
    const int queued = PQputCopyEnd(handle_.get(), failure);
    if (queued < 0) return failed(operation);
    LAB_TRY(flush_output(call, operation));
    if (queued > 0) return ok();
  }
}

Result<std::uint64_t> Connection::copy_in(const CallContext& call, const char* operation,
                                          const std::string& sql,
                                          const std::function<Status(CopyWriter&)>& produce) {
  LAB_TRY(usable(call, operation));
  LAB_TRY(sent(PQsendQuery(handle_.get(), sql.c_str()), operation));
  return ended([&]() -> Result<std::uint64_t> {
    const auto begun = last_result(call, operation);
    if (!begun) return begun.error();
    if (PQresultStatus(begun->get()) != PGRES_COPY_IN)
      return Error{ErrorCode::kInternal, operation, "the server did not ask for the rows"};
    bool gone_on = true;  // False: the server has ended the COPY; its reason is in the result.
    CopyWriter writer([&](std::string_view piece) -> Status {
      const Status status = send_piece(call, operation, piece);
      gone_on = gone_on && (status || status.error().code != ErrorCode::kInternal);
      return status;
    });
    Status done = writer.begin();
    if (done) done = produce(writer);
    if (done) done = writer.finish();
    if (done) done = end_copy(call, operation, nullptr);
    if (!done && gone_on) return std::move(done).error();
    auto last = last_result(call, operation);
    if (!last) return std::move(last).error();
    if (!done) return std::move(done).error();
    return Rows(std::move(*last)).affected();
  }());
}

Status Connection::transaction(const CallContext& call, const char* operation,
                               const std::function<Status()>& work) {
  last_state_.clear();
  LAB_TRY(execute(call, operation, "BEGIN"));
  Status status = work();
  if (status && PQtransactionStatus(handle_.get()) == PQTRANS_INERROR)  // Its COMMIT would be a ROLLBACK.
    status = Error{ErrorCode::kInternal, operation, "the transaction had failed before its end"};
  if (status) {
    status = execute(call, operation, "COMMIT");
    if (status) return ok();
  }
  roll_back();
  return status;
}

/// After a failure, so with a time of its own: the call's may be over.
void Connection::roll_back() {
  if (lost_ || PQtransactionStatus(handle_.get()) == PQTRANS_IDLE) return;
  const CallContext grace{Clock::now() + kRollbackGrace, {}};
  const std::string state = last_state_;
  const Status done = execute(grace, "pgwire.rollback", "ROLLBACK");
  last_state_ = state;
  if (done || lost_) return;
  give_up("a rollback failed: " + done.error().detail);
}

Result<std::string> Connection::password_verifier(const CallContext& call, const char* operation,
                                                  const std::string& role, const std::string& password) {
  LAB_TRY(usable(call, operation));
  char* const verifier =
      PQencryptPasswordConn(handle_.get(), password.c_str(), role.c_str(), "scram-sha-256");
  if (verifier == nullptr) return failed(operation);
  std::string text(verifier);
  PQfreemem(verifier);
  return text;
}

std::string Connection::take_warnings() {
  std::string all = join(warnings_, "; ");
  warnings_.clear();
  return all;
}

std::string identifier(std::string_view name) {
  std::string text = "\"";
  for (const char letter : name) text += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return text + "\"";
}

std::string literal(std::string_view text) {
  std::string quoted = text.find('\\') == std::string_view::npos ? "'" : " E'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') quoted += letter;
    quoted += letter;
  }
  return quoted + "'";
}

}  // namespace lab::pgwire
