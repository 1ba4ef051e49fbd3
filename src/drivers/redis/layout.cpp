// Objects as keys of their own: strings and hashes. What both layouts and streams share.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/redis/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_set>

#include "driver/value_row.hpp"
#include "drivers/redis/stream_layout.hpp"

namespace lab::redis {
namespace {

constexpr std::size_t kAwaitedMax = 256;  // Answers of a pipeline that may be due.
constexpr std::size_t kTogetherBytes = 4U
                                       << 20U;  // Of a transaction, which the server holds twice to write it.
constexpr std::size_t kReadWindow = 8U << 20U;  // Bytes of answers that the server holds for us.
constexpr std::size_t kReadAhead = 64;
constexpr std::size_t kEraseKeys = 1000;
/// Values above it are read in slices: hiredis holds an answer in its buffer and in the reply.
constexpr std::size_t kWholeMax = 16U << 20U;
constexpr std::size_t kSlice = 8U << 20U;

/// Objects as keys of their own.
class KeyLayout : public Layout {
 public:
  using Layout::Layout;

  Status put(Link& link, const CallContext& call, const Object& object) override {
    LAB_TRY(send_put(link, call, "redis.put", object));
    const auto stored = link.receive(call, "redis.put");
    if (!stored) return stored.error();
    return ok();
  }

  Status read_all(Link& link, const CallContext& call, const ObjectSink& sink) override {
    std::optional<std::size_t> known;  // The first object tells how large they are.
    return each_page(link, call, "redis.read_all", [&](const std::vector<PlacedId>& page) -> Status {
      std::size_t asked = 0;
      for (std::size_t read = 0; read < page.size(); ++read) {
        if (!known) {
          auto size = size_of(link, call, "redis.read_all", page[read]);
          if (!size) return std::move(size).error();
          known = *size;
        }
        std::size_t& largest = *known;
        if (largest > kWholeMax && asked == read && has_slices()) {
          ++asked;
          LAB_TRY(read_in_slices(link, call, "redis.read_all", page[read], sink));
          continue;
        }
        const std::size_t ahead =
            std::clamp<std::size_t>(kReadWindow / std::max<std::size_t>(largest, 1), 1, kReadAhead);
        for (; asked < std::min(page.size(), read + ahead); ++asked)
          LAB_TRY(send_get(link, call, "redis.read_all", page[asked]));
        const auto value = link.receive(call, "redis.read_all");
        if (!value) return value.error();
        LAB_TRY(allowed(call, "redis.read_all"));
        if (missing(*value)) continue;  // Deleted since its key was listed.
        const auto payload = payload_of(*value, "redis.read_all");
        if (!payload) return payload.error();
        const std::size_t size = payload->bytes().size();
        largest = read == 0 ? size : std::max(largest, size);
        LAB_TRY(sink(page[read].id, page[read].container, payload->bytes()));
      }
      return ok();
    });
  }

  Result<std::uint64_t> count(Link& link, const CallContext& call) override {
    std::uint64_t objects = 0;
    LAB_TRY(each_page(link, call, "redis.count", [&](const std::vector<PlacedId>& page) -> Status {
      objects += page.size();
      return ok();
    }));
    return objects;
  }

  Result<std::string> get(Link& link, const CallContext& call, const ObjectKey& key) override {
    LAB_TRY(send_get(link, call, "redis.get", {key.container, key.id}));
    const auto value = link.receive(call, "redis.get");
    if (!value) return value.error();
    if (missing(*value)) return Error{ErrorCode::kNotFound, "redis.get", format_uuid(key.id)};
    const auto payload = payload_of(*value, "redis.get");
    if (!payload) return payload.error();
    return std::string(as_text(payload->bytes()));
  }

