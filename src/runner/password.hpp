// Where a server's password comes from: an environment variable or a file that only its owner reads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "driver/system.hpp"
#include "model/plan.hpp"
#include "model/record.hpp"
#include "probe/probe_set.hpp"

namespace lab {

/// The plan's password_env or password_file, else the system's own variable; empty where there is none: then
/// the client library's own password file may have it. Errors: kInvalidArgument for a variable that the plan
/// names and that is not set; kRefused for a file that others may read; those of reading it. Errors name the
/// variable or the file, never the password.
Result<std::string> resolve_password(const SystemPlan& system, const SystemEntry& entry);

/// The password or the bearer token of Prometheus; empty where the plan names none. Errors: as above;
/// kInvalidArgument for one that is empty or has control characters in it.
Result<std::string> resolve_password(const PrometheusPlan& prometheus);

/// All that the probes of a system log in with: to Prometheus, to its exporters, to its volume's own page.
/// Errors: as those of Prometheus.
Result<ProbeSecrets> resolve_probe_secrets(const Plan& plan, const SystemPlan& system);

/// From now on the values of all variables named as the program's own are (DEDUP_..._PASSWORD) are kept out
/// of logs and of the words of children, whatever the plan names: a hook that prints its environment has them
/// all.
void redact_environment();

/// The words of others in a record, without secrets: a server's error may repeat what it was sent.
void redact_words(StageRecord& record);

}  // namespace lab
