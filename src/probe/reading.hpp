// One reading of every rung that answers: the engine's figure, apparent and allocated bytes of the files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "core/time.hpp"
#include "driver/observer.hpp"
#include "model/record.hpp"

namespace lab {

/// A probe is either in `bytes` or in `missing`, never in both and never a stand-in number.
struct Reading {
  ByteMap bytes{};
  std::map<std::string, std::string> missing{};  // Probe -> why.
  std::map<std::string, std::string> scope{};    // "one copy" | "all copies".
};

/// Reads `engine`, `apparent`, `files` and their parts, behind syncfs of the file systems that hold the
/// files, so that delayed allocation has taken place. Where an engine keeps several parts in one file, the
/// parts of `files` come from the engine's figure, and what neither payload nor index nor log explains is
/// meta.
Reading read_probes(Observer& observer, const CallContext& call);

/// The same without syncfs and without the parts, ten times a second: what the sampler takes.
Reading read_cheap_probes(Observer& observer, const CallContext& call);

}  // namespace lab