  Status erase(Link& link, const CallContext& call, std::span<const ObjectKey> keys) override {
    for (std::size_t first = 0; first < keys.size(); first += kEraseKeys) {
      LAB_TRY(allowed(call, "redis.erase"));
      const auto some = keys.subspan(first, std::min(kEraseKeys, keys.size() - first));
      std::vector<std::string> names;
      for (const ObjectKey& key : some) names.push_back(space_.object(key.container, key.id));
      Command command{"DEL"};
      for (const std::string& name : names) command.emplace_back(name);
      const auto gone = link.ask(call, "redis.erase", command);
      if (!gone) return gone.error();
      const auto missing = static_cast<long long>(some.size()) - gone->number();
      if (missing > 0)
        return Error{ErrorCode::kNotFound, "redis.erase",
                     some.size() == 1 ? format_uuid(some[0].id)
                                      : std::to_string(missing) + " of the objects were not there"};
    }
    return ok();
  }

  Status erase_all(Link& link, const CallContext& call, DeleteAll /*how*/) override {
    constexpr const char* kOperation = "redis.delete_logical";
    return scan(link, call, kOperation, space_.pattern(),
                [&](const std::vector<std::string>& keys) -> Status {
                  Command command{"DEL"};
                  for (const std::string& key : keys)
                    if (space_.object_of(key)) command.emplace_back(key);
                  if (command.size() > 1) LAB_TRY(link.ask(call, kOperation, command));
                  return ok();
                });
  }

  std::set<Capability> capabilities() const override {
    return {Capability::kBatch,         Capability::kGet,         Capability::kEraseEach,
            Capability::kDeleteLogical, Capability::kMaintenance, Capability::kReplace};
  }
  SecondPut second_put() const override { return SecondPut::kReplace; }

 protected:
  virtual Status send_get(Link& link, const CallContext& call, const char* operation,
                          const PlacedId& key) = 0;
  /// Of the answer to send_get.
  virtual Result<ReadPayload> payload_of(const Answer& value, const char* operation) = 0;
  virtual bool missing(const Answer& value) { return value.is_nil(); }
  /// Whether a part of a value can be asked for.
  virtual bool has_slices() const { return false; }
  /// Where it is not known before the value is, one that has the first read alone.
  virtual Result<std::size_t> size_of(Link& /*link*/, const CallContext& /*call*/, const char* /*operation*/,
                                      const PlacedId& /*key*/) {
    return kReadWindow;
  }
  /// Nothing for an object that was deleted since its key was listed.
  virtual Status read_in_slices(Link& /*link*/, const CallContext& /*call*/, const char* operation,
                                const PlacedId& /*key*/, const ObjectSink& /*sink*/) {
    return Error{ErrorCode::kUnsupported, operation, "this layout has no slices"};
  }

 private:
  /// Each object once. Remembers the ids seen, since SCAN may give a key twice: some 60 bytes an object.
  Status each_page(Link& link, const CallContext& call, const char* operation,
                   const std::function<Status(const std::vector<PlacedId>&)>& use) {
    std::unordered_set<PlacedId, PlacedIdHash> seen;
    return scan(link, call, operation, space_.pattern(), [&](const std::vector<std::string>& keys) -> Status {
      std::vector<PlacedId> fresh;
      for (const std::string& key : keys) {
        const auto placed = space_.object_of(key);
        if (placed && placed->container < containers_ && seen.insert(*placed).second)
          fresh.push_back(*placed);
      }
      return use(fresh);
    });
  }
};

/// The row is the value: a header and the payload.
class StringLayout final : public KeyLayout {
 public:
  using KeyLayout::KeyLayout;

 private:
  Status send_put(Link& link, const CallContext& call, const char* operation, const Object& object) override {
    const std::string key = space_.object(object.container, object.id);
    const std::string header = row_header(object);
    return link.send(call, operation, {"SET", key, Word(header, as_text(object.payload))});
  }
  Status send_get(Link& link, const CallContext& call, const char* operation, const PlacedId& key) override {
    return link.send(call, operation, {"GET", space_.object(key.container, key.id)});
  }
  Result<ReadPayload> payload_of(const Answer& value, const char* operation) override {
    const auto payload = row_payload(value.text(), operation);
    if (!payload) return payload.error();
    return ReadPayload(*payload);
  }

