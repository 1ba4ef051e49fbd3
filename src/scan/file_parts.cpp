// SPDX-License-Identifier: Apache-2.0
#include "scan/file_parts.hpp"

#include <algorithm>
#include <array>

namespace lab::scan {
namespace {

constexpr std::size_t kAgain = 16U << 10U;  // Bytes that are cut again between two looks for a common cut.

template <class Takers>
std::vector<CdcChunks::Level> levels_of(std::span<const ChunkerSpec> specs, Takers& takers) {
  std::vector<CdcChunks::Level> levels;
  for (std::size_t i = 0; i < specs.size(); ++i) levels.push_back({specs[i], &takers[i]});
  return levels;
}

/// Passes chunks on until one ends where one of the part's own does.
class UntilCommon final : public ChunkTaker {
 public:
  /// Of the next part: its own chunks, the bytes of the open chunk before it, and where chunks go.
  void begin(std::span<const CutChunk> own, std::uint64_t before, ChunkTaker& out) {
    own_ = own;
    before_ = before;
    out_ = &out;
    end_ = 0;
    next_ = 0;
    common_ = false;
  }

  void take(const Fingerprint& fingerprint, std::uint32_t length, bool zero) override {
    if (common_) return;
    out_->take(fingerprint, length, zero);
    end_ += length;
    while (next_ < own_.size() && own_[next_].end + before_ < end_) ++next_;
    common_ = next_ < own_.size() && own_[next_].end + before_ == end_;
  }

  bool common() const noexcept { return common_; }
  /// Those behind the common end.
  std::span<const CutChunk> rest() const { return own_.subspan(next_ + 1); }

