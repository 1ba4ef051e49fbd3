// Variables by which client libraries would be set from outside of the plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lab::cli {

/// Takes them out of the environment. What gives a password stays: it is used where the plan names none.
void ignore_library_settings();

}  // namespace lab::cli
