// librdkafka connects, retries and reconnects behind the scenes; here it is held to the contract of a driver.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/kafka/client.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <future>
#include <mutex>
#include <thread>

#include "core/text.hpp"

namespace lab::kafka {
namespace {

constexpr int kSliceMs = 50;           // Of waiting for an event.
constexpr int kRequestSliceMs = 1000;  // Of a call that librdkafka cannot be woken from.
constexpr Millis kDestroyLimit{1'000};
constexpr int kAttemptsAHost = 3;  // A name may have several addresses, of which librdkafka tries one a time.
// A topic that was made a moment ago is known before its partition has a leader that says so itself.
constexpr Millis kElectionLimit{5'000};
constexpr int kScramFixed = 0x020601ff;

bool is_authentication(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM || code == RD_KAFKA_RESP_ERR__SSL;
}

ErrorCode code_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
      return ErrorCode::kConnectionLost;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return ErrorCode::kTimeout;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return ErrorCode::kNotFound;
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
      return ErrorCode::kResourceExhausted;
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
      return ErrorCode::kCorruption;
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kRefused;
  }
}

/// "...: ApiKey Fetch (1) Versions 4..18" -> 1, 4, 18.
std::optional<std::array<int, 3>> offered_in(std::string_view line) {
  const std::size_t key = line.rfind('(');
  const std::size_t versions = line.find(") Versions ", key == std::string_view::npos ? line.size() : key);
  const std::size_t dots = line.find("..", std::min(versions, line.size()));
  if (line.find("ApiKey ") == std::string_view::npos || dots == std::string_view::npos) return std::nullopt;
  std::array<int, 3> numbers{};
  const std::string_view parts[] = {line.substr(key + 1, versions - key - 1),
                                    line.substr(versions + 11, dots - versions - 11), line.substr(dots + 2)};
  for (std::size_t part = 0; part < numbers.size(); ++part) {
    const auto [end, failure] =
        std::from_chars(parts[part].data(), parts[part].data() + parts[part].size(), numbers[part]);
    if (failure != std::errc()) return std::nullopt;
  }
  return numbers;
}

void note_offer(const std::array<int, 3>& offer, OfferedVersions& versions) {
  const auto& [request, lowest, highest] = offer;
  if (request == 0) versions.produce = highest;
  if (request == 1) versions.fetch_lowest = lowest;
  if (request == 1) versions.fetch = highest;
  if (request == 74) versions.config_resources = highest;
  if (request == 75) versions.topic_partitions = highest;
}

std::string authentication_hint(const Address& address) {
  if (!address.mechanism.starts_with("SCRAM") || rd_kafka_version() >= kScramFixed) return "";
  return fmt::format(
      "; {} of this librdkafka ({}) is refused by Kafka 4 whatever the password is: librdkafka 2.6.1 or "
      "later "
      "is needed, or mechanism=PLAIN",
      address.mechanism, rd_kafka_version_str());
}

std::string upper(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return text;
}

ClientSettings access_settings(const Access& access) {
  ClientSettings all{{"bootstrap.servers", join(access.address.hosts, ",")},
                     {"security.protocol", upper(access.address.security)},
                     {"client.id", "deduplab"},
                     {"allow.auto.create.topics", "false"},
                     {"topic.metadata.refresh.interval.ms", "60000"},
                     {"socket.nagle.disable", "true"},
                     {"debug", "feature"}};  // Says which requests the broker offers: no other call does.
  if (!access.address.user.empty()) {
    all.emplace_back("sasl.mechanisms", access.address.mechanism);
    all.emplace_back("sasl.username", access.address.user);
    all.emplace_back("sasl.password", access.password);
  }
  if (!access.address.tls_ca.empty()) all.emplace_back("ssl.ca.location", access.address.tls_ca);
  return all;
}

Status set_all(rd_kafka_conf_t* conf, const ClientSettings& settings) {
  std::array<char, 512> why{};
  for (const auto& [key, value] : settings)
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
      return Error{ErrorCode::kInvalidArgument, "kafka.settings",
                   key == "sasl.password" ? "the password cannot be used" : std::string(why.data())};
  return ok();
}

struct StopReading {
  rd_kafka_topic_t* topic;
  ~StopReading() { rd_kafka_consume_stop(topic, 0); }
};

}  // namespace

/// What librdkafka's own threads tell. It outlives the handle.
struct Client::Shared {
  std::atomic<bool> ready{false};
  std::atomic<bool> lost{false};
  std::atomic<int> closed{0};
  std::mutex mutex{};
  std::string last_error{};  // Guarded by mutex, as what follows.
  rd_kafka_resp_err_t last_code = RD_KAFKA_RESP_ERR_NO_ERROR;
  bool none_left = false;
  bool refused = false;
  OfferedVersions offered{};
  OnDelivery on_delivery{};  // Called by the thread that polls.
};

Error kafka_error(rd_kafka_resp_err_t code, const char* operation, std::string detail) {
  const ErrorCode ours = code_of(code);
  const bool passing = ours == ErrorCode::kConnectionLost || code == RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS ||
                       code == RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND;
  const std::string said = rd_kafka_err2str(code);
  if (detail.empty()) detail = said;
  return {ours, operation, to_valid_utf8(detail == said ? said : fmt::format("{} ({})", detail, said)),
          passing};
}

ClientSettings reader_settings() {
  return {{"enable.partition.eof", "true"},
          {"auto.offset.reset", "error"},
          {"enable.auto.commit", "false"},
          {"check.crcs", "true"},
          {"fetch.wait.max.ms", "50"},
          {"fetch.error.backoff.ms", "50"},
          {"queued.max.messages.kbytes", "16384"}};
}

const TopicState* ClusterState::find(const std::string& topic) const {
  const auto found =
      std::find_if(topics.begin(), topics.end(), [&](const TopicState& one) { return one.name == topic; });
  return found == topics.end() ? nullptr : &*found;
}

std::string release_of(const OfferedVersions& offered) {
  if (offered.config_resources >= 1) return "4.1";
  if (offered.fetch_lowest >= 4) return "4.0";
  if (offered.fetch >= 17) return "3.9";
  if (offered.topic_partitions >= 0) return "3.8";
  if (offered.fetch >= 16) return "3.7";
  if (offered.fetch >= 15) return "3.5";
  if (offered.fetch >= 13) return "3.1";
  if (offered.fetch >= 12) return "2.7";
  if (offered.fetch >= 11) return "2.4";
  return "";
}

std::string Client::version() const {
  const std::scoped_lock lock(shared_->mutex);
  const OfferedVersions& offered = shared_->offered;
  const std::string release = release_of(offered);
  return fmt::format("protocol of {} (Produce {}, Fetch {})",
                     release.empty() ? "2.3 or earlier" : release + " or later", offered.produce,
                     offered.fetch);
}

void Client::on_log(const rd_kafka_t* handle, int /*level*/, const char* facility, const char* text) {
  if (std::string_view(facility) != "APIVERSION") return;  // Nothing is printed: errors come by on_error.
  const auto offer = offered_in(text);
  auto* const shared = static_cast<Shared*>(rd_kafka_opaque(handle));
  if (!offer || shared == nullptr) return;
  const std::scoped_lock lock(shared->mutex);
  note_offer(*offer, shared->offered);
}

void Client::on_error(rd_kafka_t* /*handle*/, int code, const char* reason, void* shared) {
  auto& all = *static_cast<Shared*>(shared);
  const std::scoped_lock lock(all.mutex);
  const auto said = static_cast<rd_kafka_resp_err_t>(code);
  if (said == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    all.none_left = true;
    return;
  }
  all.last_code = said;
  all.last_error = to_valid_utf8(reason);
  all.refused = all.refused || is_authentication(said);
}

void Client::on_report(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* shared) {
  const auto& hook = static_cast<Shared*>(shared)->on_delivery;
  if (hook) hook(*message);
}

int Client::on_close(int socket, void* shared) {
  auto& all = *static_cast<Shared*>(shared);
  ++all.closed;
  if (all.ready) all.lost = true;
  return ::close(socket);
}

Result<std::unique_ptr<Client>> Client::connect(const Access& access, Kind kind,
                                                const ClientSettings& settings, const CallContext& call,
                                                const char* operation, OnDelivery on_delivery) {
  LAB_TRY(allowed(call, operation));
  if (!access.address.user.empty() && access.password.empty())
    return Error{ErrorCode::kRefused, operation,
                 fmt::format("there is no password of user {}: set {}, password_env or password_file",
                             access.address.user, kPasswordVariable)};
  Handle<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  LAB_TRY(set_all(conf.get(), access_settings(access)));
  LAB_TRY(set_all(conf.get(), settings));
  auto shared = std::make_shared<Shared>();
  shared->on_delivery = std::move(on_delivery);
  rd_kafka_conf_set_opaque(conf.get(), shared.get());
  rd_kafka_conf_set_log_cb(conf.get(), &Client::on_log);
  rd_kafka_conf_set_error_cb(conf.get(), &Client::on_error);
  rd_kafka_conf_set_closesocket_cb(conf.get(), &Client::on_close);
  if (kind == Kind::kWriter) rd_kafka_conf_set_dr_msg_cb(conf.get(), &Client::on_report);
  std::unique_ptr<Client> client(new Client(std::move(shared)));
  std::array<char, 512> why{};
  client->handle_ = rd_kafka_new(kind == Kind::kWriter ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf.get(),
                                 why.data(), why.size());
  if (client->handle_ == nullptr) return Error{ErrorCode::kInvalidArgument, operation, why.data()};
  static_cast<void>(conf.release());  // NOLINT(bugprone-unused-return-value): it is the handle's now
  LAB_TRY(client->await_cluster(call, operation, access));
  return client;
}

Status Client::await_cluster(const CallContext& call, const char* operation, const Access& access) {
  const int attempts = kAttemptsAHost * static_cast<int>(access.address.hosts.size());
  while (true) {
    LAB_TRY(allowed(call, operation));
    if (const Handle<char> id(rd_kafka_clusterid(handle_, kSliceMs)); id != nullptr) {
      cluster_id_ = id.get();
      break;
    }
    rd_kafka_poll(handle_, 0);
    const std::scoped_lock lock(shared_->mutex);
    if (shared_->refused)
      return Error{ErrorCode::kRefused, operation, shared_->last_error + authentication_hint(access.address)};
    const bool tried = shared_->closed >= attempts || shared_->last_code == RD_KAFKA_RESP_ERR__RESOLVE;
    if (shared_->none_left && tried)
      return Error{ErrorCode::kConnectionLost, operation, shared_->last_error, true};
  }
  shared_->ready = true;
  return ok();
}

/// Its end may wait for a name server or a hung socket: then a thread of its own waits, and nobody else.
Client::~Client() {
  if (handle_ == nullptr) return;
  shared_->ready = false;
  rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  std::promise<void> done;
  auto over = done.get_future();
  std::thread ending([handle = handle_, shared = shared_, done = std::move(done)]() mutable {
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    shared.reset();
    done.set_value();
  });
  if (over.wait_for(kDestroyLimit) == std::future_status::ready)
    ending.join();
  else
    ending.detach();
}

Status Client::usable(const CallContext& call, const char* operation) {
  LAB_TRY(allowed(call, operation));
  rd_kafka_poll(handle_, 0);
  if (!shared_->lost) return ok();
  const std::scoped_lock lock(shared_->mutex);
  return Error{ErrorCode::kConnectionLost, operation,
               shared_->last_error.empty() ? "the broker closed the connection" : shared_->last_error, true};
}

bool Client::lost() const { return shared_->lost; }

Result<ClusterState> Client::topics(const CallContext& call, const char* operation) {
  return look(call, operation, nullptr);
}

Result<ClusterState> Client::topic(const CallContext& call, const char* operation, const std::string& name) {
  return look(call, operation, &name);
}

Result<const rd_kafka_metadata_t*> Client::ask(const CallContext& call, const char* operation,
                                               rd_kafka_topic_t* topic) {
  while (true) {
    LAB_TRY(usable(call, operation));
    const rd_kafka_metadata_t* given = nullptr;
    const auto code = rd_kafka_metadata(handle_, topic == nullptr ? 1 : 0, topic, &given, kRequestSliceMs);
    Handle<const rd_kafka_metadata_t> answer(given);
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT) continue;
    LAB_TRY(usable(call, operation));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_error(code, operation);
    return answer.release();
  }
}

