// SPDX-License-Identifier: Apache-2.0
#include "testbed/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>

#include "core/files.hpp"
#include "core/text.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

template <class Number>
bool read_number(std::string_view text, int base, Number& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return failure == std::errc() && end == text.data() + text.size();
}

/// Addresses that take what is sent to 127.0.0.1, as /proc/net writes them: words of the machine's order.
bool takes_loopback(std::string_view address) {
  if (address == "0100007F" || address == "7F000001") return true;  // Little and big endian.
  const bool any = address.find_first_not_of('0') == std::string_view::npos;
  const bool mapped =
      address == "0000000000000000FFFF00000100007F" || address == "00000000000000000000FFFF7F000001";
  return any || mapped;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

/// Inodes of the sockets that a process holds.
void add_sockets(pid_t pid, std::set<std::uint64_t>& inodes) {
  std::error_code failure;
  for (fs::directory_iterator entry("/proc/" + std::to_string(pid) + "/fd", failure), end;
       !failure && entry != end; entry.increment(failure)) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry->path(), gone).string();
    std::uint64_t inode = 0;
    if (target.starts_with("socket:[") && target.ends_with(']') &&
        read_number(std::string_view(target).substr(8, target.size() - 9), 10, inode))
      inodes.insert(inode);
  }
}

}  // namespace

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

FileHandle bind_to(std::uint16_t port) {
  FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return socket;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  const int failure = errno;
  socket.reset();
  errno = failure;
  return socket;
}

Result<std::vector<std::uint16_t>> free_ports(std::size_t count) {
  std::vector<FileHandle> held;  // All at once, so that they differ.
  std::vector<std::uint16_t> ports;
  while (ports.size() < count) {
    held.push_back(bind_to(0));
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (!held.back() || ::getsockname(held.back().get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      return errno_error("testbed.ports", "127.0.0.1", errno);
    ports.push_back(ntohs(address.sin_port));
  }
  return ports;
}

bool is_free(std::uint16_t port) { return static_cast<bool>(bind_to(port)); }

std::set<std::uint64_t> listener_inodes(std::string_view table, std::uint16_t port) {
  std::set<std::uint64_t> inodes;
  for (const std::string& line : split(table, '\n')) {
    const auto words = words_of(line);
    if (words.size() < 10 || words[3] != "0A") continue;  // 0A: listening.
    const std::size_t colon = words[1].find(':');
    std::uint16_t number = 0;
    std::uint64_t inode = 0;
    if (colon == std::string_view::npos || !read_number(words[1].substr(colon + 1), 16, number)) continue;
    if (number == port && takes_loopback(words[1].substr(0, colon)) && read_number(words[9], 10, inode))
      inodes.insert(inode);
  }
  return inodes;
}

Result<Listener> listener_of(std::uint16_t port, const ProcessStamp& process) {
  std::set<std::uint64_t> listening;
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto table = read_file(file);
    if (!table && table.error().code == ErrorCode::kNotFound) continue;  // A kernel without IPv6.
    if (!table) return table.error();
    listening.merge(listener_inodes(*table, port));
  }
  if (listening.empty()) return Listener::kNone;
  std::set<std::uint64_t> held;
  for (const ProcessStamp& one : family_of(process)) add_sockets(one.pid, held);
  const bool ours = std::includes(held.begin(), held.end(), listening.begin(), listening.end());
  return ours ? Listener::kOurs : Listener::kForeign;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> all;
  std::error_code failure;
  for (fs::directory_iterator entry("/proc", failure), end; !failure && entry != end;
       entry.increment(failure)) {
    pid_t pid = 0;
    if (read_number(entry->path().filename().string(), 10, pid)) all.push_back(pid);
  }
  return all;
}

std::vector<ProcessStamp> family_of(const ProcessStamp& process) {
  if (!runs(process)) return {};
  std::multimap<pid_t, ProcessStamp> children;  // By parent.
  for (const pid_t pid : all_processes()) {
    const auto stat = process_stat(std::to_string(pid));
    if (stat && !stat->ended()) children.insert({stat->parent, {pid, stat->started, process.boot}});
  }
  std::vector<ProcessStamp> family{process};
  for (std::size_t next = 0; next < family.size(); ++next) {
    const auto [from, to] = children.equal_range(family[next].pid);
    for (auto child = from; child != to; ++child) family.push_back(child->second);
  }
  return family;
}

}  // namespace lab::testbed
