// SPDX-License-Identifier: Apache-2.0
#include "probe/vdo_probe.hpp"

#include <fmt/format.h>

#include "core/files.hpp"
#include "core/text.hpp"
#include "probe/mount.hpp"
#include "probe/tool.hpp"

namespace lab {
namespace {

constexpr std::string_view kOrigin = "the package vdo of Red Hat's systems, none of Debian";
constexpr Bytes kBlock{4096};  // VDO's own, in every version.

/// The value of "  name : 123".
Result<Bytes> value_of(std::string_view text, std::string_view name) {
  for (const std::string& line : split(text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || trim(std::string_view(line).substr(0, colon)) != name) continue;
    return parse_tool_bytes("vdostats", trim(std::string_view(line).substr(colon + 1)));
  }
  return Error{ErrorCode::kIo, "probe.vdostats", fmt::format("it printed no '{}'", name)};
}

}  // namespace

Result<Bytes> parse_vdostats(std::string_view text) {
  const auto data = value_of(text, "data blocks used");
  if (!data) return data.error();
  const auto overhead = value_of(text, "overhead blocks used");
  if (!overhead) return overhead.error();
  const auto block = value_of(text, "block size");
  if (!block) return block.error();
  return Bytes{(data->count + overhead->count) * block->count};
}

VdoProbe::VdoProbe(RootsOf roots)
    : roots_(std::move(roots)),
      info_{.name = "vdo",
            .counts = "physical bytes that the VDO volume uses, overhead included (vdostats)",
            .quantum = kBlock} {}

Result<ByteMap> VdoProbe::read(const CallContext& call) {
  const auto roots = roots_(call);
  if (!roots) return roots.error();
  if (roots->empty()) return Error{ErrorCode::kUnsupported, "probe.vdo", "no files on the local machine"};
  const auto each = one_root_each(*roots);
  if (!each) return each.error();
  Bytes total;
  for (const auto& root : *each) {
    const auto mount = find_mount(root);
    if (!mount) return mount.error();
    LAB_TRY(sync_file_system(root));
    const auto text = run_tool({"vdostats", "--verbose", mount->source}, kOrigin, call);
    if (!text) return text.error();
    const auto used = parse_vdostats(*text);
    if (!used) return used.error();
    total += *used;
  }
  return ByteMap{{info_.name, total.count}};
}

}  // namespace lab
