// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <thread>

#include "cli/exit_code.hpp"

namespace lab::cli {
namespace {

std::atomic<int> received{0};
std::array<int, 2> wake_pipe{-1, -1};

constexpr std::array<int, 3> kSignals{SIGINT, SIGTERM, SIGHUP};

/// Async-signal-safe: notes the signal and wakes the thread that requests the stop.
void on_signal(int number) {
  const int saved = errno;
  if (received.exchange(number) == SIGINT && number == SIGINT) ::_exit(kExitInterrupted);
  const char byte = 's';
  if (::write(wake_pipe[1], &byte, 1) < 0) ::_exit(kExitInterrupted);
  errno = saved;
}

/// Turns the byte in the pipe into a stop request; request_stop itself is not safe in a handler.
struct Watcher {
  std::stop_source source{};
  std::jthread thread{};
};
std::unique_ptr<Watcher> watcher;

/// By value: the thread keeps its own.
void watch(std::stop_source source) {  // NOLINT(performance-unnecessary-value-param)
  char byte = 0;
  while (::read(wake_pipe[0], &byte, 1) < 0 && errno == EINTR) {
  }
  if (byte == 's') source.request_stop();
}

void install(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  LAB_CHECK(watcher == nullptr, "one guard at a time");
  LAB_CHECK(::pipe(wake_pipe.data()) == 0, "a pipe for signals");
  received = 0;
  watcher = std::make_unique<Watcher>();
  watcher->thread = std::jthread([source = watcher->source] { watch(source); });
  install(on_signal);
}

InterruptGuard::~InterruptGuard() {
  install(SIG_DFL);
  const char byte = 'q';
  if (::write(wake_pipe[1], &byte, 1) == 1) watcher->thread.join();
  watcher.reset();
  ::close(wake_pipe[0]);
  ::close(wake_pipe[1]);
}

std::stop_token InterruptGuard::token() const { return watcher->source.get_token(); }

int InterruptGuard::exit_code() {
  const int number = received;
  if (number == 0) return 0;
  return number == SIGINT ? kExitInterrupted : kExitTerminated;
}

}  // namespace lab::cli
