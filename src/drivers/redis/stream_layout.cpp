// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/stream_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "driver/value_row.hpp"

namespace lab::redis {
namespace {

constexpr std::size_t kPageBytes = 8U << 20U;
constexpr std::size_t kPageEntries = 256;
constexpr std::size_t kIdField = 1;  // Of an entry's fields and values: id, its value, mime, ...
constexpr std::size_t kPayloadField = 9;
constexpr std::size_t kFields = 10;

struct Entry {
  std::string_view number{};
  ObjectId id{};
  std::string_view payload{};
};

Result<Entry> entry_of(const Answer& answer, const char* operation) {
  const Error bad{ErrorCode::kCorruption, operation, "an entry of a stream is no object of ours"};
  if (answer.size() != 2 || answer[1].size() != kFields) return bad;
  const auto id = id_from_text(answer[1][kIdField].text(), operation);
  if (!id) return id.error();
  return Entry{answer[0].text(), *id, answer[1][kPayloadField].text()};
}

class StreamLayout final : public Layout {
 public:
  using Layout::Layout;

  Status put(Link& link, const CallContext& call, const Object& object) override {
    LAB_TRY(send_put(link, call, "redis.put", object));
    const auto stored = link.receive(call, "redis.put");
    if (!stored) return stored.error();
    note_put(object, *stored);
    return ok();
  }

  Status read_all(Link& link, const CallContext& call, const ObjectSink& sink) override {
    for (std::uint32_t container = 0; container < containers_; ++container)
      LAB_TRY(each_entry(link, call, "redis.read_all", container, [&](const Entry& entry) {
        return sink(entry.id, container, as_bytes(entry.payload));
      }));
    return ok();
  }

  Result<std::uint64_t> count(Link& link, const CallContext& call) override {
    std::uint64_t objects = 0;
    for (std::uint32_t container = 0; container < containers_; ++container) {
      const auto length = link.ask(call, "redis.count", {"XLEN", space_.stream(container)});
      if (!length) return length.error();
      objects += static_cast<std::uint64_t>(length->number());
    }
    return objects;
  }

  Result<std::string> get(Link& link, const CallContext& call, const ObjectKey& key) override {
    const std::string stream = space_.stream(key.container);
    for (const bool looked : {false, true}) {
      if (looked) LAB_TRY(look(link, call, "redis.get"));
      const auto known = entries_.find({key.container, key.id});
      if (known == entries_.end()) continue;
      const auto page = link.ask(call, "redis.get", {"XRANGE", stream, known->second, known->second});
      if (!page) return page.error();
      if (page->size() != 1) continue;  // Deleted over another connection.
      const auto entry = entry_of((*page)[0], "redis.get");
      if (!entry) return entry.error();
      return std::string(entry->payload);
    }
    return Error{ErrorCode::kNotFound, "redis.get", format_uuid(key.id)};
  }

  /// All entries of each id.
  Status erase(Link& link, const CallContext& call, std::span<const ObjectKey> keys) override {
    for (const ObjectKey& key : keys) {
      LAB_TRY(allowed(call, "redis.erase"));
      long long gone = 0;
      for (const bool looked : {false, true}) {
        if (looked) LAB_TRY(look(link, call, "redis.erase"));
        const auto [first, last] = entries_.equal_range({key.container, key.id});
        if (first == last) continue;
        const std::string stream = space_.stream(key.container);
        Command command{"XDEL", stream};
        for (auto at = first; at != last; ++at) command.emplace_back(at->second);
        const auto erased = link.ask(call, "redis.erase", command);
        if (!erased) return erased.error();
        gone += erased->number();
        entries_.erase(first, last);
        if (gone > 0) break;
      }
      if (gone == 0) return Error{ErrorCode::kNotFound, "redis.erase", format_uuid(key.id)};
    }
    return ok();
  }

