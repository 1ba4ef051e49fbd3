// SPDX-License-Identifier: Apache-2.0
#include "certificates.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "conformance.hpp"
#include "core/files.hpp"
#include "core/process.hpp"
#include "core/text.hpp"

namespace lab {
namespace {

void openssl(const std::filesystem::path& folder, const std::string& words) {
  Command command{.argv = {"openssl"}, .directory = folder};
  for (const std::string& word : split(words, ' ')) command.argv.push_back(word);
  const auto ended = run_command(within(60s), command);
  ASSERT_TRUE(ended) << ended.error().text();
  ASSERT_EQ(ended->exit_code, 0) << words << ": " << ended->output;
}

}  // namespace

void make_certificates(const std::filesystem::path& folder) {
  ASSERT_TRUE(write_file_atomic(folder / "names", "subjectAltName=IP:127.0.0.1\n"));
  for (const char* ca : {"ca", "other-ca"})
    ASSERT_NO_FATAL_FAILURE(openssl(
        folder,
        fmt::format("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={0} -keyout {0}.key -out {0}.pem",
                    ca)));
  ASSERT_NO_FATAL_FAILURE(
      openssl(folder, "req -newkey rsa:2048 -nodes -subj /CN=server -keyout server.key -out server.csr"));
  // One that ended a day before it began has expired for everybody.
  for (const auto& [name, days] : {std::pair{"server", 2}, std::pair{"expired", -1}})
    ASSERT_NO_FATAL_FAILURE(openssl(
        folder,
        fmt::format("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {} -extfile "
                    "names -out {}.crt",
                    days, name)));
  const auto key = read_file(folder / "server.key");
  const auto certificate = read_file(folder / "server.crt");
  ASSERT_TRUE(key && certificate);
  ASSERT_TRUE(write_file_atomic(folder / "server.pem", *key + *certificate));
}

}  // namespace lab
