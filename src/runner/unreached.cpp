// SPDX-License-Identifier: Apache-2.0
#include "runner/unreached.hpp"

#include <fmt/format.h>

namespace lab {
namespace {

/// What to do about a server that could not be reached or logged in to.
std::string advice(const SystemPlan& system, const SystemEntry& entry, ErrorCode code,
                   const std::string& detail) {
  const std::string variable = system.password_env.value_or(entry.password_env);
  const std::string password = system.password_file ? "the password in " + *system.password_file
                               : variable.empty()   ? "the client's own password file"
                                                    : "the password in the environment variable " + variable;
  // One of these words is in what each library says of a handshake that failed.
  for (const char* word : {"certificate", "SSL", "TLS"})
    if (detail.find(word) != std::string::npos)
      return "this connection is to be encrypted and the server verified, since the url says so or does not "
             "say otherwise: the server must have TLS on this port, with a certificate for the host that the "
             "url names, from a CA that the system knows or the url names a file of";
  switch (code) {
    case ErrorCode::kConnectionLost:
      return "is the server running, can it be reached from this host, and does the url have its port and "
             "its kind of encryption?";
    case ErrorCode::kTimeout:
      return "it did not answer in time: does the url have the right port and the right kind of encryption, "
             "and is the server overloaded?";
    case ErrorCode::kRefused:
      return "check the user in the url, and " + password;
    case ErrorCode::kNotFound:
      return "check the name of the database in the url";
    default:
      return "";
  }
}

}  // namespace

std::string words_for_unreached(const SystemPlan& system, const SystemEntry& entry, ErrorCode code,
                                const std::string& detail) {
  const std::string what_to_do = advice(system, entry, code, detail);
  return fmt::format("{}: {}{}{}", system.url.value_or(""), detail, what_to_do.empty() ? "" : "; ",
                     what_to_do);
}

Status reach_system(const SystemPlan& system, const SystemEntry& entry, const SystemConfig& config,
                    const CallContext& call) {
  Status reached = reach_server(entry, config, call);
  if (reached) return reached;
  const Error& error = reached.error();
  return Error{error.code, "", words_for_unreached(system, entry, error.code, error.text()), error.retryable};
}

}  // namespace lab
