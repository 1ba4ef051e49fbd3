// SPDX-License-Identifier: Apache-2.0
#include "drivers/minio/digest.hpp"

#include <openssl/evp.h>

#include <array>

#include "core/result.hpp"

namespace lab::minio {

std::string md5_base64(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr);
  LAB_CHECK(done == 1, "OpenSSL has MD5");
  std::array<unsigned char, (EVP_MAX_MD_SIZE + 2) / 3 * 4 + 1> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

}  // namespace lab::minio
