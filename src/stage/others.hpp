// What others have stored on the same server while a cell ran.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/record.hpp"

namespace lab {

/// Where the files of others ("files:others") have grown or shrunk by D bytes since the empty system was
/// read, no figure of files, or of what lies below them, is known better than D: D is added to the residue of
/// each, with a remark. Others write logs too, which nobody tells apart from ours. An insert writes a page at
/// most twice, as a row and as the image of its page, so the growth of "files:log", up to 2 D, is added to D.
/// The engine's figure and the parts that hold our payload and index are told by what is ours, and stay.
/// The record has its `empty_bytes`.
void allow_for_others(StageRecord& record);

}  // namespace lab
