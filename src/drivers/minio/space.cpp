// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/space.hpp"

#include <fmt/format.h>

#include <numeric>

#include "drivers/minio/objects.hpp"

namespace lab::minio {
namespace {

constexpr int kLateMax = 5;  // How often a dropped bucket may come back before we give up.

Error no_marker(const std::string& bucket, const char* operation) {
  return {ErrorCode::kRefused, operation,
          fmt::format("bucket {} exists without the marker {}: it is not the lab's and is left as it is. If "
                      "an interrupted run left it empty, delete it; else name another namespace",
                      bucket, kMarkerKey)};
}

/// A new bucket with its versioning and its marker. Errors: kInUse when another run makes it too.
Status make(Client& client, const Setup& setup, std::uint32_t container, const std::string& holder,
            const CallContext& call, const char* operation) {
  const Bucket bucket(client, setup.bucket(container), call, operation);
  LAB_TRY(bucket.create(setup.endpoint.region));
  const auto give_up = [&](const Error& error) {
    ignore(bucket.drop(), "it was made a moment ago; without a marker it would be refused from now on");
    return error;
  };
  if (setup.versioned)
    if (const Status enabled = bucket.enable_versioning(); !enabled) return give_up(enabled.error());
  const auto marked = write_marker(client, bucket.name(), std::nullopt, holder, call, operation);
  if (!marked) return give_up(marked.error());
  if (!*marked)
    return Error{ErrorCode::kInUse, operation, "another run makes " + bucket.name() + " at the same moment",
                 true};
  return ok();
}

/// A server may carry out what a stopped call had asked for when that call is over, and SeaweedFS then makes
/// the bucket anew. What lies in a bucket that was ours a moment ago and has the shape of our keys goes as
/// well; anything else is somebody else's. Errors: kRefused, kInUse.
Status drop_what_comes_late(const Bucket& bucket, Client& client, const CallContext& call,
                            const char* operation) {
  for (int times = 0; times < kLateMax; ++times) {
    const auto back = bucket.exists();
    if (!back) return back.error();
    if (!*back) return ok();
    const auto marker = read_marker(client, bucket.name(), call, operation);
    if (!marker) return marker.error();
    if (*marker)
      return Error{ErrorCode::kInUse, operation, "another run has just made " + bucket.name(), true};
    LAB_TRY(bucket.each_page([&](std::span<const ListedObject> objects) -> Status {
      for (const ListedObject& object : objects)
        if (!id_of_key(object.key)) return no_marker(bucket.name(), operation);
      return ok();
    }));
    LAB_TRY(bucket.empty());
    LAB_TRY(bucket.drop());
  }
  return Error{ErrorCode::kRefused, operation,
               "bucket " + bucket.name() + " comes back whenever it is dropped"};
}

/// Removes the bucket with all that is in it; the marker goes last.
Status drop(Client& client, const std::string& name, const CallContext& call, const char* operation) {
  const Bucket bucket(client, name, call, operation);
  LAB_TRY(bucket.empty());
  LAB_TRY(bucket.remove_marker());
  LAB_TRY(bucket.drop());
  return drop_what_comes_late(bucket, client, call, operation);
}

/// `make` for a bucket that we have just dropped: it may come back in between.
Status make_anew(Client& client, const Setup& setup, std::uint32_t container, const CallContext& call,
                 const char* operation) {
  const Bucket bucket(client, setup.bucket(container), call, operation);
  for (int times = 0;; ++times) {
    Status made = make(client, setup, container, container == 0 ? setup.run_id : "", call, operation);
    if (made || made.error().code != ErrorCode::kRefused || times == kLateMax) return made;
    LAB_TRY(drop_what_comes_late(bucket, client, call, operation));
  }
}

/// In "existing" mode the bucket's versioning is others' choice too, so it must be what the variant needs.
Status check_versioning(const Bucket& bucket, const Setup& setup, const char* operation) {
  const auto state = bucket.versioning();
  if (!state) return state.error();
  const bool enabled = *state == Versioning::kEnabled;
  if (enabled == setup.versioned) return ok();
  if (setup.space.create && !setup.versioned)
    return ok();  // The bucket of another variant; reset makes it anew.
  if (setup.space.create) return bucket.enable_versioning();
  return Error{ErrorCode::kRefused, operation,
               fmt::format("bucket {} is {}versioned, which variant {} cannot use; it is managed by others",
                           bucket.name(), enabled ? "" : "not ", setup.variant)};
}

/// A bucket that others made for us may be marked while it is empty.
Status mark_existing(Client& client, const Bucket& bucket, const CallContext& call, const char* operation) {
  LAB_TRY(bucket.each_page([&](std::span<const ListedObject> objects) -> Status {
    if (objects.empty()) return ok();
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("bucket {} has neither the marker {} nor is it empty: it is left as it is",
                             bucket.name(), kMarkerKey)};
  }));
  const auto marked = write_marker(client, bucket.name(), std::nullopt, "", call, operation);
  if (!marked) return marked.error();
  if (!*marked)
    return Error{ErrorCode::kInUse, operation, "another run marks " + bucket.name() + " at this moment",
                 true};
  return ok();
}

Status prepare_one(Client& client, const Setup& setup, std::uint32_t container, const CallContext& call) {
  const char* operation = "minio.open";
  const Bucket bucket(client, setup.bucket(container), call, operation);
  const auto exists = bucket.exists();
  if (!exists) return exists.error();
  if (!*exists && !setup.space.create)
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("there is no bucket {}, and namespace_mode is existing", bucket.name())};
  if (!*exists) return container == 0 ? make(client, setup, container, "", call, operation) : ok();
  const auto marker = read_marker(client, bucket.name(), call, operation);
  if (!marker) return marker.error();
  if (!*marker && setup.space.create) return no_marker(bucket.name(), operation);
  if (!*marker) LAB_TRY(mark_existing(client, bucket, call, operation));
  if (container != 0 && setup.space.create) return ok();
  return check_versioning(bucket, setup, operation);
}

