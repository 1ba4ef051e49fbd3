// SPDX-License-Identifier: Apache-2.0
#include "scan/cdc_scalar.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "core/random.hpp"
#include "scan/chunker_spec.hpp"

namespace lab::scan {
namespace {

/// A random number for each byte; fixed, so that cuts are the same everywhere.
constexpr std::array<std::uint64_t, 256> gear_table() {
  std::array<std::uint64_t, 256> table{};
  Random random(0x6765617220746162ULL);
  for (std::uint64_t& entry : table) entry = random.next();
  return table;
}
constexpr std::array<std::uint64_t, 256> kGear = gear_table();

class ScalarCutFinder final : public CutFinder {
 public:
  explicit ScalarCutFinder(std::span<const std::uint32_t> averages) {
    for (const std::uint32_t average : averages) {
      // The highest bits depend on the most bytes: 64 of them.
      const auto bits = static_cast<unsigned>(std::countr_zero(average));
      settings_.push_back({~0ULL << (64U - bits), cdc_min(average), cdc_max(average), 0});
      weakest_ = settings_.size() == 1 ? settings_.front().mask : weakest_ & settings_.back().mask;
    }
  }

  void begin_file() override {
    hash_ = 0;
    at_ = 0;
    for (Setting& setting : settings_) setting.last = 0;
  }

  void feed(std::span<const std::byte> bytes, std::vector<std::vector<std::uint64_t>>& cuts) override {
    std::uint64_t hash = hash_;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      hash = (hash << 1U) + kGear[std::to_integer<std::size_t>(bytes[i])];
      if ((hash & weakest_) == 0) candidate(at_ + i + 1, hash, cuts);
    }
    hash_ = hash;
    at_ += bytes.size();
    for (std::size_t i = 0; i < settings_.size(); ++i) cut_long(settings_[i], at_, cuts[i]);
  }

 private:
  struct Setting {
    std::uint64_t mask = 0;
    std::uint64_t min = 0;
    std::uint64_t max = 0;
    std::uint64_t last = 0;  // Where the chunk begins.
  };

  /// A chunk that has reached its longest is cut there, whatever the content.
  static void cut_long(Setting& setting, std::uint64_t up_to, std::vector<std::uint64_t>& cuts) {
    while (up_to - setting.last >= setting.max) cuts.push_back(setting.last += setting.max);
  }

  void candidate(std::uint64_t at, std::uint64_t hash, std::vector<std::vector<std::uint64_t>>& cuts) {
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      Setting& setting = settings_[i];
      cut_long(setting, at, cuts[i]);
      if ((hash & setting.mask) == 0 && at - setting.last >= setting.min)
        cuts[i].push_back(setting.last = at);
    }
  }

  std::vector<Setting> settings_{};
  std::uint64_t weakest_ = 0;  // Bits that every setting asks for.
  std::uint64_t hash_ = 0;
  std::uint64_t at_ = 0;
};

}  // namespace

std::unique_ptr<CutFinder> make_scalar_cut_finder(std::span<const std::uint32_t> averages) {
  return std::make_unique<ScalarCutFinder>(averages);
}

}  // namespace lab::scan
