// Drives of a MinIO cluster, by its own metrics. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "probe/http_endpoint.hpp"
#include "probe/probe.hpp"

namespace lab {

struct MinioConfig {
  /// ".../minio/v2/metrics/cluster" of one server, which answers for all of them. The secret is the bearer
  /// token of `mc admin prometheus generate`; none where MINIO_PROMETHEUS_AUTH_TYPE=public.
  HttpEndpoint endpoint{};
};

/// `minio`: minio_cluster_capacity_raw_total_bytes less minio_cluster_capacity_raw_free_bytes, which is the
/// statfs of all drives, parity and whatever else is on them included; not the usage of buckets, which is
/// logical and comes from the scanner, hours late. Errors: those of scrape(); kRefused while a drive is
/// offline, since its bytes are then in neither sum; kNotFound where the endpoint does not say one of these.
std::unique_ptr<Probe> make_minio_probe(MinioConfig config, TimeSource& time = real_time());

}  // namespace lab