Status Client::learn(const CallContext& call, const char* operation, rd_kafka_topic_t* topic) {
  const auto answer = ask(call, operation, topic);
  if (!answer) return answer.error();
  rd_kafka_metadata_destroy(*answer);
  return ok();
}

Result<ClusterState> Client::look(const CallContext& call, const char* operation, const std::string* name) {
  const Handle<rd_kafka_topic_t> topic(name == nullptr ? nullptr
                                                       : rd_kafka_topic_new(handle_, name->c_str(), nullptr));
  const auto asked = ask(call, operation, topic.get());
  if (!asked) return asked.error();
  const Handle<const rd_kafka_metadata_t> answer(*asked);
  ClusterState state;
  for (int broker = 0; broker < answer->broker_cnt; ++broker)
    state.brokers.push_back(answer->brokers[broker].id);
  std::sort(state.brokers.begin(), state.brokers.end());
  for (int index = 0; index < answer->topic_cnt; ++index) {
    const rd_kafka_metadata_topic_t& found = answer->topics[index];
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR && found.err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
      if (name == nullptr) continue;  // Of others, whom it concerns.
      return kafka_error(found.err, operation, *name);
    }
    TopicState one{.name = found.topic};
    for (int number = 0; number < found.partition_cnt; ++number) {
      const rd_kafka_metadata_partition_t& partition = found.partitions[number];
      one.partitions.push_back({.leader = partition.leader,
                                .replicas = {partition.replicas, partition.replicas + partition.replica_cnt},
                                .in_sync = static_cast<std::size_t>(partition.isr_cnt)});
    }
    state.topics.push_back(std::move(one));
  }
  return state;
}

