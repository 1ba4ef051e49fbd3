// SPDX-License-Identifier: Apache-2.0
#include "stage/chain_state.hpp"

#include <cstring>
#include <unordered_set>

namespace lab {

Digest keyed_digest(const ObjectId& id, std::uint32_t container, const Digest& payload) {
  std::array<std::byte, 16 + 4 + 32> bound{};
  std::memcpy(bound.data(), id.data(), id.size());
  std::memcpy(bound.data() + 16, &container, 4);
  std::memcpy(bound.data() + 20, payload.data(), payload.size());
  return sha256(bound);
}

ChainState::ChainState(std::shared_ptr<const Dataset> dataset, Keeps keeps)
    : dataset_(std::move(dataset)), keeps_(keeps) {}

ObjectOrder ChainState::order_of(std::uint64_t number) const {
  const ObjectFacts facts = dataset_->facts(number);
  const auto updated = updated_.find(number);
  return {{number, facts.id, facts.container}, updated == updated_.end() ? facts.content : updated->second};
}

std::vector<std::uint64_t> ChainState::held_numbers() const {
  std::vector<std::uint64_t> numbers;
  if (!live_) return numbers;
  for (std::uint64_t number = 0; number < dataset_->objects(); ++number)
    if (!only_survivors() || !dataset_->facts(number).copy_of) numbers.push_back(number);
  return numbers;
}

bool ChainState::only_survivors() const {
  return keeps_ == Keeps::kOnePerKeyAtIngestion ||
         (keeps_ == Keeps::kOnePerKeyAfterMaintenance && compacted_);
}

void ChainState::note_put(const ObjectKey& key, const Digest& digest) {
  const Digest keyed = keyed_digest(key.id, key.container, digest);
  all_.add(keyed);
  if (dataset_->facts(key.number).copy_of) return;
  survivors_.add(keyed);
  contents_.add(digest);
}

void ChainState::note_replaced(const ObjectKey& key, const Digest& old_digest, const Digest& new_digest,
                               std::uint64_t new_content) {
  all_.remove(keyed_digest(key.id, key.container, old_digest));
  all_.add(keyed_digest(key.id, key.container, new_digest));
  updated_[key.number] = new_content;
}

Status ChainState::finish_insert() {
  live_ = true;
  compacted_ = false;
  return recount();
}

Status ChainState::finish_update() { return recount(); }

void ChainState::finish_delete() {
  live_ = false;
  updated_.clear();
  all_ = {};
  survivors_ = {};
  contents_ = {};
  expected_ = {};
}

void ChainState::finish_maintenance() {
  compacted_ = true;
  if (live_ && keeps_one_per_key()) ignore(recount(), "sizes were known when the objects were inserted");
}

Status ChainState::recount() {
  Expected now;
  std::unordered_set<std::uint64_t> seen;
  std::unordered_set<std::uint64_t> originals;
  Bytes distinct;
  for (std::uint64_t number = 0; number < dataset_->objects(); ++number) {
    const std::uint64_t content = order_of(number).content;
    const auto size = dataset_->source().size_of(content);
    if (!size) return size.error();
    const bool first = seen.insert(content).second;
    now.logical += *size;
    if (first) distinct += *size;
    if (const auto near = dataset_->source().near_copy(content);
        near && !originals.insert(near->original).second)
      now.near_duplicate += near->shared;
  }
  now.objects = dataset_->objects();
  now.unique_objects = seen.size();
  // Blocks repeat in objects that are all kept; no update replaces one, since there is no other content.
  now.unique = distinct - dataset_->repeated_in_objects();
  now.keyed = all_;
  now.contents = contents_;
  if (only_survivors()) {
    now.objects = now.unique_objects;
    now.logical = distinct;
    now.keyed = survivors_;
  }
  expected_ = now;
  return ok();
}

}  // namespace lab
