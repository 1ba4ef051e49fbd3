// SPDX-License-Identifier: Apache-2.0
#include "probe/zfs_probe.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "probe/mount.hpp"
#include "probe/tool.hpp"

namespace lab {
namespace {

constexpr std::string_view kOrigin = "Debian's package zfsutils-linux (contrib)";
constexpr Millis kTransactionGroup{5'000};  // zfs_txg_timeout: what is written later counts from then on.
constexpr Bytes kBlock{4096};               // The usual ashift of 12.

/// The one dataset that holds the files.
Result<std::string> dataset_of(const RootsOf& roots_of, const CallContext& call) {
  const auto roots = roots_of(call);
  if (!roots) return roots.error();
  std::string dataset;
  for (const auto& root : *roots) {
    const auto mount = find_mount(root);
    if (!mount) return mount.error();
    if (mount->type != "zfs")
      return Error{ErrorCode::kUnsupported, "probe.zfs",
                   fmt::format("the files lie on {}, not on zfs", mount->type)};
    if (!dataset.empty() && dataset != mount->source)
      return Error{ErrorCode::kUnsupported, "probe.zfs",
                   fmt::format("the files lie in several datasets: {}, {}", dataset, mount->source)};
    dataset = mount->source;
  }
  if (dataset.empty()) return Error{ErrorCode::kUnsupported, "probe.zfs", "no files on the local machine"};
  return dataset;
}

/// Figures by the names that they get here; the first must be there.
Result<ByteMap> figures_of(const std::string& tool, const std::string& subject,
                           const std::vector<std::pair<std::string, std::string>>& wanted,
                           const CallContext& call) {
  std::vector<std::string> properties;
  for (const auto& [property, name] : wanted) properties.push_back(property);
  const auto text =
      run_tool({tool, "get", "-Hp", "-o", "property,value", join(properties, ","), subject}, kOrigin, call);
  if (!text) return text.error();
  const auto values = parse_zfs_properties(tool, *text);
  if (!values) return values.error();
  ByteMap figures;
  for (const auto& [property, name] : wanted)
    if (const auto value = values->find(property); value != values->end())
      figures[name] = value->second.count;
  if (!figures.contains(wanted.front().second))
    return Error{ErrorCode::kIo, "probe." + tool,
                 fmt::format("no property {} of {}", wanted.front().first, subject)};
  return figures;
}

}  // namespace

Result<std::map<std::string, Bytes>> parse_zfs_properties(std::string_view tool, std::string_view text) {
  std::map<std::string, Bytes> values;
  for (const std::string& line : split(text, '\n')) {
    const auto fields = split(line, '\t');
    if (fields.size() != 2 || fields[1] == "-") continue;
    const auto bytes = parse_tool_bytes(tool, fields[1]);
    if (!bytes) return bytes.error();
    values[fields[0]] = *bytes;
  }
  return values;
}

ZfsProbe::ZfsProbe(RootsOf roots)
    : roots_(std::move(roots)),
      info_{.name = "zfs",
            .counts = "bytes that the dataset uses, before deduplication (zfs get used)",
            .quantum = kBlock,
            .lag = kTransactionGroup} {}

Result<ByteMap> ZfsProbe::read(const CallContext& call) {
  const auto dataset = dataset_of(roots_, call);
  if (!dataset) return dataset.error();
  return figures_of("zfs", *dataset, {{"used", "zfs"}, {"logicalused", "zfs:logical"}}, call);
}

ZpoolProbe::ZpoolProbe(RootsOf roots)
    : roots_(std::move(roots)),
      info_{.name = "zpool",
            .counts = "bytes allocated in the pool, after deduplication (zpool get allocated)",
            .quantum = kBlock,
            .lag = kTransactionGroup} {}

Result<ByteMap> ZpoolProbe::read(const CallContext& call) {
  const auto dataset = dataset_of(roots_, call);
  if (!dataset) return dataset.error();
  const std::string pool = dataset->substr(0, dataset->find('/'));
  auto figures =
      figures_of("zpool", pool, {{"allocated", "zpool"}, {"bclonesaved", "zpool:cloning_saved"}}, call);
  // A pool from before block cloning does not know that property.
  if (!figures && figures.error().code == ErrorCode::kRefused)
    figures = figures_of("zpool", pool, {{"allocated", "zpool"}}, call);
  return figures;
}

}  // namespace lab
