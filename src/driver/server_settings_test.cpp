// SPDX-License-Identifier: Apache-2.0
#include "driver/server_settings.hpp"

#include <gtest/gtest.h>

namespace lab {
namespace {

TEST(ServerSettings, WhatMayHoldACredentialIsNotKept) {
  const std::map<std::string, std::string> all{
      {"primary_conninfo", "host=x user=r password=words"},
      {"restore_command", "curl -u me:words http://x/%f"},
      {"ssl_passphrase_command", "echo words"},
      {"REPORT_PASSWORD", "words"},
      {"INIT_CONNECT", "SET @a = 'words'"},
      {"WSREP_SST_AUTH", "me:words"},
      {"app.jwt_secret", "words"},
      {"s3_access_key", "words"},
      {"some_address", "https://me:words@host/"},
      {"anything", "CREATE USER a IDENTIFIED BY 'words'"},
      {"other", "host=x PASSWORD=words"},
  };
  for (const auto& [name, value] : without_credentials(all)) EXPECT_EQ(value, kHiddenSetting) << name;
}

TEST(ServerSettings, WhatShapesBytesIsKeptAsItIs) {
  const std::map<std::string, std::string> all{
      {"password_encryption", "scram-sha-256"},
      {"shared_buffers", "16384 8kB"},
      {"KEY_BUFFER_SIZE", "134217728"},
      {"listen_addresses", "127.0.0.1"},
      {"log_line_prefix", "%m [%p] "},
      {"default_toast_compression", "lz4"},
      {"table_options", "ROW_FORMAT=DYNAMIC"},
      {"save", ""},
      {"hooks.after_operations", "duperemove -dr /data"},
      {"max_connections", "100"},
  };
  EXPECT_EQ(without_credentials(all), all);
}

}  // namespace
}  // namespace lab
