// Who answers: name and version of an S3 server from what its answers carry.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "drivers/minio/client.hpp"
#include "model/record.hpp"

namespace lab::minio {

/// From the answer to ListBuckets, which may be a refusal: then the owner's id is missing in the identity.
/// S3 does not show when a server was started, so `started_at` is a constant that says so.
ServerIdentity identity_of(const HttpAnswer& answer, const Endpoint& endpoint);

/// Asks for the list of buckets, which any S3 server answers; a refusal in the words of S3 is an answer too.
/// Errors: kConnectionLost for what is no S3 server.
Result<HttpAnswer> greet(Client& client, const CallContext& call, const char* operation);

/// Whether an answer to greet takes the key pair. One that may not list all buckets is taken: whether it is
/// accepted shows at the lab's own. Errors: those of answer_error, as kRefused for a wrong secret.
Status check_login(const HttpAnswer& answer, const char* operation);

}  // namespace lab::minio
