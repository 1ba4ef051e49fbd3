// TCP ports of 127.0.0.1: free ones, and who listens on one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "core/process_stamp.hpp"
#include "core/result.hpp"

namespace lab::testbed {

/// 127.0.0.1:port.
sockaddr_in loopback(std::uint16_t port);

/// A socket bound to the port, as a server binds it; an invalid one with errno where that fails.
FileHandle bind_to(std::uint16_t port);

/// Different ports that nobody had when this was called: the kernel's choice for port 0.
Result<std::vector<std::uint16_t>> free_ports(std::size_t count);

/// True when a listener could have this port now.
bool is_free(std::uint16_t port);

/// Inodes of the sockets that get what is sent to 127.0.0.1:port, from the text of /proc/net/tcp or tcp6.
std::set<std::uint64_t> listener_inodes(std::string_view table, std::uint16_t port);

enum class Listener : std::uint8_t { kNone, kOurs, kForeign };

/// Whose listener 127.0.0.1:port is: kOurs only if every one of them is held by `process` or by a descendant
/// of it. Errors: kIo.
Result<Listener> listener_of(std::uint16_t port, const ProcessStamp& process);

/// The process and all that descend from it, itself first. Empty where it does not run.
std::vector<ProcessStamp> family_of(const ProcessStamp& process);

/// Numbers of the processes that /proc shows.
std::vector<pid_t> all_processes();

}  // namespace lab::testbed
