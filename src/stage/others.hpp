// What others have stored on the same server while a cell ran.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/record.hpp"

namespace lab {

/// Where the files of others ("files:others") have moved by D bytes since the empty system was read, no
/// figure of files, or of what lies below them, is known better than D and than what "files:log" and
/// "files:meta" have moved by, which others share with us: a byte of theirs may have made a log longer by a
/// whole file, or have had one removed. All that is added to the residue of each, with a remark. So is what
/// "engine:log" and "engine:meta" have moved by, to the engine's figure. The parts that hold our payload and
/// index are told by what is ours, and stay. The record has its `empty_bytes`.
void allow_for_others(StageRecord& record);

}  // namespace lab
