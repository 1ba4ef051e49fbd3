// SPDX-License-Identifier: Apache-2.0
#include "cli/known_content.hpp"

#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "core/hash.hpp"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Entry {
  std::uint64_t size = 0;
  std::string sha256{};
  std::optional<std::uint64_t> copy_of{};
};

Error broken(const std::string& detail) {
  return {ErrorCode::kInvalidArgument, "scan", "--manifest: " + detail};
}

bool is_sha256(const json& value) {
  return value.is_string() && value.get_ref<const std::string&>().size() == 2 * sizeof(Digest) &&
         value.get_ref<const std::string&>().find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// `where` is the file and the line.
Result<Entry> entry_of(const std::string& line, std::uint64_t number, const std::string& where) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return broken(where + ": not a JSON object");
  const auto wrong = [&](const char* key, const std::string& what) {
    return broken(fmt::format("{}: '{}' {}", where, key, object.contains(key) ? what : "is missing"));
  };
  const json none;
  const auto value = [&](const char* key) -> const json& {
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
  };
  if (!value("number").is_number_unsigned() || value("number").get<std::uint64_t>() != number)
    return wrong("number", fmt::format("is not {}: objects are numbered from 0 on, in order", number));
  if (!value("size").is_number_unsigned()) return wrong("size", "is not a number of bytes");
  if (!is_sha256(value("sha256"))) return wrong("sha256", "is not 64 lower-case hexadecimal digits");
  const json& copy_of = value("copy_of");
  if (!object.contains("copy_of") || !(copy_of.is_null() || copy_of.is_number_unsigned()))
    return wrong("copy_of", "is neither a number nor null");
  Entry entry{value("size").get<std::uint64_t>(), value("sha256").get<std::string>(), {}};
  if (!copy_of.is_null()) entry.copy_of = copy_of.get<std::uint64_t>();
  return entry;
}

/// The line that `generate --audit` ends a manifest with names no object.
bool is_audit(const std::string& line) {
  if (!line.starts_with("{\"audit\":")) return false;
  const json object = json::parse(line, nullptr, false);
  return object.is_object() && object.size() == 1 && object.contains("audit");
}

Result<std::vector<Entry>> read_manifest(const fs::path& path) {
  std::error_code unknown;
  std::ifstream file(path);
  if (!file || !fs::is_regular_file(path, unknown))
    return broken(path.string() + " is not there or cannot be read; 'deduplab generate --output' writes it");
  std::vector<Entry> entries;
  for (std::string line; std::getline(file, line);) {
    if (is_audit(line)) {
      if (file.peek() == std::ifstream::traits_type::eof()) break;
      return broken(path.string() + ": more lines behind the audit, which is the last");
    }
    auto entry = entry_of(line, entries.size(), fmt::format("{} line {}", path.string(), entries.size() + 1));
    if (!entry) return std::move(entry).error();
    entries.push_back(std::move(*entry));
  }
  if (file.bad()) return broken(path.string() + " cannot be read to its end");
  if (entries.empty()) return broken(path.string() + " names no object");
  return entries;
}

/// One object's bytes at a time.
class Objects {
 public:
  Objects(fs::path folder, std::vector<Entry> entries)
      : folder_(std::move(folder)), entries_(std::move(entries)) {}

  Result<std::span<const std::byte>> bytes_of(std::uint64_t number) {
    const fs::path path = folder_ / std::to_string(number);
    const Entry& entry = entries_[number];
    // One byte more than allowed is enough to see that there are more.
    auto bytes = read_file(path, Bytes{static_cast<std::int64_t>(entry.size)});
    if (!bytes && bytes.error().code != ErrorCode::kResourceExhausted) return broken(bytes.error().detail);
    if (!bytes || bytes->size() != entry.size)
      return broken(fmt::format("{} has not the {} bytes of the manifest", path.string(), entry.size));
    if (to_hex(sha256(*bytes)) != entry.sha256)
      return broken(path.string() + " has changed: its SHA-256 is not that of the manifest");
    bytes_ = std::move(*bytes);
    return as_bytes(bytes_);
  }

 private:
  fs::path folder_;
  std::vector<Entry> entries_;
  std::string bytes_{};
};

}  // namespace

Result<scan::CensusRequest> known_content(const fs::path& directory) {
  const fs::path path = directory / "manifest.jsonl";
  auto entries = read_manifest(path);
  if (!entries) return std::move(entries).error();
  std::vector<std::uint64_t> copies(entries->size(), 0);
  for (std::size_t i = 0; i < entries->size(); ++i) {
    const Entry& entry = (*entries)[i];
    const std::uint64_t original = entry.copy_of.value_or(i);
    if (original >= entries->size() || (*entries)[original].copy_of ||
        (*entries)[original].sha256 != entry.sha256)
      return broken(fmt::format("{} line {}: 'copy_of' is {}, which is no original with this content",
                                path.string(), i + 1, original));
    copies[original] += 1;
  }
  scan::CensusRequest request;
  for (std::size_t i = 0; i < copies.size(); ++i)
    if (copies[i] > 0) request.originals.push_back({i, copies[i]});
  request.bytes_of = [objects = std::make_shared<Objects>(directory / "objects", std::move(*entries))](
                         std::uint64_t number) { return objects->bytes_of(number); };
  return request;
}

}  // namespace lab::cli
