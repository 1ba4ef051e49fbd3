// SPDX-License-Identifier: Apache-2.0
#include "payload/tar.hpp"

#include <fmt/format.h>

#include "core/result.hpp"

namespace lab {
namespace {

constexpr std::size_t kNameMax = 100;
constexpr std::uint64_t kOctalMax = (1ULL << 33U) - 1;  // Eleven octal digits.

/// Where a field lies in the header.
struct Field {
  std::size_t at = 0;
  std::size_t length = 0;
};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};

void put(std::string& header, std::size_t at, std::string_view text) {
  header.replace(at, text.size(), text);
}

void put_size(std::string& header, std::uint64_t size) {
  if (size <= kOctalMax) {
    put(header, kSize.at, fmt::format("{:011o}", size));
    return;
  }
  header[kSize.at] = '\x80';  // A binary number, big-endian, to the end of the field.
  for (std::size_t i = 0; i < sizeof(size); ++i)
    header[kSize.at + kSize.length - 1 - i] = static_cast<char>(size >> (8 * i));
}

}  // namespace

std::string tar_header(std::string_view name, std::uint64_t size) {
  LAB_CHECK(name.size() <= kNameMax, "names of a dataset's files are short");
  std::string header(kTarBlock, '\0');
  put(header, 0, name);
  put(header, 100, "0000644");
  put(header, 108, "0000000");  // User.
  put(header, 116, "0000000");  // Group.
  put_size(header, size);
  put(header, 136, "00000000000");  // Seconds since 1970.
  put(header, kChecksum.at, "        ");
  put(header, 156, "0");  // A regular file.
  put(header, 257, std::string_view("ustar\00000", 8));
  std::uint32_t sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  put(header, kChecksum.at, fmt::format("{:06o}", sum));
  header[kChecksum.at + 6] = '\0';
  return header;
}

std::string tar_padding(std::uint64_t size) {
  return std::string((kTarBlock - size % kTarBlock) % kTarBlock, '\0');
}

std::string tar_end() { return std::string(2 * kTarBlock, '\0'); }

}  // namespace lab