/// The lock must still be ours before anything is deleted.
Status still_ours(Client& client, const Setup& setup, const CallContext& call, const char* operation) {
  const auto marker = marker_of(client, setup.bucket(0), call, operation);
  if (!marker) return marker.error();
  if (marker->holder == setup.run_id) return ok();
  return Error{ErrorCode::kInUse, operation,
               marker->holder.empty() ? "the lock of this run was given up"
                                      : "run " + marker->holder + " took the namespace over"};
}

/// Drops ours downwards to none, then makes upwards what the session needs.
Status make_all_anew(Client& client, const Setup& setup, std::span<const std::uint32_t> ours,
                     const CallContext& call, const char* operation) {
  for (std::size_t left = ours.size(); left > 0; --left) {
    LAB_TRY(marker_of(client, setup.bucket(ours[left - 1]), call, operation));
    LAB_TRY(drop(client, setup.bucket(ours[left - 1]), call, operation));
  }
  for (std::uint32_t container = 0; container < setup.containers; ++container)
    LAB_TRY(make_anew(client, setup, container, call, operation));
  return ok();
}

}  // namespace

Result<FoundBuckets> find_buckets(Client& client, const Setup& setup, const CallContext& call,
                                  const char* operation) {
  FoundBuckets found;
  for (std::uint32_t container = 0;; ++container) {
    const bool needed = container < setup.containers;
    const std::string name = setup.bucket(container);
    const auto exists = Bucket(client, name, call, operation).exists();
    const bool closed = !exists && container > 0 && exists.error().code == ErrorCode::kRefused;
    if (!exists && !closed) return exists.error();
    if (closed && !needed) return found;  // Refused whether or not it is there: there would be no end.
    if (exists && !*exists) {
      if (container + 1 >= setup.containers) return found;
      continue;
    }
    const auto marker = closed ? exists.error() : read_marker(client, name, call, operation);
    if (!marker && marker.error().code != ErrorCode::kRefused) return marker.error();
    if (marker && *marker) {
      found.ours.push_back(container);
    } else if (needed) {
      found.others.push_back(container);
      // One without a marker that others made for us may still be empty and get it.
      if (!found.refusal && (!marker || setup.space.create))
        found.refusal = marker ? no_marker(name, operation) : marker.error();
    }
  }
}

