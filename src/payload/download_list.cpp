// SPDX-License-Identifier: Apache-2.0
#include "payload/download_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "core/files.hpp"
#include "core/text.hpp"
#include "model/endpoint.hpp"
#include "model/toml_reader.hpp"
#include "payload/real_kinds.hpp"

namespace lab {
namespace {

constexpr Bytes kListMax{16LL << 20};

Error bad(std::string detail) { return {ErrorCode::kInvalidArgument, "download", std::move(detail)}; }

/// A file name that is one everywhere: no folders, not hidden, nothing that a shell or a terminal minds.
Status check_file_name(std::string_view name) {
  const auto plain = [](unsigned char letter) {
    return letter > ' ' && letter != 0x7F && letter != '/' && letter != '\\';
  };
  if (name.empty() || name.starts_with('.') || name.size() > 200 || !std::ranges::all_of(name, plain))
    return bad(fmt::format("'{}' is not a plain file name", to_valid_utf8(name)));
  return ok();
}

/// The last part of an address's path: "https://host/a/moon.jpg?raw=1" is "moon.jpg".
std::string last_part(std::string_view address) {
  address = address.substr(0, address.find_first_of("?#"));
  return std::string(address.substr(address.rfind('/') + 1));
}

Result<ListedDownload> read_download(const TomlReader& table, const std::string& kind, std::uint32_t line) {
  LAB_TRY(table.allow_only({"address", "name", "size", "sha256"}));
  ListedDownload listed{
      .download = {.kind = kind}, .pinned = table.has("size") || table.has("sha256"), .line = line};
  for (const std::string_view key : {"address", "size", "sha256"})
    if (!table.has(key) && (listed.pinned || key == "address"))
      return table.error(key, "lacks; a download has an address, a size and a sha256");
  Download& download = listed.download;
  const auto address = [](std::string_view text) -> Result<std::string> {
    LAB_TRY(check_endpoint_url(text));
    return std::string(text);
  };
  LAB_TRY(table.word("address", address, download.address));
  LAB_TRY(table.size("size", 1, download.size));
  LAB_TRY(table.word("sha256", parse_digest, download.sha256));
  std::optional<std::string> name;
  LAB_TRY(table.text("name", name));
  download.name = name.value_or(last_part(download.address));
  if (const Status checked = check_file_name(download.name); !checked)
    return table.error(name ? "name" : "address", checked.error().detail);
  return listed;
}

Status read_kind(const std::string& file, const toml::table& root, const std::string& kind,
                 std::vector<ListedDownload>& downloads) {
  const TomlReader whole(file, root, "");
  const RealKind* const known = find_real_kind(kind);
  if (known == nullptr || !known->downloaded) {
    std::vector<std::string> names;
    for (const RealKind& each : real_kinds())
      if (each.downloaded) names.emplace_back(each.name);
    return whole.error(kind, "not a kind that is downloaded" + suggestion(kind, names));
  }
  const toml::array* const list = root.get_as<toml::array>(kind);
  if (list == nullptr) return whole.error(kind, "write each download as a table, [[" + kind + "]]");
  for (const toml::node& node : *list) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) return whole.error(kind, "write each download as a table, [[" + kind + "]]");
    const toml::node* const address = table->get("address");
    auto listed = read_download(TomlReader(file, *table, kind), kind,
                                address == nullptr ? 0 : address->source().end.line);
    if (!listed) return std::move(listed).error();
    const std::string& name = listed->download.name;
    const auto content = content_name(name);
    if (content && !is_read(*known, *content))
      return whole.error(kind, fmt::format("'{}' has none of the endings of {}", name, kind));
    downloads.push_back(std::move(*listed));
  }
  return ok();
}

}  // namespace

Result<Digest> parse_digest(std::string_view text) {
  Digest digest{};
  const auto wrong = [&] { return bad(fmt::format("'{}' is not a SHA-256: 64 hexadecimal digits", text)); };
  if (text.size() != 2 * digest.size()) return wrong();
  for (std::size_t i = 0; i < digest.size(); ++i) {
    unsigned byte = 0;
    const char* const at = text.data() + 2 * i;
    const auto [end, code] = std::from_chars(at, at + 2, byte, 16);
    if (code != std::errc{} || end != at + 2) return wrong();
    digest[i] = static_cast<std::byte>(byte);
  }
  return digest;
}

namespace {

Result<std::string> read_list(const std::filesystem::path& path) {
  std::error_code unseen;
  if (const auto status = std::filesystem::status(path, unseen);
      std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return bad(path.string() + " is not a regular file");
  return read_file(path, kListMax);
}

Result<std::vector<ListedDownload>> parse_list(const std::string& text, const std::string& file) {
  const auto root = parse_toml(text, file);
  if (!root) return root.error();
  const TomlReader whole(file, *root, "");
  std::vector<ListedDownload> downloads;
  for (const std::string& kind : whole.keys()) LAB_TRY(read_kind(file, *root, kind, downloads));
  if (downloads.empty()) return bad(file + ": no downloads in this list");
  std::set<std::string> places;
  for (const ListedDownload& listed : downloads)
    if (!places.insert(listed.download.place()).second)
      return bad(fmt::format("{}: {} stands twice; 'name' gives a file another name", file,
                             listed.download.place()));
  return downloads;
}

}  // namespace

Result<std::vector<ListedDownload>> load_listed_downloads(const std::filesystem::path& path) {
  const auto text = read_list(path);
  if (!text) return text.error();
  return parse_list(*text, path.string());
}

Result<std::vector<Download>> load_download_list(const std::filesystem::path& path) {
  const auto listed = load_listed_downloads(path);
  if (!listed) return listed.error();
  std::vector<Download> downloads;
  for (const ListedDownload& each : *listed) {
    if (!each.pinned)
      return bad(fmt::format(
          "{0}:{1}: {2} has no size and no sha256, so that nothing says which bytes are the right ones; give "
          "both, or have what the address gives measured: deduplab download --list {0} --into DIR --pin "
          "NEWLIST",
          path.string(), each.line, each.download.place()));
    downloads.push_back(each.download);
  }
  return downloads;
}

Result<std::string> pinned_list(const std::filesystem::path& path, std::span<const ListedDownload> measured) {
  const auto text = read_list(path);
  if (!text) return text.error();
  const auto before = parse_list(*text, path.string());
  if (!before) return before.error();
  std::vector<std::string> lines = split(*text, '\n');
  std::map<std::uint32_t, std::string> behind;  // By the number of a line.
  for (const ListedDownload& each : measured)
    behind[each.line] +=
        fmt::format("size = {}\nsha256 = \"{}\"\n", each.download.size.count, to_hex(each.download.sha256));
  std::string pinned;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    pinned += lines[at];
    if (at + 1 < lines.size() || behind.contains(static_cast<std::uint32_t>(at + 1))) pinned += '\n';
    const auto added = behind.find(static_cast<std::uint32_t>(at + 1));
    if (added != behind.end()) pinned += added->second;
  }
  const auto after = parse_list(pinned, path.string());
  const auto open = [](const std::vector<ListedDownload>& list) {
    return std::ranges::count(list, false, &ListedDownload::pinned);
  };
  if (!after || open(*after) != open(*before) - std::ssize(measured))
    return bad(path.string() + ": an address that is pinned stands on a line of its own");
  return pinned;
}

}  // namespace lab