  bool has_slices() const override { return true; }
  Result<std::size_t> size_of(Link& link, const CallContext& call, const char* operation,
                              const PlacedId& key) override {
    const auto length = link.ask(call, operation, {"STRLEN", space_.object(key.container, key.id)});
    if (!length) return length.error();
    return static_cast<std::size_t>(length->number());
  }
  Status read_in_slices(Link& link, const CallContext& call, const char* operation, const PlacedId& key,
                        const ObjectSink& sink) override {
    const auto size = size_of(link, call, operation, key);
    if (!size) return size.error();
    if (*size == 0) return ok();
    std::string row;
    row.reserve(*size);
    while (row.size() < *size) {
      LAB_TRY(allowed(call, operation));
      const std::string from = std::to_string(row.size());
      const std::string to = std::to_string(row.size() + kSlice - 1);  // Its last byte, not the one behind.
      const auto slice =
          link.ask(call, operation, {"GETRANGE", space_.object(key.container, key.id), from, to});
      if (!slice) return slice.error();
      if (slice->text().empty())
        return Error{ErrorCode::kCorruption, operation,
                     fmt::format("{} ends after {} of {} bytes", format_uuid(key.id), row.size(), *size)};
      row += slice->text();
    }
    const auto payload = row_payload(row, operation);
    if (!payload) return payload.error();
    return sink(key.id, key.container, *payload);
  }
};

/// The row is a hash with a field for each column.
class HashLayout final : public KeyLayout {
 public:
  using KeyLayout::KeyLayout;

 private:
  Status send_put(Link& link, const CallContext& call, const char* operation, const Object& object) override {
    const std::string key = space_.object(object.container, object.id);
    const std::string size = std::to_string(object.payload.size());
    return link.send(call, operation,
                     {"HSET", key, "mime", object.mime, "size", size, "sha256", as_text(object.digest),
                      "payload", as_text(object.payload)});
  }
  Status send_get(Link& link, const CallContext& call, const char* operation, const PlacedId& key) override {
    return link.send(call, operation, {"HGET", space_.object(key.container, key.id), "payload"});
  }
  Result<ReadPayload> payload_of(const Answer& value, const char* /*operation*/) override {
    return ReadPayload(as_bytes(value.text()));
  }
};

/// A row is a hash with a field for each column, each a text as people write it, empty where there is
/// nothing: a field that is left out would keep what an earlier put wrote. A kind of one value is a string.
class NativeLayout final : public KeyLayout {
 public:
  NativeLayout(KeySpace space, std::uint32_t containers, const NativeSchema& schema)
      : KeyLayout(std::move(space), containers), schema_(schema), row_(schema.is_row()) {}

 private:
  Status send_put(Link& link, const CallContext& call, const char* operation, const Object& object) override {
    const std::string key = space_.object(object.container, object.id);
    if (!row_) return link.send(call, operation, {"SET", key, as_text(object.payload)});
    const auto record = parse_record(schema_, object.payload, operation);
    if (!record) return record.error();
    std::deque<std::string> texts;
    Command command{"HSET", key};
    for (std::size_t at = 0; at < record->size(); ++at) {
      command.emplace_back(schema_.columns[at].name);
      command.emplace_back(texts.emplace_back(native_text(schema_.columns[at], (*record)[at])));
    }
    return link.send(call, operation, command);
  }
  Status send_get(Link& link, const CallContext& call, const char* operation, const PlacedId& key) override {
    const std::string name = space_.object(key.container, key.id);
    if (!row_) return link.send(call, operation, {"GET", name});
    Command command{"HMGET", name};
    for (const NativeColumn& column : schema_.columns) command.emplace_back(column.name);
    return link.send(call, operation, command);
  }
  Result<ReadPayload> payload_of(const Answer& value, const char* operation) override {
    std::vector<std::string_view> texts;
    if (!row_) texts.push_back(value.text());
    for (std::size_t at = 0; row_ && at < value.size(); ++at) {
      if (value[at].is_nil()) return Error{ErrorCode::kCorruption, operation, "a hash that lacks a field"};
      texts.push_back(value[at].text());
    }
    return read_payload(&schema_, texts, operation);
  }
  /// HMGET answers a key that is not there with as many nothings as fields.
  bool missing(const Answer& value) override {
    if (!row_) return value.is_nil();
    for (std::size_t at = 0; at < value.size(); ++at)
      if (!value[at].is_nil()) return false;
    return true;
  }

