// One reading of every rung that answers: the engine's figure, apparent and allocated bytes of the files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "driver/observer.hpp"
#include "model/record.hpp"

namespace lab {

/// A probe is either in `bytes` or in `missing`, never in both and never a stand-in number.
struct Reading {
  ByteMap bytes{};
  std::map<std::string, std::string> missing{};  // Probe -> why.
  std::map<std::string, std::string> scope{};    // "one copy" | "all copies".
  ByteMap quantum{};    // Steps of the probes that have their own; the others have that of the files.
  ByteMap uncertain{};  // Bytes of a figure that may not be ours.
  std::map<std::string, Millis> lag{};  // How old a figure may be; absent: it is of now.
  std::optional<Error>
      lost{};  // The connection to the system was, when it was asked: a later look proves nothing.
};

/// How a record spells it.
std::string_view scope_name(CopyScope scope) noexcept;

/// Reads `engine`, `apparent`, `files` and their parts, behind syncfs of the file systems that hold the
/// files, so that delayed allocation has taken place. Where an engine keeps several parts in one file, the
/// parts of `files` come from the engine's figure, and what neither payload nor index nor log explains is
/// meta.
Reading read_probes(Observer& observer, const CallContext& call);

class ProbeSet;

/// The same with further probes that disturb nothing.
Reading read_probes(Observer& observer, const ProbeSet& probes, const CallContext& call);

/// The same without syncfs and without the parts, ten times a second: what the sampler takes.
Reading read_cheap_probes(Observer& observer, const CallContext& call);

}  // namespace lab
