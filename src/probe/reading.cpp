// SPDX-License-Identifier: Apache-2.0
#include "probe/reading.hpp"

#include "core/files.hpp"
#include "probe/probe_set.hpp"
#include "probe/tree_size.hpp"

namespace lab {
namespace {

void note_loss(const Error& error, Reading& reading) {
  if (error.code == ErrorCode::kConnectionLost && !reading.lost) reading.lost = error;
}

void read_engine(Observer& observer, const CallContext& call, Reading& reading) {
  const auto figure = observer.footprint(call);
  if (!figure) {
    reading.missing["engine"] = figure.error().text();
    note_loss(figure.error(), reading);
    return;
  }
  reading.bytes["engine"] = figure->total.count;
  reading.scope["engine"] = scope_name(figure->scope);
  for (const auto& [part, size] : figure->parts) {
    reading.bytes["engine:" + part] = size.count;
    reading.scope["engine:" + part] = scope_name(figure->scope);
  }
}

/// Parts of one big file: payload and index as the engine tells them, the rest is meta.
void derive_file_parts(const TreeSize& tree, Reading& reading) {
  std::int64_t explained = 0;
  for (const auto& [part, size] : tree.allocated_parts) {
    if (part == "meta") continue;  // Joins the rest below.
    reading.bytes["files:" + part] = size.count;
    explained += size.count;
  }
  for (const std::string part : {"payload", "index"}) {
    const auto told = reading.bytes.find("engine:" + part);
    if (told == reading.bytes.end() || reading.bytes.contains("files:" + part)) continue;
    reading.bytes["files:" + part] = told->second;
    explained += told->second;
  }
  const std::int64_t rest = tree.allocated.count - explained;
  if (!reading.bytes.contains("files:payload"))
    reading.missing["files:payload"] = "the engine keeps all in one file and has no figure of its parts";
  else if (rest < 0)
    reading.missing["files:meta"] = "the engine's parts are larger than its files, which have holes";
  else
    reading.bytes["files:meta"] = rest;
}

void read_files(Observer& observer, const CallContext& call, bool cheap, Reading& reading) {
  const auto fail = [&](const Error& error) {
    reading.missing["apparent"] = error.text();
    reading.missing["files"] = error.text();
    note_loss(error, reading);
  };
  const auto roots = observer.directories(call);
  if (!roots) return fail(roots.error());
  if (roots->empty()) return fail({ErrorCode::kUnsupported, "probe.files", "no files on the local machine"});
  for (const auto& root : *roots) {
    if (cheap) break;
    if (const Status synced = sync_file_system(root); !synced) return fail(synced.error());
  }
  const auto tree = measure_tree(*roots, [&](const auto& relative) { return observer.part_of(relative); });
  if (!tree) return fail(tree.error());
  reading.bytes["apparent"] = tree->apparent.count;
  reading.bytes["files"] = tree->allocated.count;
  if (!cheap && tree->all_classified)
    for (const auto& [part, size] : tree->allocated_parts) reading.bytes["files:" + part] = size.count;
  if (!cheap && !tree->all_classified) derive_file_parts(*tree, reading);
  for (const auto& [name, size] : reading.bytes)
    if (name == "apparent" || name.starts_with("files"))
      reading.scope[name] = scope_name(CopyScope::kAllCopies);
}

}  // namespace

std::string_view scope_name(CopyScope scope) noexcept {
  return scope == CopyScope::kOneCopy ? "one copy" : "all copies";
}

Reading read_probes(Observer& observer, const CallContext& call) {
  Reading reading;
  read_engine(observer, call, reading);
  read_files(observer, call, false, reading);
  return reading;
}

Reading read_probes(Observer& observer, const ProbeSet& probes, const CallContext& call) {
  Reading reading = read_probes(observer, call);
  probes.read(call, reading);
  return reading;
}

Reading read_cheap_probes(Observer& observer, const CallContext& call) {
  Reading reading;
  read_files(observer, call, true, reading);
  return reading;
}

}  // namespace lab
