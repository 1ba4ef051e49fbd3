// The registry's look-up, and the checks of a configuration that all systems share.
// SPDX-License-Identifier: Apache-2.0
#include "driver/system.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace lab {
namespace {

constexpr const char* kNative = "native";

Status check_mode(const SystemEntry& entry, const VariantInfo& variant, const SystemConfig& config) {
  const std::string operation = entry.name + ".open";
  if (config.mode == "blob") return ok();
  if (config.mode != kNative || !entry.native)
    return Error{ErrorCode::kUnsupported, operation,
                 fmt::format("{} has no mode '{}', only blob{}", entry.name, config.mode,
                             entry.native ? " and native" : "")};
  if (!variant.blob_only.empty())
    return Error{ErrorCode::kUnsupported, operation,
                 fmt::format("variant {} has no mode 'native': {}", variant.name, variant.blob_only)};
  const auto schema = native_schema_of(config.payload, operation);
  if (!schema) return schema.error();
  return ok();
}

/// Whether a connection that failed so may have met a server of another kind: one that refuses a login speaks
/// what it should.
bool may_be_another(ErrorCode code) {
  return code != ErrorCode::kRefused && code != ErrorCode::kNotFound && code != ErrorCode::kCancelled &&
         code != ErrorCode::kResourceExhausted;
}

}  // namespace

const SystemEntry* find_system(const Registry& registry, std::string_view name) {
  const auto found = std::find_if(registry.begin(), registry.end(),
                                  [&](const SystemEntry& entry) { return entry.name == name; });
  return found == registry.end() ? nullptr : &*found;
}

Finding not_connected(const Error& error) {
  return {.what = "connection", .detail = error.text(), .unreached = error.code};
}

Error bad_option(std::string_view option, std::string_view value, std::string_view why) {
  return {ErrorCode::kInvalidArgument, fmt::format("options.{}", option),
          fmt::format("option '{}' is '{}'{}", option, to_valid_utf8(value), why)};
}

Status check_identity(const SystemEntry& entry, const SystemConfig& config, const CallContext& call) {
  if (!config.identity || entry.identify == nullptr) return ok();
  const auto found = entry.identify(config, call);
  if (!found) return found.error();
  if (found->identity == *config.identity) return ok();
  return Error{ErrorCode::kRefused, entry.name + ".identity",
               fmt::format("the plan wants server identity '{}', this one is '{}'; nothing was written to it",
                           *config.identity, found->identity)};
}

Status reach_server(const SystemEntry& entry, const SystemConfig& config, const CallContext& call) {
  if (entry.reach == nullptr) return ok();
  Status reached = entry.reach(config, within(call, kFirstAnswerLimit));
  if (reached || !entry.protocol || !may_be_another(reached.error().code)) return reached;
  const auto place = place_of(config.url);
  const auto found = place ? what_answers(*place, call) : std::nullopt;
  if (!found || *found == *entry.protocol) return reached;
  const std::string wanted(to_string(*entry.protocol));
  // Both are spoken by HTTP: what the driver was told tells more.
  const bool over_http = *entry.protocol == Protocol::kClickhouse || *entry.protocol == Protocol::kS3;
  const std::string what =
      *found == Protocol::kHttp && over_http
          ? fmt::format("speaks HTTP, but not as {} does ({})", wanted, reached.error().detail)
          : fmt::format("speaks the protocol of {}, not of {}", to_string(*found), wanted);
  return Error{ErrorCode::kUnsupported, reached.error().operation,
               fmt::format("what answers at {} {}: does the url have the host and the port of this system?",
                           to_string(*place), what)};
}

Result<std::unique_ptr<Session>> open_session(const SystemEntry& entry, const SystemConfig& config,
                                              const CallContext& call) {
  LAB_TRY(check_identity(entry, config, call));
  return entry.open(config, call);
}

Status remove_namespace(const SystemEntry& entry, const SystemConfig& config, const CallContext& call) {
  LAB_TRY(check_identity(entry, config, call));
  return entry.remove(config, call);
}

Result<ServerIdentity> identity_of(Session& session, const CallContext& call) {
  const auto observer = session.open_observer(call);
  if (!observer) return observer.error();
  return (*observer)->identity(call);
}

Result<std::string> resolve_config(const SystemEntry& entry, const SystemConfig& config) {
  const auto bad = [&](std::string why) {
    return Error{ErrorCode::kInvalidArgument, entry.name + ".open", std::move(why)};
  };
  for (const auto& [key, value] : config.options)
    if (std::find(entry.options.begin(), entry.options.end(), key) == entry.options.end())
      return bad(fmt::format("unknown option '{}'{}", key, suggestion(key, entry.options)));
  if (config.containers == 0) return bad("containers must be at least 1");
  std::vector<std::string> names;
  for (const VariantInfo& variant : entry.variants) names.push_back(variant.name);
  const auto found = std::find(names.begin(), names.end(), config.variant);
  if (found == names.end() && config.variant != "default")
    return bad(fmt::format("unknown variant '{}'{}", config.variant, suggestion(config.variant, names)));
  const VariantInfo& variant = entry.variants[found == names.end() ? 0 : found - names.begin()];
  LAB_TRY(check_mode(entry, variant, config));
  return variant.name;
}

const NativeSchema* schema_of(const SystemConfig& config) {
  return config.mode == kNative ? find_native_schema(config.payload) : nullptr;
}

}  // namespace lab