  Status erase_all(Link& link, const CallContext& call, DeleteAll how) override {
    for (std::uint32_t container = 0; container < containers_; ++container) {
      LAB_TRY(allowed(call, "redis.erase_all"));
      const std::string stream = space_.stream(container);
      if (how == DeleteAll::kTruncate) {
        LAB_TRY(link.ask(call, "redis.delete_truncate", {"XTRIM", stream, "MAXLEN", "0"}));
      } else {
        LAB_TRY(link.ask(call, "redis.delete_drop", {"DEL", stream}));
      }
    }
    entries_.clear();
    return ok();
  }

  std::set<Capability> capabilities() const override {
    return {Capability::kBatch,          Capability::kGet,        Capability::kEraseEach,
            Capability::kDeleteTruncate, Capability::kDeleteDrop, Capability::kMaintenance};
  }
  SecondPut second_put() const override { return SecondPut::kAppend; }

 private:
  Status send_put(Link& link, const CallContext& call, const char* operation, const Object& object) override {
    const std::string size = std::to_string(object.payload.size());
    return link.send(
        call, operation,
        {"XADD", space_.stream(object.container), "*", "id", id_text(object.id), "mime", object.mime, "size",
         size, "sha256", as_text(object.digest), "payload", as_text(object.payload)});
  }

  void note_put(const Object& object, const Answer& answer) override {
    entries_.emplace(PlacedId{object.container, object.id}, answer.text());
  }

  /// Page after page; as many entries a page as fit into a bounded answer, told from the ones before.
  Status each_entry(Link& link, const CallContext& call, const char* operation, std::uint32_t container,
                    const std::function<Status(const Entry&)>& use) {
    const std::string stream = space_.stream(container);
    std::string next = "-";
    std::size_t largest = kPageBytes;
    bool first = true;
    while (true) {
      LAB_TRY(allowed(call, operation));
      const std::size_t entries =
          std::clamp<std::size_t>(kPageBytes / std::max<std::size_t>(largest, 1), 1, kPageEntries);
      const auto page =
          link.ask(call, operation, {"XRANGE", stream, next, "+", "COUNT", std::to_string(entries)});
      if (!page) return page.error();
      if (page->size() == 0) return ok();
      if (std::exchange(first, false)) largest = 1;
      for (std::size_t at = 0; at < page->size(); ++at) {
        LAB_TRY(allowed(call, operation));
        const auto entry = entry_of((*page)[at], operation);
        if (!entry) return entry.error();
        largest = std::max(largest, entry->payload.size());
        LAB_TRY(use(*entry));
      }
      auto after = after_entry((*page)[page->size() - 1][0].text(), operation);
      if (!after) return std::move(after).error();
      next = std::move(*after);
    }
  }

  /// Learns the entries of all ids from the streams.
  Status look(Link& link, const CallContext& call, const char* operation) {
    entries_.clear();
    for (std::uint32_t container = 0; container < containers_; ++container)
      LAB_TRY(each_entry(link, call, operation, container, [&](const Entry& entry) -> Status {
        entries_.emplace(PlacedId{container, entry.id}, entry.number);
        return ok();
      }));
    return ok();
  }

  std::unordered_multimap<PlacedId, std::string, PlacedIdHash> entries_{};
};

}  // namespace

std::unique_ptr<Layout> make_stream_layout(KeySpace space, std::uint32_t containers) {
  return std::make_unique<StreamLayout>(std::move(space), containers);
}

Result<std::string> after_entry(std::string_view entry, const char* operation) {
  const Error bad{ErrorCode::kCorruption, operation, "an entry's number is none"};
  std::uint64_t time = 0;
  std::uint64_t sequence = 0;
  const char* const end = entry.data() + entry.size();
  const auto first = std::from_chars(entry.data(), end, time);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return bad;
  const auto second = std::from_chars(first.ptr + 1, end, sequence);
  if (second.ec != std::errc{} || second.ptr != end) return bad;
  if (sequence == std::numeric_limits<std::uint64_t>::max()) return fmt::format("{}-0", time + 1);
  return fmt::format("{}-{}", time, sequence + 1);
}

}  // namespace lab::redis