/// rd_kafka_query_watermark_offsets looks at its limit only until the requests are sent, and then waits for
/// the answers as long as a request may take: a minute on a broker that hangs.
Result<std::int64_t> Client::offset_at(const CallContext& call, const char* operation,
                                       const std::string& topic, std::int64_t which) {
  const auto election = Clock::now() + kElectionLimit;
  while (true) {
    LAB_TRY(usable(call, operation));
    const Handle<rd_kafka_topic_partition_list_t> asked(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), 0)->offset = which;
    const auto left = std::chrono::duration_cast<Millis>(call.deadline - Clock::now()).count();
    const int slice = static_cast<int>(std::clamp<std::int64_t>(left, 1, kRequestSliceMs));
    auto code = rd_kafka_offsets_for_times(handle_, asked.get(), slice);
    LAB_TRY(usable(call, operation));
    const rd_kafka_topic_partition_t& answer = asked->elems[0];
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = answer.err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && answer.offset >= 0) return answer.offset;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      return Error{ErrorCode::kCorruption, operation, "the broker tells no offset of " + topic};
    if (code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION && Clock::now() < election)
      rd_kafka_poll(handle_, kSliceMs);
    else if (code != RD_KAFKA_RESP_ERR__TIMED_OUT)
      return kafka_error(code, operation, topic);
  }
}

