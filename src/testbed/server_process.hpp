// Starting the processes of a server so that they can always be found again, and ending only those.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "core/process.hpp"
#include "core/time.hpp"
#include "testbed/ports.hpp"
#include "testbed/recipe.hpp"
#include "testbed/record.hpp"

namespace lab::testbed {

/// A signal to that very process, never to a later one with its number. False where it does not run.
bool send_signal(const ProcessStamp& process, int signal);

/// Ends it and what descends from it: `signal`, and SIGKILL to all when `patience` is over. Errors: kTimeout
/// for one that even SIGKILL does not end.
Status end_process(const ProcessStamp& process, int signal, Millis patience);

/// Ends what carries the token in its environment: what a killed server has left behind.
Status end_leftovers(const std::string& token);

/// Waits, at most 10 s, until nobody works in `home` any more: processes that end by themselves after their
/// parent.
void await_quiet(const std::filesystem::path& home);

/// Starts `command` with its output at the end of `log`; `record` says who it is, on disk in `file`, before
/// the program begins.
Status start_recorded(const Command& command, const std::filesystem::path& log, ServerRecord& record,
                      const std::filesystem::path& file, bool dies_with_us);

/// Waits until the recorded server is alive, the only listener on its port, and answers. Errors: kRefused (it
/// ended), kInUse (somebody else has the port), kTimeout, kCancelled.
Status await_ready(const Recipe& recipe, const Place& place, const ProcessStamp& process,
                   const CallContext& call);

/// The last lines of a log, for an error.
std::string tail_of(const std::filesystem::path& log);

}  // namespace lab::testbed
