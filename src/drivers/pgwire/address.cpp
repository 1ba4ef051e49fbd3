// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/address.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "driver/server_url.hpp"

namespace lab::pgwire {
namespace {

const std::vector<std::string>& modes() {
  static const std::vector<std::string> kModes{"disable", "allow",     "prefer",
                                               "require", "verify-ca", "verify-full"};
  return kModes;
}

}  // namespace

std::string Address::text() const { return fmt::format("{}:{}/{}", host, port, database); }

std::vector<std::pair<std::string, std::string>> Address::keywords() const {
  std::vector<std::pair<std::string, std::string>> all{{"host", host},
                                                       {"port", std::to_string(port)},
                                                       {"dbname", database},
                                                       {"application_name", "deduplab"},
                                                       {"client_encoding", "UTF8"}};
  if (!user.empty()) all.emplace_back("user", user);
  if (!password.empty()) all.emplace_back("password", password);
  all.insert(all.end(), tls.begin(), tls.end());
  return all;
}

Result<Address> parse_address(const SystemConfig& config, std::uint16_t default_port,
                              std::string_view default_database) {
  const std::string schemes[] = {"postgresql", "postgres"};
  const std::string parameters[] = {"sslmode", "sslrootcert", "sslcert", "sslkey"};
  auto url = parse_server_url(config.url, schemes, default_port, parameters);
  if (!url) return std::move(url).error();
  const auto bad = [](std::string why) { return Error{ErrorCode::kInvalidArgument, "url", std::move(why)}; };
  const std::string database = url->path.empty() ? std::string(default_database) : url->path;
  for (const std::string& part : {url->user, database})
    if (part.find('\0') != std::string::npos) return bad("it holds a NUL");
  if (database.find_first_of("=:") != std::string::npos)  // libpq would take it for a connection string.
    return bad("a database is named with '=' or ':' in it");
  Address address{.host = url->host,
                  .port = url->port,
                  .user = url->user,
                  .database = database,
                  .password = config.password};
  const auto mode = url->parameters.find("sslmode");
  if (mode != url->parameters.end() &&
      std::find(modes().begin(), modes().end(), mode->second) == modes().end())
    return bad(fmt::format("sslmode '{}' is unknown{}", to_valid_utf8(mode->second),
                           suggestion(mode->second, modes())));
  for (const std::string& key : parameters)
    if (const auto found = url->parameters.find(key); found != url->parameters.end())
      address.tls.emplace_back(key, found->second);
  if (mode == url->parameters.end() && (url->parameters.contains("sslrootcert") || !is_loopback(url->host))) {
    address.tls.emplace_back("sslmode", "verify-full");
    address.checked_unasked = true;
  }
  return address;
}

}  // namespace lab::pgwire
