// What the system should hold at each point of a chain, kept beside it and never read from it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "core/hash.hpp"
#include "driver/driver.hpp"
#include "payload/dataset.hpp"
#include "payload/producer.hpp"

namespace lab {

/// The truth after a stage.
struct Expected {
  std::uint64_t objects = 0;  // Live, as acknowledged and as the variant declares.
  Bytes logical{};            // L
  Bytes unique{};             // U: of the distinct objects, or of the distinct units inside of them.
  std::uint64_t unique_objects = 0;
  Bytes near_duplicate{};  // N: of U, what changed copies share with their original.
  DigestSum keyed{};       // Sum of keyed_digest over the live objects.
  DigestSum contents{};    // Sum of the digests of the distinct contents among them.
};

/// Binds a payload's digest to the key under which it lies.
Digest keyed_digest(const ObjectId& id, std::uint32_t container, const Digest& payload);

/// Follows one chain from its reset on. Not thread-safe.
class ChainState {
 public:
  ChainState(std::shared_ptr<const Dataset> dataset, Keeps keeps);

  const Dataset& dataset() const { return *dataset_; }
  const std::shared_ptr<const Dataset>& dataset_pointer() const { return dataset_; }
  Keeps keeps() const { return keeps_; }
  bool keeps_one_per_key() const { return keeps_ != Keeps::kAll; }
  bool live() const { return live_; }

  /// How the number's object is made now, updates included.
  ObjectOrder order_of(std::uint64_t number) const;

  /// Numbers of the objects that the system must hold one by one: all, or the first of each content where the
  /// variant keeps one per key.
  std::vector<std::uint64_t> held_numbers() const;

  /// What the stages report. `digest` is of the payload that was sent.
  void note_put(const ObjectKey& key, const Digest& digest);
  void note_replaced(const ObjectKey& key, const Digest& old_digest, const Digest& new_digest,
                     std::uint64_t new_content);
  Status finish_insert();  // All objects of the dataset are in. Errors: the source's sizes.
  Status finish_update();
  void finish_delete();
  void finish_maintenance();
  void skip_delete() { delete_skipped_ = true; }  // The variant does not declare it.
  bool delete_skipped() const { return delete_skipped_; }

  const Expected& expected() const { return expected_; }

 private:
  bool only_survivors() const;  // The variant's removal of copies is complete.
  Status recount();             // L and U from the contents.

  std::shared_ptr<const Dataset> dataset_;
  Keeps keeps_;
  bool live_ = false;
  bool delete_skipped_ = false;
  bool compacted_ = false;                            // Maintenance has run since the last insert.
  std::map<std::uint64_t, std::uint64_t> updated_{};  // Number -> content.
  DigestSum all_{};                                   // Of every object put.
  DigestSum survivors_{};                             // Of the first object of each content.
  DigestSum contents_{};                              // Of each content once.
  Expected expected_{};
};

}  // namespace lab
