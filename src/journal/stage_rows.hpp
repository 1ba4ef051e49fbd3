// Records as the journal's rows have them, and whether these are what was written.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/result.hpp"
#include "journal/database.hpp"
#include "journal/journal.hpp"

namespace lab::journal_store {

/// In the order of writing. Errors: the sink's, kCorruption with the number of a record that is not what was
/// written, or whose row says something else than it does.
Status each_stage(Database& database, const std::function<Status(const StoredStage&)>& sink);

}  // namespace lab::journal_store
