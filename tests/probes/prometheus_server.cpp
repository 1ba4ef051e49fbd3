// SPDX-License-Identifier: Apache-2.0
#include "prometheus_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "core/http_client.hpp"
#include "core/process_stamp.hpp"
#include "testbed/ports.hpp"

namespace lab {
namespace {

constexpr Millis kStartMax{60'000};
// bcrypt of "hunter2", which is what the tests' API wants; Prometheus takes nothing but bcrypt.
constexpr const char* kPasswordHash = "$2b$04$lIHt40UVc9Qn9dLBZ57aXuTzY1R/h.JOBDYHLMGEmERZdScH1j/RS";

Error failed(std::string why) { return {ErrorCode::kInternal, "test.prometheus", std::move(why)}; }

}  // namespace

Result<std::filesystem::path> PrometheusServer::program() {
  const std::array<std::filesystem::path, 2> also{"/usr/sbin", "/usr/local/bin"};
  return find_program("prometheus", also);
}

std::string PrometheusServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::string PrometheusServer::log() const {
  const auto text = read_file(folder_.path() / "log");
  return text ? *text : text.error().text();
}

Status PrometheusServer::write_config() {
  LAB_TRY(write_file_atomic(folder_.path() / "prometheus.yml",
                            fmt::format("global: {{scrape_interval: {0}ms, scrape_timeout: {0}ms}}\n"
                                        "scrape_configs:\n"
                                        "- job_name: lab\n"
                                        "  honor_labels: true\n"
                                        "  static_configs: [{{targets: ['127.0.0.1:{1}']}}]\n",
                                        interval_.count(), target_)));
  return write_file_atomic(
      folder_.path() / "web.yml",
      password_.empty() ? "{}\n" : fmt::format("basic_auth_users: {{lab: '{}'}}\n", kPasswordHash));
}

Status PrometheusServer::start() {
  const auto found = program();
  if (!found) return found.error();
  if (port_ == 0) {
    const auto ports = testbed::free_ports(1);
    if (!ports) return ports.error();
    port_ = ports->front();
  }
  LAB_TRY(write_config());
  const auto log_file = open_file(folder_.path() / "log", O_WRONLY | O_CREAT | O_APPEND);
  if (!log_file) return log_file.error();
  auto child = HeldChild::start(
      {.argv = {found->string(), "--config.file=" + (folder_.path() / "prometheus.yml").string(),
                "--web.config.file=" + (folder_.path() / "web.yml").string(),
                "--storage.tsdb.path=" + (folder_.path() / "data").string(),
                "--web.listen-address=127.0.0.1:" + std::to_string(port_)},
       .directory = folder_.path()},
      {.output = log_file->get(), .error = log_file->get()}, true);
  if (!child) return child.error();
  child_.emplace(std::move(*child));
  LAB_TRY(child_->release());
  const auto stamp = stamp_of(child_->pid());
  if (!stamp) return stamp.error();
  HttpSettings settings;
  if (!password_.empty()) settings.login = HttpLogin{.user = "lab", .password = password_};
  HttpClient client(settings);
  const auto end = Clock::now() + kStartMax;
  while (Clock::now() < end) {
    const auto listener = testbed::listener_of(port_, *stamp);
    if (listener && *listener == testbed::Listener::kOurs) {
      const auto answer = client.send({.url = url() + "/-/ready"}, {end, {}}, "test.prometheus");
      if (answer && answer->status == 200) return ok();
    }
    if (::waitpid(child_->pid(), nullptr, WNOHANG) == child_->pid()) {
      child_.reset();
      break;
    }
    sleep_until({}, Clock::now() + Millis{20});
  }
  return failed("it does not answer: " + log());
}

void PrometheusServer::stop() {
  if (!child_) return;
  const pid_t pid = child_->pid();
  ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  child_.reset();
}

}  // namespace lab
