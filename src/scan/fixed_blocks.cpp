// SPDX-License-Identifier: Apache-2.0
#include "scan/fixed_blocks.hpp"

#include <algorithm>

namespace lab::scan {

/// Blocks of one size. A leaf is given bytes; any other is given the smaller blocks that it is made of.
class FixedBlocks::Node {
 public:
  Node(FingerprintKind kind, const Level& level, Node* part) : kind_(kind), level_(level), part_(part) {
    if (part_ != nullptr) {
      part_->made_of_this_.push_back(this);
      const std::vector<Fingerprint> parts(size() / part_->size(), part_->zero_);
      zero_ = fingerprint_of(kind_, std::span<const Fingerprint>(parts));
      parts_.reserve(parts.size());
    } else {
      const std::vector<std::byte> zeros(size());
      zero_ = fingerprint_of(kind_, std::span<const std::byte>(zeros));
      carry_.reserve(size());
    }
  }

  const ChunkerSpec& spec() const noexcept { return level_.spec; }
  std::uint32_t size() const noexcept { return level_.spec.size; }
  bool leaf() const noexcept { return part_ == nullptr; }
  std::size_t memory() const { return carry_.capacity() + parts_.capacity() * sizeof(Fingerprint); }

  void begin(bool at_start) {
    due_ = at_start && level_.spec.align > 0 ? level_.spec.align : size();
    filled_ = 0;
    zero_so_far_ = true;
    carry_.clear();
    parts_.clear();
  }

  void bytes(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      if (at_block() && bytes.size() >= size()) {
        whole_block(bytes.first(size()));
        bytes = bytes.subspan(size());
        continue;
      }
      const auto some = bytes.first(std::min<std::size_t>(bytes.size(), due_ - filled_));
      carry_.insert(carry_.end(), some.begin(), some.end());
      bytes = bytes.subspan(some.size());
      filled_ += static_cast<std::uint32_t>(some.size());
      if (filled_ == due_) close();
    }
  }

  void zeros(std::uint64_t count) {
    while (count > 0) {
      if (at_block() && count >= size()) {
        zero_blocks(count / size());
        count %= size();
        continue;
      }
      const std::uint64_t some = std::min<std::uint64_t>(count, due_ - filled_);
      carry_.resize(carry_.size() + some);
      count -= some;
      filled_ += static_cast<std::uint32_t>(some);
      if (filled_ == due_) close();
    }
  }

  void end() {
    if (filled_ > 0) close();
    for (Node* other : made_of_this_) other->end();
  }

 private:
  bool at_block() const noexcept { return filled_ == 0 && due_ == size(); }

  void whole_block(std::span<const std::byte> block) {
    if (all_zero(block))
      zero_blocks(1);
    else
      emit(fingerprint_of(kind_, block), size(), false);
  }

  void add_part(const Fingerprint& fingerprint, std::uint32_t length, bool zero) {
    parts_.push_back(fingerprint);
    filled_ += length;
    zero_so_far_ = zero_so_far_ && zero;
    if (filled_ == due_) close();
  }

  void add_zero_parts(std::uint64_t count) {
    const std::uint64_t ratio = size() / part_->size();
    while (count > 0) {
      if (at_block() && count >= ratio) {
        zero_blocks(count / ratio);
        count %= ratio;
        continue;
      }
      add_part(part_->zero_, part_->size(), true);
      count -= 1;
    }
  }

  /// The block that was collected, whole or not.
  void close() {
    const bool zero = leaf() ? all_zero(carry_) : zero_so_far_;
    const std::uint32_t length = filled_;
    Fingerprint fingerprint{};
    const bool whole_zero = zero && length == size();
    if (!whole_zero)
      fingerprint = leaf() ? fingerprint_of(kind_, std::span<const std::byte>(carry_))
                           : fingerprint_of(kind_, std::span<const Fingerprint>(parts_));
    begin(false);
    if (whole_zero)
      zero_blocks(1);
    else
      emit(fingerprint, length, zero);
  }

  void emit(const Fingerprint& fingerprint, std::uint32_t length, bool zero) {
    level_.stream->add(fingerprint, length, zero);
    for (Node* other : made_of_this_) other->add_part(fingerprint, length, zero);
  }

  void zero_blocks(std::uint64_t count) {
    level_.stream->add_zero_blocks(count, size());
    for (Node* other : made_of_this_) other->add_zero_parts(count);
  }

  FingerprintKind kind_;
  Level level_;
  Node* part_;  // The block that this one is made of.
  std::vector<Node*> made_of_this_{};
  Fingerprint zero_{};              // Of a whole block of zeros.
  std::uint32_t due_ = 0;           // Length of the block that is being collected.
  std::uint32_t filled_ = 0;        // Of it.
  bool zero_so_far_ = true;         // Its parts; a leaf looks at its bytes.
  std::vector<std::byte> carry_{};  // A leaf's: bytes of a block that one call did not give whole.
  std::vector<Fingerprint> parts_{};
};

FixedBlocks::FixedBlocks(FingerprintKind kind, std::span<const Level> levels) {
  std::vector<Level> sorted(levels.begin(), levels.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Level& a, const Level& b) { return a.spec.size < b.spec.size; });
  for (const Level& level : sorted) {
    Node* part = nullptr;  // The largest that fits: the fewest fingerprints to hash again.
    for (const auto& node : nodes_)
      if (level.spec.size % node->size() == 0 && level.spec.align == node->spec().align) part = node.get();
    nodes_.push_back(std::make_unique<Node>(kind, level, part));
    if (part == nullptr) leaves_.push_back(nodes_.back().get());
  }
  begin(true);
}

FixedBlocks::~FixedBlocks() = default;
FixedBlocks::FixedBlocks(FixedBlocks&&) noexcept = default;

void FixedBlocks::begin(bool at_start) {
  for (const auto& node : nodes_) node->begin(at_start);
}
void FixedBlocks::bytes(std::span<const std::byte> bytes) {
  for (Node* leaf : leaves_) leaf->bytes(bytes);
}
void FixedBlocks::zeros(std::uint64_t count) {
  for (Node* leaf : leaves_) leaf->zeros(count);
}
void FixedBlocks::end() {
  for (Node* leaf : leaves_) leaf->end();
}
std::size_t FixedBlocks::memory() const {
  std::size_t total = 0;
  for (const auto& node : nodes_) total += node->memory();
  return total;
}

}  // namespace lab::scan
