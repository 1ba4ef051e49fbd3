// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/examine.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <set>

#include "core/text.hpp"
#include "drivers/minio/layout.hpp"
#include "drivers/minio/rights.hpp"
#include "drivers/minio/server.hpp"
#include "drivers/minio/space.hpp"
#include "drivers/minio/xml.hpp"

namespace lab::minio {
namespace {

constexpr std::int64_t kClockSecondsMax = 300;  // A signature is refused when it is 15 min old.
constexpr const char* kOperation = "minio.examine";

class Examination {
 public:
  Examination(const Setup& setup, const CallContext& call)
      : setup_(setup), call_(call), client_(setup.endpoint, traffic_, Client::Loss::kHeals) {}

  std::vector<Finding> run() {
    if (look_at_service()) {
      look_at_buckets();
      look_at_files();
    }
    return std::move(findings_);
  }

 private:
  void add(std::string what, bool passed, std::string detail, bool warning = false) {
    findings_.push_back({std::move(what), passed, std::move(detail), warning});
  }

  /// False: nothing more can be asked.
  bool look_at_service() {
    const auto answer = greet(client_, call_, kOperation);
    if (!answer) {
      findings_.push_back(not_connected(answer.error()));
      return false;
    }
    const ServerIdentity who = identity_of(*answer, setup_.endpoint);
    add("connection", true,
        fmt::format("{} {} at {}{}", who.name, who.version, setup_.endpoint.address,
                    setup_.endpoint.tls ? "" : ", without TLS: who listens on the way reads the data"),
        !setup_.endpoint.tls);
    look_at_clock(*answer);
    if (answer->good()) {
      const auto names = parse_buckets(answer->body);
      listed_ = std::set(names.begin(), names.end());
    }
    if (const Status taken = check_login(*answer, kOperation); !taken) {
      findings_.push_back(not_connected(taken.error()));
      return false;
    }
    add("credentials", true,
        answer->good() ? "the key pair is accepted"
                       : "the key pair may not list all buckets, which is not needed; whether it is "
                         "accepted shows at the lab's own");
    return true;
  }

