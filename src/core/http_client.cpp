// libcurl's multi interface, since only there a stop can end a transfer at any moment.
// SPDX-License-Identifier: Apache-2.0
#include "core/http_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr int kSliceMs = 50;  // Between two looks at the call's bounds.
constexpr std::size_t kErrorBodyMax = 64U << 10U;

/// Once a process; libcurl's own initialization is not thread-safe before 7.84.
bool curl_ready() {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return kReady;
}

struct EasyDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDelete {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDelete>;

/// What the callbacks of one transfer share.
struct Transfer {
  const HttpRequest& request;
  CURL* easy = nullptr;
  HttpAnswer answer{};
  std::size_t sent = 0;  // Of request.body.
  bool begun = false;    // The head of the answer was shown.
  std::optional<Error> failure{};

  void fail(Error error) {
    if (!failure) failure = std::move(error);
  }
};

Error thrown(const char* where) {
  try {
    throw;
  } catch (const std::exception& exception) {
    return {ErrorCode::kInternal, where, exception.what()};
  }
}

std::size_t read_body(char* buffer, std::size_t size, std::size_t count, void* user) noexcept {
  auto& transfer = *static_cast<Transfer*>(user);
  try {
    const std::span<char> room(buffer, size * count);
    if (!transfer.request.source) {
      const std::string_view rest = transfer.request.body.substr(transfer.sent);
      const std::size_t bytes = std::min(rest.size(), room.size());
      std::memcpy(room.data(), rest.data(), bytes);
      transfer.sent += bytes;
      return bytes;
    }
    const auto filled = transfer.request.source(room);
    if (filled) return *filled;
    transfer.fail(filled.error());
  } catch (...) {
    transfer.fail(thrown("http.source"));
  }
  return CURL_READFUNC_ABORT;
}

std::size_t write_body(const char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view bytes(data, size * count);
  try {
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    const bool good = status >= 200 && status < 300;
    std::string& body = transfer.answer.body;
    if (!good) {
      body += bytes.substr(0, kErrorBodyMax - std::min(kErrorBodyMax, body.size()));
      return bytes.size();
    }
    if (transfer.request.head && !transfer.begun) {
      transfer.answer.status = static_cast<int>(status);
      transfer.begun = true;
      if (const Status seen = transfer.request.head(transfer.answer); !seen) {
        transfer.fail(seen.error());
        return bytes.size() + 1;
      }
    }
    if (transfer.request.sink) {
      const Status taken = transfer.request.sink(bytes);
      if (taken) return bytes.size();
      transfer.fail(taken.error());
    } else if (body.size() + bytes.size() > transfer.request.body_max) {
      transfer.fail({ErrorCode::kResourceExhausted, "http",
                     fmt::format("the answer is longer than {} bytes", transfer.request.body_max)});
    } else {
      body += bytes;
      return bytes.size();
    }
  } catch (...) {
    transfer.fail(thrown("http.sink"));
  }
  return bytes.size() + 1;  // Anything but the size ends the transfer.
}

std::size_t take_header(const char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size * count);
  try {
    if (line.starts_with("HTTP/")) transfer.answer.headers.clear();  // A new block after 100 Continue.
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return line.size();
    transfer.answer.headers[to_lower(line.substr(0, colon))] = std::string(trim(line.substr(colon + 1)));
  } catch (...) {
    transfer.fail(thrown("http.header"));
    return line.size() + 1;
  }
  return line.size();
}

/// What curl says, as one of ours.
Error curl_error(CURLcode code, const char* operation, const char* words) {
  std::string detail = words[0] != '\0' ? words : curl_easy_strerror(code);
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
      return {ErrorCode::kRefused, operation, std::move(detail)};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {ErrorCode::kInvalidArgument, operation, std::move(detail)};
    case CURLE_OUT_OF_MEMORY:
      return {ErrorCode::kResourceExhausted, operation, std::move(detail)};
    default:
      return {ErrorCode::kConnectionLost, operation, std::move(detail), true};
  }
}

}  // namespace

struct HttpClient::State {
  HttpSettings settings;
  std::unique_ptr<CURL, EasyDelete> easy{};
  std::unique_ptr<CURLM, MultiDelete> multi{};
  char words[CURL_ERROR_SIZE]{};  // libcurl's own words about its last failure.

