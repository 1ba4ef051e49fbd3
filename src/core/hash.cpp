// SHA-256 through OpenSSL's EVP interface, fetched once.
// SPDX-License-Identifier: Apache-2.0
#include "core/hash.hpp"

#include <openssl/evp.h>

#include <cstring>

namespace lab {
namespace {

const EVP_MD* fetched_sha256() {
  static const EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  LAB_CHECK(kMethod != nullptr, "OpenSSL without SHA-256");
  return kMethod;
}

std::uint64_t lane_of(const Digest& digest, std::size_t lane) {
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data() + lane * 8, 8);
  return value;
}

}  // namespace

struct Sha256::Context {
  Context() : handle(EVP_MD_CTX_new()) { restart(); }
  ~Context() { EVP_MD_CTX_free(handle); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void restart() { LAB_CHECK(EVP_DigestInit_ex2(handle, fetched_sha256(), nullptr) == 1, "SHA-256 start"); }
  EVP_MD_CTX* handle;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  LAB_CHECK(EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) == 1, "SHA-256 update");
}

void Sha256::update(std::string_view text) { update(as_bytes(text)); }

Digest Sha256::digest() {
  Digest digest{};
  unsigned length = 0;
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  LAB_CHECK(EVP_DigestFinal_ex(context_->handle, out, &length) == 1 && length == digest.size(),
            "SHA-256 end");
  context_->restart();
  return digest;
}

Digest sha256(std::span<const std::byte> bytes) {
  thread_local Sha256 hash;
  hash.update(bytes);
  return hash.digest();
}

Digest sha256(std::string_view text) { return sha256(as_bytes(text)); }

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::uint64_t leading_u64(const Digest& digest) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = (value << 8U) | std::to_integer<std::uint64_t>(digest[i]);
  return value;
}

void DigestSum::add(const Digest& digest) {
  count += 1;
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) lanes[lane] += lane_of(digest, lane);
}

void DigestSum::remove(const Digest& digest) {
  count -= 1;
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) lanes[lane] -= lane_of(digest, lane);
}

}  // namespace lab
