// What is looked at before a run, and the rights that a run needs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "drivers/minio/setup.hpp"

namespace lab::minio {

/// Writes nothing.
std::vector<Finding> examine(const Setup& setup, const CallContext& call);

/// The least rights as a policy in JSON. S3 itself has no request that makes users, so it is only printed.
std::unique_ptr<Admin> make_admin(const Setup& setup);

}  // namespace lab::minio