  void look_at_clock(const HttpAnswer& answer) {
    const auto date = answer.headers.find("date");
    const auto there = date == answer.headers.end() ? std::nullopt : parse_http_date(date->second);
    if (!there) return add("clock", false, "the server tells no Date, from which the age of a lock is known");
    const std::int64_t apart = std::llabs(*there - wall_time_ms() / 1'000);
    add("clock", apart <= kClockSecondsMax, fmt::format("{} s apart from the server's", apart));
  }

  void look_at_buckets() {
    const auto found = find_buckets(client_, setup_, call_, kOperation);
    if (!found) return closed(setup_.bucket(0), found.error());
    const bool none = found->ours.empty() && found->others.empty();
    if (none) {
      if (setup_.space.create)
        add("namespace", true, "bucket " + setup_.bucket(0) + " is not there yet");
      else
        add("namespace", false,
            "there is no bucket " + setup_.bucket(0) + ", and namespace_mode is existing");
    }
    for (const auto* const some : {&found->ours, &found->others})
      for (const std::uint32_t container : *some) look_at_bucket(container);
    if (none && setup_.space.create) look_at_rights(setup_.bucket(0), false, false);
    if (setup_.versioned && none)
      add("versioning", true, "whether the server has it shows when the bucket is made", true);
  }

  /// A bucket that we may not look into. Which rights it takes is asked for all the same, so that they need
  /// not be found one after another. It may have versions: nothing is asked that could leave a delete marker.
  void closed(const std::string& bucket, const Error& error) {
    if (error.code != ErrorCode::kRefused) return add("namespace", false, error.text());
    add("namespace", false,
        error.text() +
            "; to look at a bucket takes the rights s3:ListBucket and s3:GetObject, in SeaweedFS the action "
            "Read");
    const auto refused = refused_rights(client_, bucket, true, call_, kOperation);
    if (!refused) return add("rights", false, refused.error().text());
    for (const std::string& right : *refused) add("rights", false, right);
  }

  void look_at_bucket(std::uint32_t container) {
    const Bucket bucket(client_, setup_.bucket(container), call_, kOperation);
    const auto marker = read_marker(client_, bucket.name(), call_, kOperation);
    if (!marker) return closed(bucket.name(), marker.error());
    std::uint64_t objects = 0;
    const Status listed = bucket.each_page([&](std::span<const ListedObject> page) -> Status {
      objects += page.size();
      return ok();
    });
    if (!listed) return add("rights", false, listed.error().text());
    if (!*marker && (setup_.space.create || objects > 0))
      return add("namespace", false,
                 fmt::format("bucket {} exists without the marker {}: name another namespace", bucket.name(),
                             kMarkerKey));
    if (*marker)
      if (const Status free = LabLock::check_free((*marker)->lock(), setup_.run_id); !free)
        return add("namespace", false, free.error().text());
    add("namespace", true, fmt::format("bucket {} is the lab's, {} objects", bucket.name(), objects));
    if (container == 0 && *marker) holder_ = (*marker)->holder;
    const auto state = bucket.versioning();
    if (!state) return add("versioning", false, state.error().text());
    look_at_rights(bucket.name(), true, *state != Versioning::kNever);
    if (container != 0) return;
    const bool enabled = *state == Versioning::kEnabled;
    if (!setup_.space.create && enabled != setup_.versioned)
      add("versioning", false,
          fmt::format("bucket {} is {}versioned, which variant {} cannot use", bucket.name(),
                      enabled ? "" : "not ", setup_.variant));
  }

  /// Never asked in a bucket that is known as one of others.
  void look_at_rights(const std::string& bucket, bool is_there, bool versioned) {
    const auto refused = refused_rights(client_, bucket, versioned, call_, kOperation);
    if (!refused) return add("rights", false, refused.error().text());
    for (const std::string& right : *refused) add("rights", false, right);
    if (!refused->empty()) return;
    const char* const buckets =
        setup_.space.create ? "; whether buckets may be made and dropped shows only when they are" : "";
    add("rights", true,
        is_there ? fmt::format("objects of {} may be listed, read, written and deleted{}", bucket, buckets)
                 : fmt::format("the server refuses none on objects of {}, which is not there yet{}", bucket,
                               buckets));
  }

  void look_at_files() {
    if (setup_.directory.empty()) return;
    const auto found = find_bucket(setup_.directory, setup_.bucket(0));
    if (!found) return add("files", false, found.error().text());
    // Volumes are known by the name of the bucket alone until something is written to them.
    const bool volumes = *found && (*found)->layout == Layout::kSeaweed;
    Status right = ok();
    if (holder_ && !volumes) right = check_directory(setup_.directory, std::nullopt, *found, *holder_);
    if (!holder_ && listed_) right = check_possible(setup_.directory, *listed_);
    if (!right) return add("files", false, right.error().text());
    if (holder_)
      add("files", true,
          fmt::format("{} holds our bucket as {}", setup_.directory.string(), to_string((*found)->layout)));
    else
      add("files", true,
          setup_.directory.string() + " can be read; whether it is this server's shows with the bucket",
          true);
  }

  const Setup& setup_;
  const CallContext& call_;
  Traffic traffic_{};
  Client client_;
  std::optional<std::set<std::string>> listed_{};  // All buckets, where we may see them.
  std::optional<std::string> holder_{};            // In the marker of our first bucket, where there is one.
  std::vector<Finding> findings_{};
};

class PolicyAdmin final : public Admin {
 public:
  explicit PolicyAdmin(std::string prefix) : prefix_(std::move(prefix)) {}

  std::vector<std::string> apply_statements() const override {
    return {
        "-- Save the JSON below as FILE; there is no word to replace. MinIO: mc admin policy create ALIAS "
        "dedup-lab FILE && mc admin policy attach ALIAS dedup-lab --user KEY",
        fmt::format(
            R"({{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": ["s3:CreateBucket", )"
            R"("s3:DeleteBucket", "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", )"
            R"("s3:GetBucketVersioning", "s3:PutBucketVersioning", "s3:GetEncryptionConfiguration"], )"
            R"("Resource": "arn:aws:s3:::{0}-*"}}, {{"Effect": "Allow", "Action": ["s3:GetObject", )"
            R"("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"], )"
            R"("Resource": "arn:aws:s3:::{0}-*/*"}}]}})",
            prefix_)};
  }
  std::vector<std::string> undo_statements() const override {
    return {"detach that policy from the lab's user, and remove both, with the server's own tools"};
  }
  Status apply(const CallContext& /*call*/) override { return by_hand(); }
  Status undo(const CallContext& /*call*/) override { return by_hand(); }

 private:
  static Status by_hand() {
    return Error{ErrorCode::kUnsupported, "minio.setup",
                 "S3 has no request that makes users or policies: give the printed policy to the lab's user "
                 "with the server's own tools"};
  }
  std::string prefix_;
};

}  // namespace

std::vector<Finding> examine(const Setup& setup, const CallContext& call) {
  return Examination(setup, call).run();
}

std::unique_ptr<Admin> make_admin(const Setup& setup) {
  return std::make_unique<PolicyAdmin>(setup.space.name);
}

}  // namespace lab::minio
