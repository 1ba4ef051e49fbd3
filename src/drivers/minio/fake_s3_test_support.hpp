// An S3 server in memory on a loopback port. It recomputes every signature with OpenSSL, as the specification
// of Signature Version 4 says and without libcurl's help, and refuses what does not match.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "drivers/minio/setup.hpp"

namespace httplib {
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace lab::minio {

class FakeS3 {
 public:
  using Intercept = std::function<bool(const httplib::Request&, httplib::Response&)>;

  FakeS3();
  ~FakeS3();
  FakeS3(const FakeS3&) = delete;
  FakeS3& operator=(const FakeS3&) = delete;

  SystemConfig config() const;
  Setup setup(const std::string& variant = "default", std::map<std::string, std::string> options = {}) const;

  /// Looked at first, after the signature; true when it has answered.
  void intercept(Intercept intercept);

  std::map<std::string, std::map<std::string, std::string>> buckets{};  // Name -> key -> bytes.
  std::size_t page = 1'000;                                             // Keys of a listing's page.
  bool conditions = true;           // False: If-Match and If-None-Match are ignored.
  std::set<std::string> uploads{};  // Unfinished, "id key".
  std::size_t requests = 0;
  std::size_t listings = 0;
  std::vector<std::string> refused_signatures{};  // Why, a line each.
  std::string last_target{};
  std::map<std::string, std::string> last_headers{};
  std::mutex mutex{};  // Around all of these while requests may be running.

 private:
  void answer(const httplib::Request& request, httplib::Response& response);
  void answer_bucket(const httplib::Request& request, httplib::Response& response, const std::string& name);
  void answer_key(const httplib::Request& request, httplib::Response& response, const std::string& name,
                  const std::string& key);
  void list(const httplib::Request& request, httplib::Response& response,
            const std::map<std::string, std::string>& objects);
  void put_key(const httplib::Request& request, httplib::Response& response, const std::string& name,
               const std::string& key);
  void remove_many(const httplib::Request& request, httplib::Response& response,
                   std::map<std::string, std::string>& objects);

  std::unique_ptr<httplib::Server> server_;
  Intercept intercept_{};
  std::map<std::string, std::map<int, std::string>> parts_{};
  int port_ = 0;
  std::jthread thread_{};
};

/// Why the signature of a request is wrong; empty where it is right.
std::string wrong_signature(const httplib::Request& request, const std::string& secret);

}  // namespace lab::minio
