// SPDX-License-Identifier: Apache-2.0
#include "payload/made_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "model/mix.hpp"
#include "payload/sizes.hpp"

namespace lab {
namespace {

class MadeSource final : public ContentSource {
 public:
  MadeSource(MadeMix mix, const DatasetSpec& spec)
      : mix_(std::move(mix)),
        smallest_any_(smallest_any_size(mix_)),
        law_(spec.object_size),
        dataset_seed_(spec.dataset_seed),
        contents_max_(made_contents_max(*mix_.kinds.front(), size_range(law_, smallest_any_).smallest)) {}

  std::uint64_t contents_max() const override { return contents_max_; }
  std::string_view mime_of(std::uint64_t content) const override { return kind_of(content).mime; }

  Result<Bytes> size_of(std::uint64_t content) const override {
    if (content >= contents_max_) return no_such(content);
    return drawn_size(law_, {dataset_seed_, content}, smallest_any_);
  }

  Status fill(std::uint64_t content, std::vector<std::byte>& out) const override {
    const auto size = size_of(content);
    if (!size) return size.error();
    try {
      const ContentKey key{dataset_seed_, content};
      const auto bytes = static_cast<std::size_t>(size->count);
      if (mix_.compressible)
        make_compressible_binary(key, bytes, *mix_.compressible, out);
      else
        kind_of(content).make(key, bytes, out);
    } catch (const std::bad_alloc&) {
      return Error{ErrorCode::kResourceExhausted, "payload",
                   fmt::format("no memory for an object of {}", format_bytes(*size))};
    }
    return ok();
  }

 private:
  const MadeKind& kind_of(std::uint64_t content) const {
    return *mix_.kinds[mix_.order[content % mix_.order.size()]];
  }

  Error no_such(std::uint64_t content) const {
    return {ErrorCode::kInvalidArgument, "payload",
            fmt::format("content {} of {}: there are {}", content, mix_.payload, contents_max_)};
  }

  MadeMix mix_;
  Bytes smallest_any_;
  SizeLaw law_;
  std::uint64_t dataset_seed_;
  std::uint64_t contents_max_;
};

/// The quota method of Balinski and Young (1975): of the kinds that may have one more content without
/// exceeding their share rounded up, the one that would be farthest behind. At every length each kind has its
/// share, rounded down or up.
std::vector<std::uint8_t> order_of(const std::vector<MixShare>& shares) {
  std::uint64_t sum = 0;
  for (const MixShare& share : shares) sum += static_cast<std::uint64_t>(share.share);
  std::vector<std::uint64_t> counts(shares.size());
  std::vector<std::uint8_t> order;
  for (std::uint64_t length = 1; length <= sum; ++length) {
    std::size_t next = shares.size();
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const auto share = static_cast<std::uint64_t>(shares[i].share);
      if (counts[i] * sum >= length * share) continue;
      const bool behind =
          next == shares.size() ||
          share * (counts[next] + 1) > static_cast<std::uint64_t>(shares[next].share) * (counts[i] + 1);
      if (behind) next = i;
    }
    counts[next] += 1;
    order.push_back(static_cast<std::uint8_t>(next));
  }
  return order;
}

}  // namespace

bool is_made(std::string_view payload) { return is_mixed(payload) || find_made_kind(payload) != nullptr; }

Result<MadeMix> made_mix(std::string_view payload) {
  MadeMix mix{.payload = std::string(payload)};
  if (!is_mixed(payload)) {
    mix.kinds = {find_made_kind(payload)};
    mix.order = {0};
    return mix;
  }
  const auto shares = parse_mix(payload, made_kind_names());
  if (!shares) return shares.error();
  for (const MixShare& share : *shares) mix.kinds.push_back(find_made_kind(share.kind));
  mix.order = order_of(*shares);
  return mix;
}

Result<MadeMix> made_mix(const DatasetSpec& spec) {
  auto mix = made_mix(spec.payload);
  if (!mix || !spec.compressible) return mix;
  if (mix->kinds.size() > 1 || mix->kinds.front()->purpose != Purpose::kBinary)
    return Error{
        ErrorCode::kInvalidArgument, "payload",
        fmt::format("compressible {}: {} compresses as it does; random_binary can be asked for a share",
                    compressible_name(*spec.compressible), spec.payload)};
  mix->compressible = spec.compressible;
  return mix;
}

Bytes smallest_any_size(const MadeMix& mix) {
  if (mix.compressible) return kSmallestCompressible;
  const auto smallest = [](const MadeKind* kind) { return kind->smallest_any; };
  return (*std::ranges::max_element(mix.kinds, {}, smallest))->smallest_any;
}

Bytes smallest_size(const MadeMix& mix, std::uint64_t objects) {
  // In a mix every kind has to fit, whatever content the number of objects ends with.
  return mix.kinds.size() == 1 && !mix.compressible ? smallest_made_size(*mix.kinds.front(), objects)
                                                    : smallest_any_size(mix);
}

std::unique_ptr<const ContentSource> make_made_source(MadeMix mix, const DatasetSpec& spec) {
  return std::make_unique<const MadeSource>(std::move(mix), spec);
}

}  // namespace lab