Result<Marker> marker_of(Client& client, const std::string& bucket, const CallContext& call,
                         const char* operation) {
  auto marker = read_marker(client, bucket, call, operation);
  if (!marker) return std::move(marker).error();
  if (!*marker) return no_marker(bucket, operation);
  return **marker;
}

Status prepare(Client& client, const Setup& setup, const CallContext& call) {
  for (std::uint32_t container = 0; container < setup.containers; ++container)
    LAB_TRY(prepare_one(client, setup, container, call));
  return ok();
}

Status reset(Client& client, const Setup& setup, Gate& gate, const CallContext& call) {
  const char* operation = "minio.reset";
  const auto alone = gate.enter_alone(call, operation);
  if (!alone) return alone.error();
  LAB_TRY(still_ours(client, setup, call, operation));
  if (!setup.space.create) {
    for (std::uint32_t container = 0; container < setup.containers; ++container) {
      LAB_TRY(marker_of(client, setup.bucket(container), call, operation));
      LAB_TRY(Bucket(client, setup.bucket(container), call, operation).empty());
    }
    return ok();
  }
  const auto found = find_buckets(client, setup, call, operation);
  if (!found) return found.error();
  if (found->refusal) return *found->refusal;
  return make_all_anew(client, setup, found->ours, call, operation);
}

Status drop_and_make(Client& client, const Setup& setup, Gate& gate, const CallContext& call,
                     const char* operation) {
  const auto alone = gate.enter_alone(call, operation);
  if (!alone) return alone.error();
  LAB_TRY(still_ours(client, setup, call, operation));
  std::vector<std::uint32_t> all(setup.containers);
  std::iota(all.begin(), all.end(), 0U);
  return make_all_anew(client, setup, all, call, operation);
}

Status remove_all(Client& client, const Setup& setup, const CallContext& call) {
  const char* operation = "minio.remove";
  const auto found = find_buckets(client, setup, call, operation);
  if (!found) return found.error();
  if (!found->ours.empty() && found->ours.front() == 0) {  // The lock lies in the first.
    const auto first = marker_of(client, setup.bucket(0), call, operation);
    if (!first) return first.error();
    LAB_TRY(LabLock::check_free(first->lock(), setup.run_id));
  }
  for (std::size_t left = found->ours.size(); left > 0; --left) {
    const std::string name = setup.bucket(found->ours[left - 1]);
    LAB_TRY(marker_of(client, name, call, operation));
    if (setup.space.create) {
      LAB_TRY(drop(client, name, call, operation));
      continue;
    }
    const Bucket bucket(client, name, call, operation);
    LAB_TRY(bucket.empty());
    LAB_TRY(bucket.remove_marker());
  }
  if (found->refusal) return *found->refusal;
  return ok();
}

Result<std::vector<std::string>> leftovers(Client& client, const Setup& setup, const CallContext& call) {
  const char* operation = "minio.leftovers";
  const auto found = find_buckets(client, setup, call, operation);
  if (!found) return found.error();
  std::vector<std::string> lines;
  for (const std::uint32_t container : found->ours) {
    const std::string name = setup.bucket(container);
    std::uint64_t objects = 0;
    LAB_TRY(
        Bucket(client, name, call, operation).each_page([&](std::span<const ListedObject> page) -> Status {
          objects += page.size();
          return ok();
        }));
    lines.push_back(fmt::format("bucket {}, {} objects", name, objects));
  }
  return lines;
}

}  // namespace lab::minio
