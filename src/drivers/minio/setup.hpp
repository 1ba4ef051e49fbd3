// What a configuration says about an S3 server and how our objects lie in it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/http_client.hpp"
#include "driver/server_namespace.hpp"
#include "driver/system.hpp"

namespace lab::minio {

/// Where the server is and as whom we speak to it.
struct Endpoint {
  std::string base{};     // "https://host:port", without a path: buckets are addressed in the path.
  std::string address{};  // "host:port", for people.
  std::string region{};
  bool tls = true;
  HttpSettings http{};
};

struct Setup {
  Endpoint endpoint{};
  ServerNamespace space{};
  std::string variant{};
  std::string run_id{};
  std::uint32_t containers = 1;
  const NativeSchema* schema = nullptr;  // Of mode "native"; null: the metadata is the payload's SHA-256.
  bool versioned = false;
  std::int64_t multipart_above = 0;  // Objects above this many bytes go in parts,
  std::int64_t part_bytes = 0;       // each of this many, but for the last.
  std::size_t parallel = 4;          // Connections of a batch.
  std::filesystem::path directory{};
  std::string maintenance_url{};  // Asked for by maintain(); empty: none.

  /// Bucket of a container: NAME-0, NAME-1, ...
  std::string bucket(std::uint32_t container) const;
};

/// Variants, options and other lists of the registry line.
const std::vector<VariantInfo>& variants();
std::vector<std::string> options();

/// Errors: kInvalidArgument (url, options, names that no bucket can have, no secret key), and those of
/// resolve_config, which `variant` has passed.
Result<Setup> setup_of(const SystemConfig& config, const std::string& variant);

DriverInfo info_of(const Setup& setup);

}  // namespace lab::minio
