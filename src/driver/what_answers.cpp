// libcurl resolves and connects, since a resolver that hangs must not hold us; what goes over the wire is
// ours. SPDX-License-Identifier: Apache-2.0
#include "driver/what_answers.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "core/text.hpp"
#include "driver/waiting.hpp"

namespace lab {
namespace {

using namespace std::string_view_literals;

constexpr const char* kOperation = "what_answers";
constexpr Millis kConnectLimit{500};
constexpr Millis kLimit{2'000};      // Of all.
constexpr Millis kAnswerLimit{500};  // A server that is there says something at once, also a busy one.
constexpr std::size_t kBytesMax = 4'096;

/// A GET makes HTTP and Redis answer; MySQL speaks first, whatever it is asked.
constexpr std::string_view kGet = "GET / HTTP/1.0\r\n\r\n";
/// PostgreSQL's SSLRequest (docs, Message Formats): answered by one byte, S or N.
constexpr std::string_view kSslRequest = "\x00\x00\x00\x08\x04\xd2\x16\x2f"sv;
/// Kafka's ApiVersions in version 0 with the correlation id "labs" and an empty client id.
constexpr std::string_view kApiVersions = "\x00\x00\x00\x0a\x00\x12\x00\x00labs\x00\x00"sv;

struct EasyDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDelete>;

EasyHandle connected(const Place& place) {
  EasyHandle easy(curl_easy_init());
  if (easy == nullptr) return easy;
  const std::string url = "http://" + to_string(place);
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kConnectLimit.count()));
  if (curl_easy_perform(easy.get()) != CURLE_OK) easy.reset();
  return easy;
}

/// The first bytes that come after `question`, until they are of a protocol that is known, or the end.
/// Nothing where nobody takes the connection.
std::optional<std::string> answer_to(const Place& place, std::string_view question, const CallContext& call) {
  const EasyHandle easy = connected(place);
  if (easy == nullptr) return std::nullopt;
  std::string answer;
  std::size_t moved = 0;
  if (curl_easy_send(easy.get(), question.data(), question.size(), &moved) != CURLE_OK) return answer;
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(easy.get(), CURLINFO_ACTIVESOCKET, &socket);
  const CallContext bounded = within(call, kAnswerLimit);
  while (answer.size() < kBytesMax && wait_socket(socket, SocketFor::kRead, bounded, kOperation)) {
    std::array<char, kBytesMax> bytes{};
    const CURLcode read = curl_easy_recv(easy.get(), bytes.data(), bytes.size(), &moved);
    if (read == CURLE_AGAIN) continue;
    if (read != CURLE_OK || moved == 0) break;
    answer.append(bytes.data(), moved);
    // HTTP is known by its first line; whose it is stands below.
    const auto known = protocol_in(answer);
    if (known && *known != Protocol::kHttp) break;
  }
  return answer;
}

/// Whose server of HTTP it is, by what it says of itself.
Protocol http_of(std::string_view answer) {
  const std::string words = to_lower(answer);
  const auto has = [&](std::string_view word) { return words.find(word) != std::string::npos; };
  // ClickHouse answers "Ok." to GET /; since 19 a header names it, and so does what its native port says.
  if (has("x-clickhouse-") || has("clickhouse-client") || words.ends_with("\r\n\r\nok.\n"))
    return Protocol::kClickhouse;
  if (has("<listallmybucketsresult") || has("x-amz-request-id") || has("<code>accessdenied</code>"))
    return Protocol::kS3;
  return Protocol::kHttp;
}

bool is_mysql(std::string_view bytes) {
  // A packet's length in 3 bytes, number 0, then protocol version 10 or an error.
  if (bytes.size() < 5 || bytes[3] != 0) return false;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  const std::size_t length = byte(0) | std::size_t{byte(1)} << 8U | std::size_t{byte(2)} << 16U;
  return (byte(4) == 0x0A || byte(4) == 0xFF) && length + 4 <= bytes.size();
}

}  // namespace

std::string_view to_string(Protocol protocol) noexcept {
  constexpr std::array<std::string_view, 7> kNames{
      "PostgreSQL", "MySQL or MariaDB", "Redis", "Kafka", "ClickHouse", "S3", "HTTP"};
  return kNames[static_cast<std::size_t>(protocol)];
}

std::optional<Protocol> protocol_in(std::string_view bytes) {
  if (bytes == "S" || bytes == "N") return Protocol::kPostgresql;
  if (bytes.starts_with("HTTP/")) return http_of(bytes);
  for (const std::string_view redis : {"-ERR "sv, "-NOAUTH "sv, "-DENIED "sv, "-NOPERM "sv, "-LOADING "sv})
    if (bytes.starts_with(redis)) return Protocol::kRedis;
  if (bytes.size() > 8 && bytes[0] == 0 && bytes.substr(4, 4) == "labs") return Protocol::kKafka;
  if (is_mysql(bytes)) return Protocol::kMysql;
  return std::nullopt;
}

std::optional<Place> place_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  url = url.substr(0, url.find(','));
  const std::size_t colon = url.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Place place{.host = std::string(url.substr(0, colon))};
  const std::string_view port = url.substr(colon + 1);
  const auto read = std::from_chars(port.data(), port.data() + port.size(), place.port);
  if (read.ec != std::errc{} || read.ptr != port.data() + port.size() || place.port == 0) return std::nullopt;
  if (place.host.starts_with('[') && place.host.ends_with(']'))
    place.host = place.host.substr(1, place.host.size() - 2);
  else if (place.host.empty() || place.host.find(':') != std::string::npos)
    return std::nullopt;
  return place;
}

std::string to_string(const Place& place) {
  const bool is_v6 = place.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), place.host, place.port);
}

std::optional<Protocol> what_answers(const Place& place, const CallContext& call) {
  const CallContext bounded = within(call, kLimit);
  for (const std::string_view question : {kGet, kSslRequest, kApiVersions}) {
    if (!allowed(bounded, kOperation)) return std::nullopt;
    const auto answer = answer_to(place, question, bounded);
    if (!answer) return std::nullopt;
    if (const auto known = protocol_in(*answer)) return known;
  }
  return std::nullopt;
}

}  // namespace lab
