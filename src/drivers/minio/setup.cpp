// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/setup.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/text.hpp"
#include "core/units.hpp"
#include "driver/server_url.hpp"

namespace lab::minio {
namespace {

constexpr Bytes kSmallestPart = 5_MiB;  // S3's own limits of a multipart upload,
constexpr Bytes kLargestPart = 5_GiB;
constexpr std::int64_t kPartsMax = 10'000;
constexpr Bytes kDefaultPart = 64_MiB;
constexpr std::size_t kParallelMax = 64;
constexpr const char* kDefaultRegion = "us-east-1";

Error bad(std::string why) { return {ErrorCode::kInvalidArgument, "url", std::move(why)}; }

std::string option_of(const SystemConfig& config, const char* key) {
  const auto found = config.options.find(key);
  return found == config.options.end() ? "" : found->second;
}

bool is_region(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
}

Result<Endpoint> endpoint_of(const SystemConfig& config) {
  static const std::string kSchemes[] = {"s3"};
  static const std::string kParameters[] = {"tls", "region", "tls_ca"};
  const auto url = parse_server_url(config.url, kSchemes, 0, kParameters);
  if (!url) return url.error();
  const auto parameter = [&](const char* key) {
    const auto found = url->parameters.find(key);
    return found == url->parameters.end() ? std::string() : found->second;
  };
  if (url->user.empty()) return bad("the url names no access key: write s3://ACCESSKEY@host:port");
  if (!url->path.empty())
    return bad("the url names a bucket: buckets are NAME-0, NAME-1, ... of the option 'namespace'");
  const std::string tls = parameter("tls");
  if (!tls.empty() && tls != "on" && tls != "off") return bad("tls is '" + tls + "': write on or off");
  Endpoint endpoint{.region = parameter("region"), .tls = tls != "off"};
  if (endpoint.region.empty()) endpoint.region = kDefaultRegion;
  if (!is_region(endpoint.region)) return bad("region is '" + to_valid_utf8(endpoint.region) + "'");
  endpoint.http.ca_file = parameter("tls_ca");
  if (!endpoint.tls && !endpoint.http.ca_file.empty()) return bad("tls_ca goes with tls=on");
  const bool ipv6 = url->host.find(':') != std::string::npos;
  const int port = url->port != 0 ? url->port : (endpoint.tls ? 443 : 80);
  endpoint.address = fmt::format("{}{}{}:{}", ipv6 ? "[" : "", url->host, ipv6 ? "]" : "", port);
  endpoint.base = (endpoint.tls ? "https://" : "http://") + endpoint.address;
  endpoint.http.login = HttpLogin{
      .user = url->user, .password = config.password, .aws_sigv4 = "aws:amz:" + endpoint.region + ":s3"};
  return endpoint;
}

/// Buckets have stricter names than other namespaces.
Result<ServerNamespace> namespace_of(const SystemConfig& config) {
  auto space = server_namespace(config, "dedup-lab");
  if (!space) return space;
  if (space->name.find('_') != std::string::npos)
    return bad_option("namespace", space->name, ": names of buckets have no '_'; write '-'");
  return space;
}

Result<Bytes> part_size_of(const SystemConfig& config) {
  const std::string text = option_of(config, "part_size");
  if (text.empty()) return kDefaultPart;
  const auto size = parse_bytes(text);
  if (!size) return bad_option("part_size", text, ": " + size.error().detail);
  if (*size < kSmallestPart || *size > kLargestPart)
    return bad_option("part_size", text, ": S3 takes 5 MiB to 5 GiB");
  return size;
}

Result<std::size_t> parallel_of(const SystemConfig& config) {
  const std::string text = option_of(config, "parallel");
  std::size_t parallel = Setup{}.parallel;
  if (text.empty()) return parallel;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), parallel);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || parallel < 1 ||
      parallel > kParallelMax)
    return bad_option("parallel", text, fmt::format(": write 1 to {}", kParallelMax));
  return parallel;
}

Result<std::string> maintenance_url_of(const SystemConfig& config) {
  std::string url = option_of(config, "maintenance_url");
  if (url.empty()) return url;
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return bad_option("maintenance_url", url, ": it begins with neither http:// nor https://");
  if (config.directory.empty())
    return bad_option("maintenance_url", url,
                      " and needs 'directory': whether it did something is told from the files");
  return url;
}

}  // namespace

std::string Setup::bucket(std::uint32_t container) const {
  return fmt::format("{}-{}", space.name, container);
}

const std::vector<VariantInfo>& variants() {
  static const std::vector<VariantInfo> kVariants{
      {"default", "no versioning; objects above part_size in parts"},
      {"versioned", "bucket versioning: a DELETE leaves the data; maintenance deletes what is not current"},
      {"multipart", "no versioning; objects above 5 MiB in parts of 5 MiB"},
  };
  return kVariants;
}

std::vector<std::string> options() { return server_options({"part_size", "parallel", "maintenance_url"}); }

Result<Setup> setup_of(const SystemConfig& config, const std::string& variant) {
  auto endpoint = endpoint_of(config);
  if (!endpoint) return std::move(endpoint).error();
  auto space = namespace_of(config);
  if (!space) return std::move(space).error();
  const auto part_size = part_size_of(config);
  if (!part_size) return part_size.error();
  const auto parallel = parallel_of(config);
  if (!parallel) return parallel.error();
  auto maintenance_url = maintenance_url_of(config);
  if (!maintenance_url) return std::move(maintenance_url).error();
  const std::int64_t part_bytes = variant == "multipart" ? kSmallestPart.count : part_size->count;
  return Setup{.endpoint = std::move(*endpoint),
               .space = std::move(*space),
               .variant = variant,
               .run_id = config.run_id,
               .containers = config.containers,
               .schema = schema_of(config),
               .versioned = variant == "versioned",
               .multipart_above = part_bytes,
               .part_bytes = part_bytes,
               .parallel = *parallel,
               .directory = config.directory,
               .maintenance_url = std::move(*maintenance_url)};
}

DriverInfo info_of(const Setup& setup) {
  DriverInfo info{.system = "minio",
                  .variant = setup.variant,
                  .bulk_path = fmt::format("parallel PUTs over {} connections", setup.parallel),
                  .durability =
                      "HTTP 200 to the PUT: as durable as the server makes an object before it "
                      "answers, which S3 cannot ask",
                  .capabilities = {Capability::kBatch, Capability::kGet, Capability::kEraseEach,
                                   Capability::kDeleteLogical, Capability::kReplace},
                  .second_put = SecondPut::kReplace,
                  .background_work = true,
                  .object_size_max = setup.part_bytes * kPartsMax};
  if (setup.space.create) info.capabilities.insert(Capability::kDeleteDrop);
  if (setup.versioned || !setup.maintenance_url.empty()) info.capabilities.insert(Capability::kMaintenance);
  return info;
}

}  // namespace lab::minio