Result<Watermarks> Client::watermarks(const CallContext& call, const char* operation,
                                      const std::string& topic) {
  const auto low = offset_at(call, operation, topic, RD_KAFKA_OFFSET_BEGINNING);
  if (!low) return low.error();
  const auto high = offset_at(call, operation, topic, RD_KAFKA_OFFSET_END);
  if (!high) return high.error();
  return Watermarks{.low = *low, .high = *high};
}

Status Client::consume(const CallContext& call, const char* operation, const std::string& topic,
                       Watermarks range, const std::function<Status(const rd_kafka_message_t&)>& sink) {
  if (range.low >= range.high) return ok();
  const Handle<rd_kafka_topic_t> source(rd_kafka_topic_new(handle_, topic.c_str(), nullptr));
  LAB_TRY(learn(call, operation, source.get()));
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_));
  if (rd_kafka_consume_start_queue(source.get(), 0, range.low, queue.get()) != 0)
    return kafka_error(rd_kafka_last_error(), operation, topic);
  const StopReading stop{source.get()};
  while (true) {
    LAB_TRY(usable(call, operation));
    const Handle<rd_kafka_message_t> message(rd_kafka_consume_queue(queue.get(), kSliceMs));
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (message->offset >= range.high) return ok();
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return kafka_error(message->err, operation, rd_kafka_message_errstr(message.get()));
    if (message->offset >= range.high) return ok();
    LAB_TRY(sink(*message));
    if (message->offset == range.high - 1) return ok();
  }
}

Status Client::may_read(const CallContext& call, const char* operation, const std::string& topic) {
  const Handle<rd_kafka_topic_t> source(rd_kafka_topic_new(handle_, topic.c_str(), nullptr));
  LAB_TRY(learn(call, operation, source.get()));
  const Handle<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle_));
  if (rd_kafka_consume_start_queue(source.get(), 0, RD_KAFKA_OFFSET_END, queue.get()) != 0)
    return kafka_error(rd_kafka_last_error(), operation, topic);
  const StopReading stop{source.get()};
  while (true) {
    LAB_TRY(usable(call, operation));
    const Handle<rd_kafka_message_t> message(rd_kafka_consume_queue(queue.get(), kSliceMs));
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
      return ok();
    return kafka_error(message->err, operation, rd_kafka_message_errstr(message.get()));
  }
}

}  // namespace lab::kafka