  template <class Value>
  void set(CURLoption option, Value value) const {
    curl_easy_setopt(easy.get(), option, value);
  }

  void set_connection() {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_limit.count()));
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!settings.ca_file.empty()) {
      set(CURLOPT_CAINFO, settings.ca_file.c_str());
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    if (!settings.login) return;
    set(CURLOPT_USERNAME, settings.login->user.c_str());
    set(CURLOPT_PASSWORD, settings.login->password.c_str());
    if (settings.login->aws_sigv4.empty())
      set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    else
      set(CURLOPT_AWS_SIGV4, settings.login->aws_sigv4.c_str());
  }

  void set_body(const HttpRequest& request) {
    const bool carries =
        request.method == "PUT" || request.method == "POST" || request.source || !request.body.empty();
    if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    if (carries) {
      set(CURLOPT_UPLOAD, 1L);
      const auto length =
          request.source ? request.body_bytes.value_or(-1) : static_cast<std::int64_t>(request.body.size());
      set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(length));
      // A server that never answers "continue" must not cost a second a request.
      set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
    }
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (!request.silence_max) return;
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.silence_max->count()));
  }

  void set_callbacks(Transfer& transfer) {
    set(CURLOPT_READFUNCTION, &read_body);
    set(CURLOPT_READDATA, &transfer);
    set(CURLOPT_WRITEFUNCTION, &write_body);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_HEADERFUNCTION, &take_header);
    set(CURLOPT_HEADERDATA, &transfer);
    set(CURLOPT_ERRORBUFFER, words);
    set(CURLOPT_BUFFERSIZE, 256L << 10U);
    set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10U);
  }

  /// Runs the transfer to its end or to the bounds of the call.
  Status drive(const CallContext& call, const char* operation) const {
    int running = 1;
    while (true) {
      if (const CURLMcode code = curl_multi_perform(multi.get(), &running); code != CURLM_OK)
        return Error{ErrorCode::kInternal, operation, curl_multi_strerror(code)};
      if (running == 0) return ok();
      LAB_TRY(allowed(call, operation));
      curl_multi_poll(multi.get(), nullptr, 0, kSliceMs, nullptr);
    }
  }

  CURLcode outcome() const {
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi.get(), &left))
      if (message->msg == CURLMSG_DONE) return message->data.result;
    return CURLE_OK;
  }
};

HttpClient::HttpClient(HttpSettings settings) : state_(new State{std::move(settings)}) {
  if (!curl_ready()) return;
  state_->easy.reset(curl_easy_init());
  state_->multi.reset(curl_multi_init());
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;

Result<HttpAnswer> HttpClient::send(const HttpRequest& request, const CallContext& call,
                                    const char* operation) {
  LAB_TRY(allowed(call, operation));
  State& state = *state_;
  if (state.easy == nullptr || state.multi == nullptr)
    return Error{ErrorCode::kResourceExhausted, operation, "libcurl could not be initialized"};
  Transfer transfer{.request = request, .easy = state.easy.get()};
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  const HeaderList headers(list);
  curl_easy_reset(state.easy.get());  // Keeps the connection.
  state.words[0] = '\0';
  state.set_connection();
  state.set_body(request);
  state.set_callbacks(transfer);
  state.set(CURLOPT_URL, request.url.c_str());
  state.set(CURLOPT_HTTPHEADER, headers.get());
  curl_multi_add_handle(state.multi.get(), state.easy.get());
  const Status driven = state.drive(call, operation);
  const CURLcode code = state.outcome();
  long status = 0;
  long connections = 0;
  curl_easy_getinfo(state.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(state.easy.get(), CURLINFO_NUM_CONNECTS, &connections);
  curl_multi_remove_handle(state.multi.get(), state.easy.get());  // Closes what was cut short.
  if (transfer.failure) return *transfer.failure;
  if (!driven) return driven.error();
  if (code != CURLE_OK) return curl_error(code, operation, state.words);
  if (status < 0 || status > 999)  // As libcurl reads "HTTP/2166666665".
    return Error{ErrorCode::kCorruption, operation,
                 "the answer is not HTTP: its status has not three digits"};
  transfer.answer.status = static_cast<int>(status);
  transfer.answer.connected_anew = connections > 0;
  return std::move(transfer.answer);
}

}  // namespace lab
