// SPDX-License-Identifier: Apache-2.0
#include "model/endpoint.hpp"

#include <algorithm>

namespace lab {
namespace {

Error bad(const char* why) { return {ErrorCode::kInvalidArgument, "endpoint.url", why}; }

bool is_name(std::string_view text, bool with_colon) {
  const auto first = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (with_colon && c == ':');
  };
  return !text.empty() && first(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return first(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

Status check_endpoint_url(std::string_view url) {
  std::string_view rest = url;
  if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  else if (rest.starts_with("https://"))
    rest.remove_prefix(8);
  else
    return bad("the address does not begin with http:// or https://");
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.empty() || host.front() == ':') return bad("the address has no host");
  if (host.find('@') != std::string_view::npos)
    return bad("the address has a user or a password in it; they have settings of their own");
  const auto unfit = [](unsigned char c) { return c <= ' ' || c >= 0x7F; };
  if (std::any_of(url.begin(), url.end(), unfit)) return bad("the address has a blank or is not encoded");
  return ok();
}

Status check_base_url(std::string_view url) {
  LAB_TRY(check_endpoint_url(url));
  if (url.find_first_of("?#") != std::string_view::npos) return bad("the address ends with more than a path");
  return ok();
}

bool is_metric_name(std::string_view text) { return is_name(text, true); }
bool is_label_name(std::string_view text) { return is_name(text, false); }

}  // namespace lab
