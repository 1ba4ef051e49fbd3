// SPDX-License-Identifier: Apache-2.0
#include "model/mix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr std::string_view kMixed = "mixed";
constexpr std::string_view kShares = "mixed:";
constexpr int kShareMax = 100;

Error bad(std::string_view payload, std::string_view why) {
  return {ErrorCode::kInvalidArgument, "mix",
          fmt::format("'{}': {}; write \"mixed:structured_json=3+uuid_keys=1\"", payload, why)};
}

Result<MixShare> parse_share(std::string_view payload, std::string_view text,
                             std::span<const std::string> kinds) {
  const std::size_t equals = text.find('=');
  const std::string_view kind = text.substr(0, equals);
  if (std::ranges::find(kinds, kind) == kinds.end())
    return bad(payload, fmt::format("'{}' is not a kind that can be mixed{}", kind, suggestion(kind, kinds)));
  if (equals == std::string_view::npos) return bad(payload, fmt::format("'{}' has no share", kind));
  const std::string_view number = text.substr(equals + 1);
  MixShare share{.kind = std::string(kind)};
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), share.share);
  if (code != std::errc{} || end != number.data() + number.size() || share.share < 1 ||
      share.share > kShareMax)
    return bad(payload,
               fmt::format("the share '{}' of {} is not an integer from 1 to {}", number, kind, kShareMax));
  return share;
}

}  // namespace

bool is_mixed(std::string_view payload) { return payload == kMixed || payload.starts_with(kShares); }

Result<std::vector<MixShare>> parse_mix(std::string_view payload, std::span<const std::string> kinds) {
  if (payload == kMixed)
    return std::vector<MixShare>{
        {"structured_json"}, {"text_document"}, {"uuid_keys"}, {"jsonb_documents"}, {"time_series"}};
  std::vector<MixShare> shares;
  for (const std::string& part : split(payload.substr(kShares.size()), '+')) {
    auto share = parse_share(payload, part, kinds);
    if (!share) return share.error();
    if (std::ranges::find(shares, share->kind, &MixShare::kind) != shares.end())
      return bad(payload, fmt::format("'{}' stands twice", share->kind));
    shares.push_back(std::move(*share));
  }
  if (shares.size() < 2) return bad(payload, "a mix has at least two kinds");
  return shares;
}

}  // namespace lab
