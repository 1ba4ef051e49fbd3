// Single objects: written in one request or in parts, read, looked for, deleted; and many at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "drivers/minio/client.hpp"
#include "model/dataset.hpp"

namespace lab::minio {

/// Key of an object, its UUID as text; and back, nothing for a text that is none in lower case.
std::string key_of(const ObjectId& id);
std::optional<ObjectId> id_of_key(std::string_view key);

/// In one PUT, or in parts above `setup.multipart_above`. An upload in parts that fails is aborted.
Status put_object(Client& client, const Setup& setup, const Object& object, const CallContext& call,
                  const char* operation);

/// Over up to `setup.parallel` connections of its own besides `client`. Not all or nothing: an error says how
/// many were acknowledged. The first failure ends the others.
Status put_objects(Client& client, const Setup& setup, Traffic& traffic, std::span<const Object> objects,
                   const CallContext& call, const char* operation);

/// Errors: kNotFound; kCorruption when it is not `size` bytes long, where that is given.
Result<std::string> get_object(Client& client, const std::string& bucket, const std::string& key,
                               std::optional<std::int64_t> size, const CallContext& call,
                               const char* operation);

/// A DELETE of a missing key succeeds, so a HEAD comes first. Errors: kNotFound.
Status delete_object(Client& client, const std::string& bucket, const std::string& key,
                     const CallContext& call, const char* operation);

}  // namespace lab::minio
