// libcurl's URL parser does the taking apart.
// SPDX-License-Identifier: Apache-2.0
#include "driver/server_url.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "core/text.hpp"

namespace lab {
namespace {

Error bad(std::string why) { return {ErrorCode::kInvalidArgument, "url", std::move(why)}; }

struct UrlDelete {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDelete>;

/// A part of the URL; nothing where it has none.
std::optional<std::string> part_of(const UrlHandle& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::string decoded(std::string_view text) {
  int length = 0;
  char* const plain = curl_easy_unescape(nullptr, text.data(), static_cast<int>(text.size()), &length);
  if (plain == nullptr) return std::string(text);
  std::string copy(plain, static_cast<std::size_t>(length));
  curl_free(plain);
  return copy;
}

Status read_parameters(const std::string& query, std::span<const std::string> known, ServerUrl& url) {
  for (const std::string& pair : split(query, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string key = decoded(std::string_view(pair).substr(0, equals));
    if (std::find(known.begin(), known.end(), key) == known.end())
      return bad(fmt::format("unknown parameter '{}'{}", key,
                             known.empty() ? "; none may be given" : suggestion(key, known)));
    const std::string value =
        equals == std::string::npos ? "" : decoded(std::string_view(pair).substr(equals + 1));
    if (!url.parameters.emplace(key, value).second)
      return bad(fmt::format("parameter '{}' stands twice", key));
  }
  return ok();
}

}  // namespace

Result<ServerUrl> parse_server_url(std::string_view text, std::span<const std::string> schemes,
                                   std::uint16_t default_port, std::span<const std::string> parameters) {
  const UrlHandle handle(curl_url());
  if (handle == nullptr) return Error{ErrorCode::kResourceExhausted, "url", "no memory"};
  const CURLUcode code =
      curl_url_set(handle.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_NON_SUPPORT_SCHEME);
  const std::string form = fmt::format("write {}://user@host:port/...", join(schemes, " or "));
  if (trim(text).empty()) return bad("it is missing: " + form);
  if (code != CURLUE_OK) return bad(fmt::format("{}; {}", curl_url_strerror(code), form));
  ServerUrl url;
  url.scheme = part_of(handle, CURLUPART_SCHEME).value_or("");
  if (std::find(schemes.begin(), schemes.end(), url.scheme) == schemes.end())
    return bad(fmt::format("'{}' is not a scheme of this system; {}", url.scheme, form));
  if (part_of(handle, CURLUPART_PASSWORD))
    return bad("it holds a password: use password_env or password_file");
  url.user = part_of(handle, CURLUPART_USER, CURLU_URLDECODE).value_or("");
  url.host = part_of(handle, CURLUPART_HOST).value_or("");
  if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
  if (url.host.empty()) return bad("it names no host; " + form);
  // libcurl takes "host:" for "host"; where a variable was left empty that would be another server.
  const std::string_view behind = text.substr(std::min(text.size(), text.find("://") + 3));
  if (behind.substr(0, behind.find_first_of("/?#")).ends_with(':'))
    return bad("it has a colon behind the host and no port; " + form);
  url.port = default_port;
  if (const auto port = part_of(handle, CURLUPART_PORT))
    std::from_chars(port->data(), port->data() + port->size(), url.port);
  url.path = decoded(part_of(handle, CURLUPART_PATH).value_or("/").substr(1));
  LAB_TRY(read_parameters(part_of(handle, CURLUPART_QUERY).value_or(""), parameters, url));
  return url;
}

bool is_loopback(const std::string& host) {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == IN_LOOPBACKNET;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  return host == "localhost";
}

}  // namespace lab
