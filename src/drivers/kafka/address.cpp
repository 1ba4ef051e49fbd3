// A list of hosts is no URL: it is split first, then each host is read as one of its own.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/address.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "driver/server_url.hpp"

namespace lab::kafka {
namespace {

constexpr std::uint16_t kDefaultPort = 9092;

Error bad(std::string why) { return {ErrorCode::kInvalidArgument, "url", std::move(why)}; }

const std::vector<std::string>& schemes() {
  static const std::vector<std::string> kSchemes{"kafka"};
  return kSchemes;
}

Status check_word(const char* parameter, const std::string& word, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), word) != known.end()) return ok();
  return bad(
      fmt::format("parameter '{}' is '{}'{}", parameter, to_valid_utf8(word), suggestion(word, known)));
}

std::string value_of(const ServerUrl& url, const char* key) {
  const auto found = url.parameters.find(key);
  return found == url.parameters.end() ? "" : found->second;
}

Status read_security(const ServerUrl& url, Address& address) {
  address.security = value_of(url, "security");
  if (!url.parameters.contains("security")) address.security = url.user.empty() ? "ssl" : "sasl_ssl";
  LAB_TRY(check_word("security", address.security, {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}));
  const bool sasl = address.security.starts_with("sasl");
  if (sasl && url.user.empty()) return bad(address.security + " needs a user: kafka://user@host:port/...");
  if (!sasl && !url.user.empty())
    return bad(fmt::format("a user is never named with security={}: say sasl_ssl or sasl_plaintext",
                           address.security));
  address.user = url.user;
  address.mechanism = value_of(url, "mechanism");
  if (sasl && address.mechanism.empty())
    return bad("parameter 'mechanism' is missing: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
  if (sasl) LAB_TRY(check_word("mechanism", address.mechanism, {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}));
  if (!sasl && url.parameters.contains("mechanism"))
    return bad("parameter 'mechanism' goes with security=sasl_ssl or sasl_plaintext alone");
  address.tls_ca = value_of(url, "tls_ca");
  if (!address.encrypted() && url.parameters.contains("tls_ca"))
    return bad("parameter 'tls_ca' goes with security=ssl or sasl_ssl alone");
  return ok();
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  if (trim(text).empty()) return bad("it is missing: write kafka://user@host:port,host:port/?security=...");
  if (scheme_end == std::string_view::npos)
    return bad("write kafka://user@host:port,host:port/?security=...");
  const std::size_t begin = scheme_end + 3;
  const std::size_t end = std::min(text.find_first_of("/?#", begin), text.size());
  const std::string_view authority = text.substr(begin, end - begin);
  const std::size_t at = authority.rfind('@');
  const std::size_t first_host = at == std::string_view::npos ? 0 : at + 1;
  const std::string before = std::string(text.substr(0, begin + first_host));
  const std::vector<std::string> parameters{"security", "mechanism", "tls_ca"};
  Address address;
  for (const std::string& host : split(authority.substr(first_host), ',')) {
    const std::string one = before + host + std::string(text.substr(end));
    const auto url = parse_server_url(one, schemes(), kDefaultPort, parameters);
    if (!url) return url.error();
    if (!url->path.empty()) return bad("a path after the hosts has no meaning here");
    if (address.hosts.empty()) LAB_TRY(read_security(*url, address));
    const bool v6 = url->host.find(':') != std::string::npos;
    address.hosts.push_back(fmt::format("{}{}{}:{}", v6 ? "[" : "", url->host, v6 ? "]" : "", url->port));
  }
  return address;
}

}  // namespace lab::kafka
