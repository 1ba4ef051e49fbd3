// A server for tests: `testbed_fake_server MODE PORT`. It says "hello" to who connects, and starts
// "data/starts" in its folder with one more line each time.
//   good      as it should be
//   stubborn  ignores SIGTERM
//   child     has a child that listens in its place
//   mute      listens, but says nothing
//   deaf      listens on nothing
//   dying     ends at once, with a word on standard error
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

[[noreturn]] void wait_for_ever() {
  while (true) ::pause();
}

int listen_on(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket, 16) != 0) {
    std::fprintf(stderr, "cannot listen on port %d\n", port);
    std::exit(1);
  }
  return socket;
}

[[noreturn]] void greet(int listener) {
  while (true) {
    const int client = ::accept(listener, nullptr, nullptr);
    if (client >= 0 && ::send(client, "hello", 5, MSG_NOSIGNAL) != 5) std::fputs("a client left\n", stderr);
    ::close(client);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string mode = argv[1];
  if (mode == "dying") {
    std::fputs("the fake server is dying\n", stderr);
    return 1;
  }
  std::ofstream("data/starts", std::ios::app) << "start\n";
  if (mode == "stubborn") std::signal(SIGTERM, SIG_IGN);
  if (mode == "deaf") wait_for_ever();
  if (mode == "child" && ::fork() != 0) wait_for_ever();
  const int listener = listen_on(std::atoi(argv[2]));
  if (mode == "mute") wait_for_ever();
  greet(listener);
}