 private:
  std::span<const CutChunk> own_{};
  std::uint64_t before_ = 0;
  ChunkTaker* out_ = nullptr;
  std::uint64_t end_ = 0;
  std::size_t next_ = 0;
  bool common_ = false;
};

void pass_on(std::span<const CutChunk> chunks, ChunkTaker& out) {
  for (const CutChunk& chunk : chunks) out.take(chunk.fingerprint, chunk.length, chunk.zero);
}

}  // namespace

void PartCutter::Recorder::take(const Fingerprint& fingerprint, std::uint32_t length, bool zero) {
  end += length;
  by_content += length < longest ? 1 : 0;
  chunks.push_back({fingerprint, end, length, zero});
}

std::vector<PartCutter::Recorder> PartCutter::recorders_of(std::span<const ChunkerSpec> specs) {
  std::vector<Recorder> recorders(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) recorders[i].longest = longest_chunk(specs[i]);
  return recorders;
}

PartCutter::PartCutter(FingerprintKind kind, std::span<const ChunkerSpec> specs, PartHead head)
    : head_(head), recorders_(recorders_of(specs)), cutter_(kind, levels_of(specs, recorders_)) {}

void PartCutter::begin(std::size_t bytes, PartCuts old) {
  bytes_ = std::move(old.bytes);
  bytes_.clear();
  bytes_.reserve(bytes);
  hole_ = 0;
  for (std::size_t i = 0; i < recorders_.size() && i < old.chunks.size(); ++i) {
    recorders_[i].chunks = std::move(old.chunks[i]);
    recorders_[i].chunks.clear();
  }
}

void PartCutter::bytes(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  unfold_hole();
  if (keeps()) bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  cutter_.bytes(bytes);
  size_ += bytes.size();
}

void PartCutter::zeros(std::uint64_t count) {
  hole_ += count;
  if (size_ > 0) unfold_hole();
}

void PartCutter::unfold_hole() {
  if (keeps()) bytes_.resize(bytes_.size() + hole_);
  cutter_.zeros(hole_);
  size_ += std::exchange(hole_, 0);
}

/// Once a byte was not kept, none behind it is.
bool PartCutter::keeps() const {
  return bytes_.size() == size_ &&
         (size_ < head_.bytes || std::any_of(
                                     recorders_.begin(), recorders_.end(),
                                     [this](const Recorder& one) { return one.by_content < head_.chunks; }));
}

PartCuts PartCutter::take() {
  PartCuts part{
      .bytes = std::exchange(bytes_, {}), .size = std::exchange(size_, 0), .open = cutter_.take_open()};
  for (Recorder& recorder : recorders_) {
    part.chunks.push_back(std::exchange(recorder.chunks, {}));
    recorder.end = 0;
    recorder.by_content = 0;
  }
  if (part.size == 0) part.hole = std::exchange(hole_, 0);
  return part;
}

struct PartJoiner::Again {
  Again(FingerprintKind kind, const ChunkerSpec& spec)
      : cutter(kind, std::array{CdcChunks::Level{spec, &taker}}) {}
  UntilCommon taker{};
  CdcChunks cutter;  // Points to the taker.
};

PartJoiner::PartJoiner(FingerprintKind kind, std::span<const ChunkerSpec> specs)
    : kind_(kind), specs_(specs.begin(), specs.end()), open_(specs.size()), again_(specs.size()) {
  for (std::size_t i = 0; i < specs_.size(); ++i) holes_.push_back(std::make_unique<Hole>());
}

PartJoiner::PartJoiner(PartJoiner&& other) noexcept = default;
PartJoiner::~PartJoiner() = default;

void PartJoiner::Hole::take(const Fingerprint& fingerprint, std::uint32_t length, bool zero) {
  out->take(fingerprint, length, zero);
}

void PartJoiner::Hole::take_equal(const Fingerprint& fingerprint, std::uint32_t length, bool zero,
                                  std::uint64_t count) {
  out->take_equal(fingerprint, length, zero, count);
}

void PartJoiner::join_hole(std::size_t level, std::uint64_t zeros, ChunkTaker& out) {
  Hole& hole = *holes_[level];
  hole.out = &out;
  if (!hole.cutter) {
    const CdcChunks::Level one{specs_[level], &hole};
    hole.cutter.emplace(kind_, std::span(&one, 1));
    hole.cutter->bytes(std::exchange(open_[level], {}));
  }
  hole.cutter->zeros(zeros);
}

void PartJoiner::leave_hole(std::size_t level) {
  Hole& hole = *holes_[level];
  if (!hole.cutter) return;
  open_[level] = std::move(hole.cutter->take_open().front());
  hole.cutter.reset();
}

Status PartJoiner::join(PartCuts& part, std::span<ChunkTaker* const> out, const ReadRest& rest) {
  for (std::size_t level = 0; level < specs_.size(); ++level) {
    if (part.hole) {
      join_hole(level, *part.hole, *out[level]);
    } else {
      leave_hole(level);
      LAB_TRY(join_level(level, part, *out[level], rest));
    }
    if (part.ends) {
      leave_hole(level);
      again_[level].reset();
    }
    std::vector<std::byte>& open = open_[level];
    if (!part.ends || open.empty()) continue;
    out[level]->take(fingerprint_of(kind_, std::span<const std::byte>(open)),
                     static_cast<std::uint32_t>(open.size()), all_zero(open));
    open.clear();
  }
  return ok();
}

Status PartJoiner::join_level(std::size_t level, PartCuts& part, ChunkTaker& out, const ReadRest& rest) {
  std::vector<std::byte>& open = open_[level];
  if (open.empty()) {
    pass_on(part.chunks[level], out);
    open = std::move(part.open[level]);
    return ok();
  }
  if (!again_[level]) again_[level] = std::make_unique<Again>(kind_, specs_[level]);
  auto& [taker, cutter] = *again_[level];
  taker.begin(part.chunks[level], open.size(), out);
  cutter.bytes(open);
  for (std::size_t at = 0; at < part.size && !taker.common();) {
    if (at == part.bytes.size()) {
      LAB_TRY(rest(part));
      LAB_CHECK(part.bytes.size() == part.size, "a part has all its bytes again");
    }
    const auto left = std::span<const std::byte>(part.bytes).subspan(at);
    const auto some = left.first(std::min(left.size(), kAgain));
    cutter.bytes(some);
    at += some.size();
  }
  std::vector<std::byte> behind = std::move(cutter.take_open().front());
  if (taker.common()) {
    pass_on(taker.rest(), out);
    behind = std::move(part.open[level]);
  }
  open = std::move(behind);
  return ok();
}

PartQueue::PartQueue(FingerprintKind kind, std::vector<ChunkerSpec> specs, std::size_t parts)
    : kind_(kind), specs_(std::move(specs)), parts_(parts) {}

void PartQueue::wait_for_room(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  room_.wait(lock, stop, [this] { return waiting_ < parts_; });
}

Status PartQueue::put(std::size_t file, std::uint64_t number, PartCuts part, std::span<ChunkTaker* const> out,
                      const PartJoiner::ReadRest& rest) {
  std::unique_lock lock(mutex_);
  File& state = files_.try_emplace(file, PartJoiner(kind_, specs_)).first->second;
  state.waiting.emplace(number, std::move(part));
  waiting_ += 1;
  if (state.joining) return ok();
  state.joining = true;
  for (auto next = state.waiting.find(state.next); next != state.waiting.end();
       next = state.waiting.find(state.next)) {
    PartCuts taken = std::move(next->second);
    state.waiting.erase(next);
    lock.unlock();
    LAB_TRY(state.joiner.join(taken, out, rest));
    lock.lock();
    if (old_.size() < parts_) old_.push_back(std::move(taken));
    state.next += 1;
    waiting_ -= 1;
    room_.notify_all();
  }
  state.joining = false;
  return ok();
}

PartCuts PartQueue::old_part() {
  const std::lock_guard lock(mutex_);
  if (old_.empty()) return {};
  PartCuts part = std::move(old_.back());
  old_.pop_back();
  return part;
}

}  // namespace lab::scan
