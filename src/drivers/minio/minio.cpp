// The registry line of the minio system and its session.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/minio.hpp"

#include <curl/curlver.h>

#include "core/files.hpp"
#include "drivers/minio/examine.hpp"
#include "drivers/minio/server.hpp"
#include "drivers/minio/session.hpp"
#include "drivers/minio/space.hpp"

namespace lab {
namespace {

using minio::Client;
using minio::Setup;

class MinioSession final : public Session {
 public:
  explicit MinioSession(Setup setup) { shared_.setup = std::move(setup); }

  Status prepare(const CallContext& call) {
    const Setup& setup = shared_.setup;
    Client client(setup.endpoint, shared_.traffic, Client::Loss::kStays);
    LAB_TRY(minio::prepare(client, setup, call));
    std::optional<minio::FilesHere> before;
    if (!setup.directory.empty()) {
      auto found = minio::find_bucket(setup.directory, setup.bucket(0));
      if (!found) return std::move(found).error();
      before = std::move(*found);
    }
    auto lock = LabLock::take(minio::lock_store(setup, shared_.traffic, shared_.gate), setup.run_id, call);
    if (!lock) return std::move(lock).error();
    shared_.lock = std::move(*lock);
    return setup.directory.empty() ? ok() : look_at_files(before);
  }

  Result<std::unique_ptr<Driver>> open_driver(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.open_driver"));
    return minio::open_driver(shared_, call);
  }
  Result<std::unique_ptr<Observer>> open_observer(const CallContext& call) override {
    LAB_TRY(allowed(call, "minio.open_observer"));
    return minio::make_observer(shared_);
  }

 private:
  /// The lock was just written, and that must show in the directory.
  Status look_at_files(const std::optional<minio::FilesHere>& before) {
    const Setup& setup = shared_.setup;
    const auto after = minio::find_bucket(setup.directory, setup.bucket(0));
    if (!after) return after.error();
    LAB_TRY(minio::check_directory(setup.directory, before, *after, setup.run_id));
    shared_.layout = (*after)->layout;
    if (*shared_.layout != minio::Layout::kMinio) return ok();
    const auto meta = read_file((*after)->marker);
    if (!meta) return meta.error();
    shared_.copies = minio::copies_of_xl_meta(*meta);
    return ok();
  }

  minio::Shared shared_{};
};

Result<Setup> setup_without_secret(const SystemConfig& config) {
  const auto variant = resolve_config(minio_system(), config);
  if (!variant) return variant.error();
  return minio::setup_of(config, *variant);
}

Result<Setup> setup_for(const SystemConfig& config) {
  auto setup = setup_without_secret(config);
  if (setup && config.password.empty())
    return Error{ErrorCode::kInvalidArgument, "minio.open",
                 "there is no secret key: set DEDUP_MINIO_PASSWORD, password_env or password_file"};
  return setup;
}

Result<std::unique_ptr<Session>> open_minio(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "minio.open"));
  auto setup = setup_for(config);
  if (!setup) return std::move(setup).error();
  auto session = std::make_unique<MinioSession>(std::move(*setup));
  LAB_TRY(session->prepare(call));
  return std::unique_ptr<Session>(std::move(session));
}

/// For what is done without a session.
template <class Do>
auto with_client(const SystemConfig& config, Do&& act)
    -> decltype(act(std::declval<Client&>(), std::declval<const Setup&>())) {
  const auto setup = setup_for(config);
  if (!setup) return setup.error();
  minio::Traffic traffic;
  Client client(setup->endpoint, traffic, Client::Loss::kHeals);
  return act(client, *setup);
}

Result<ServerIdentity> identify_minio(const SystemConfig& config, const CallContext& call) {
  return with_client(config, [&](Client& client, const Setup& setup) -> Result<ServerIdentity> {
    const auto answer = client.send({}, call, "minio.identify");
    if (!answer) return answer.error();
    return minio::identity_of(*answer, setup.endpoint);
  });
}

Status reach_minio(const SystemConfig& config, const CallContext& call) {
  return with_client(config, [&](Client& client, const Setup&) -> Status {
    const auto answer = minio::greet(client, call, "minio.reach");
    if (!answer) return answer.error();
    return minio::check_login(*answer, "minio.reach");
  });
}

Status remove_minio(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "minio.remove"));
  return with_client(config, [&](Client& client, const Setup& setup) -> Status {
    return minio::remove_all(client, setup, call);
  });
}

Result<std::vector<std::string>> leftovers_minio(const SystemConfig& config, const CallContext& call) {
  LAB_TRY(allowed(call, "minio.leftovers"));
  return with_client(
      config, [&](Client& client, const Setup& setup) { return minio::leftovers(client, setup, call); });
}

std::vector<Finding> examine_minio(const SystemConfig& config, const CallContext& call) {
  const auto setup = setup_for(config);
  if (!setup) return {{.what = "configuration", .detail = setup.error().text()}};
  return minio::examine(*setup, call);
}

Status check_minio(const SystemConfig& config) {
  LAB_TRY(setup_without_secret(config));
  return ok();
}

Result<std::unique_ptr<Admin>> admin_minio(const SystemConfig& config) {
  const auto space = setup_for(config);
  if (!space) return space.error();
  return minio::make_admin(*space);
}

}  // namespace

SystemEntry minio_system() {
  return {.name = "minio",
          .what = "any S3 server (MinIO, SeaweedFS, VersityGW, ...), a key an object",
          .embedded = false,
          .native = true,
          .variants = minio::variants(),
          .options = minio::options(),
          .mechanisms =
              {{"ingestion", "missing",
                "S3 API: an object's bytes belong to its key; no request refers to bytes that are there"},
               {"compaction", "missing",
                "MinIO's scanner and SeaweedFS's vacuum take away what was deleted, each live object stays"},
               {"compression", "indirect",
                "server option, off by default (MinIO S2, SeaweedFS gzip by type): inside one object"},
               {"storage", "missing",
                "MinIO xl.meta and part.N, SeaweedFS volumes, VersityGW files: no shared data"},
               {"storage", "full",
                "garagehq.deuxfleurs.fr, Internals: Garage alone keeps blocks of 1 MiB addressed by their "
                "content"}},
          .library = "libcurl " LIBCURL_VERSION,
          .has_engine = false,
          .password_env = "DEDUP_MINIO_PASSWORD",
          .protocol = Protocol::kS3,
          .check = check_minio,
          .open = open_minio,
          .remove = remove_minio,
          .reach = reach_minio,
          .examine = examine_minio,
          .identify = identify_minio,
          .leftovers = leftovers_minio,
          .admin = admin_minio};
}

}  // namespace lab
