// An HTTP server on a loopback port that answers as a test says and remembers what it was asked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <httplib.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lab {

class ScriptedHttp {
 public:
  struct Question {
    std::string method{};
    std::string path{};
    std::string query{};  // The form's, decoded.
    std::string body{};
    std::string authorization{};
  };
  struct Answer {
    int status = 200;
    std::string body{};
    std::string type = "text/plain; version=0.0.4";
    std::string location{};  // For a redirect.
  };
  using Script = std::function<Answer(const Question&)>;

  explicit ScriptedHttp(Script script) : script_(std::move(script)) {
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      const Question question{request.method, request.path, request.get_param_value("query"), request.body,
                              request.get_header_value("Authorization")};
      const std::lock_guard hold(mutex_);
      questions_.push_back(question);
      const Answer answer = script_(question);
      response.status = answer.status;
      response.set_content(answer.body, answer.type);
      if (!answer.location.empty()) response.set_header("Location", answer.location);
    };
    server_.Get(".*", handle);
    server_.Post(".*", handle);
    server_.set_keep_alive_max_count(1);  // A kept connection would hold up stop().
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  explicit ScriptedHttp(const Answer& always) : ScriptedHttp([always](const Question&) { return always; }) {}
  ~ScriptedHttp() { stop(); }
  ScriptedHttp(const ScriptedHttp&) = delete;
  ScriptedHttp& operator=(const ScriptedHttp&) = delete;

  void stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  int port() const { return port_; }
  std::string url(const std::string& path = "") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::vector<Question> questions() {
    const std::lock_guard hold(mutex_);
    return questions_;
  }

 private:
  httplib::Server server_{};
  Script script_;
  std::mutex mutex_{};
  std::vector<Question> questions_{};
  int port_ = 0;
  std::jthread thread_{};
};

}  // namespace lab