  const NativeSchema& schema_;
  bool row_;
};

/// Transactions on their way: the answers of earlier ones are taken while later ones are sent, so that the
/// server never waits for us.
class Transactions {
 public:
  using Note = std::function<void(const Object&, const Answer&)>;
  Transactions(Link& link, const CallContext& call, Note note)
      : link_(link), call_(call), note_(std::move(note)) {}

  /// Sends one, with `send` for each object.
  Status put(std::span<const Object> objects, const std::function<Status(const Object&)>& send) {
    due_.push_back({objects});
    LAB_TRY(queue([&] { return link_.send(call_, kOperation, {"MULTI"}); }));
    for (const Object& object : objects) LAB_TRY(queue([&] { return send(object); }));
    return queue([&] { return link_.send(call_, kOperation, {"EXEC"}); });
  }
  /// Whether the server has refused something: then nothing more should be sent.
  bool refused() const noexcept { return refused_.has_value(); }
  /// Takes the answers that are due. Errors: the first refusal; those of the link.
  Status finish() {
    while (link_.awaited() > 0) LAB_TRY(take());
    if (refused_) return *refused_;
    return ok();
  }

  static constexpr const char* kOperation = "redis.put_batch";

 private:
  struct Due {
    std::span<const Object> objects{};
    std::size_t answered = 0;  // MULTI's, then one for each object, then EXEC's.
  };

  Status queue(const std::function<Status()>& send) {
    LAB_TRY(allowed(call_, kOperation));
    LAB_TRY(send());
    while (link_.awaited() > kAwaitedMax) LAB_TRY(take());
    return ok();
  }

  Status take() {
    const auto answer = link_.receive(call_, kOperation);
    if (!answer && !link_.whole()) return answer.error();
    Due& due = due_.front();
    const bool last = due.answered++ == due.objects.size() + 1;
    // A transaction of which one command was refused is discarded by its EXEC, which says less.
    if (!answer)
      refuse(answer.error());
    else if (last)
      acknowledge(due.objects, *answer);
    if (last) due_.pop_front();
    return ok();
  }

  void acknowledge(std::span<const Object> objects, const Answer& done) {
    if (done.size() != objects.size())
      return refuse({ErrorCode::kCorruption, kOperation,
                     "EXEC acknowledged " + std::to_string(done.size()) + " of " +
                         std::to_string(objects.size()) + " objects"});
    for (std::size_t at = 0; at < objects.size(); ++at) {
      if (done[at].is_error()) return refuse(error_of(done[at].text(), kOperation));
      note_(objects[at], done[at]);
    }
  }

  void refuse(Error error) {
    if (!refused_) refused_ = std::move(error);
  }

  Link& link_;
  const CallContext& call_;
  Note note_;
  std::deque<Due> due_{};
  std::optional<Error> refused_{};
};

}  // namespace

Status Layout::put_batch(Link& link, const CallContext& call, std::span<const Object> objects) {
  Transactions transactions(link, call,
                            [this](const Object& object, const Answer& answer) { note_put(object, answer); });
  while (!objects.empty() && !transactions.refused()) {
    std::size_t together = 0;
    std::size_t bytes = 0;
    while (together < objects.size() &&
           (together == 0 || bytes + objects[together].payload.size() <= kTogetherBytes))
      bytes += objects[together++].payload.size();
    LAB_TRY(transactions.put(objects.first(together), [&](const Object& object) {
      return send_put(link, call, Transactions::kOperation, object);
    }));
    objects = objects.subspan(together);
  }
  return transactions.finish();
}

std::unique_ptr<Layout> make_layout(LayoutKind kind, KeySpace space, std::uint32_t containers,
                                    const NativeSchema* schema) {
  if (kind == LayoutKind::kNative)
    return std::make_unique<NativeLayout>(std::move(space), containers, *schema);
  if (kind == LayoutKind::kHash) return std::make_unique<HashLayout>(std::move(space), containers);
  if (kind == LayoutKind::kStream) return make_stream_layout(std::move(space), containers);
  return std::make_unique<StringLayout>(std::move(space), containers);
}

}  // namespace lab::redis
