// getaddrinfo cannot be stopped, so it runs in a thread that may be left behind.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/pgwire/name_lookup.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace lab::pgwire {
namespace {

/// Shared with the thread, which may outlive the call.
struct Lookup {
  std::mutex mutex{};
  std::condition_variable_any changed{};
  bool over = false;
  int failure = 0;
  std::vector<std::string> addresses{};
};

void look_up(const std::string& host, Lookup& lookup) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  std::vector<std::string> addresses;
  for (const addrinfo* one = failure == 0 ? found : nullptr; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) ==
        0)
      addresses.emplace_back(text.data());
  }
  if (failure == 0) ::freeaddrinfo(found);
  const std::lock_guard lock(lookup.mutex);
  lookup.failure = failure;
  lookup.addresses = std::move(addresses);
  lookup.over = true;
  lookup.changed.notify_all();
}

bool is_numeric(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

Result<std::vector<std::string>> addresses_of(const std::string& host, const CallContext& call,
                                              const char* operation) {
  if (is_numeric(host)) return std::vector<std::string>{host};
  const auto lookup = std::make_shared<Lookup>();
  std::thread([host, lookup] { look_up(host, *lookup); }).detach();
  std::unique_lock lock(lookup->mutex);
  if (!lookup->changed.wait_until(lock, call.stop, call.deadline, [&] { return lookup->over; })) {
    LAB_TRY(allowed(call, operation));
    return Error{ErrorCode::kTimeout, operation, fmt::format("looking up the host '{}'", host)};
  }
  if (lookup->addresses.empty())
    return Error{ErrorCode::kConnectionLost, operation,
                 fmt::format("host '{}': {}", host,
                             lookup->failure == 0 ? "no address" : ::gai_strerror(lookup->failure)),
                 true};
  return lookup->addresses;
}

}  // namespace lab::pgwire
