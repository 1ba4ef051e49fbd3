// How long a server that is looked at before a run may take to say its first words.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/time.hpp"

namespace lab {

/// A server that is there greets within a second or two, also on a loaded host. Behind a port that takes a
/// connection and says nothing there is another protocol, or a server that hangs.
inline constexpr Millis kFirstAnswerLimit{5'000};

/// For connecting and logging in; what is asked afterwards has all the time of `call`.
inline CallContext for_first_answer(const CallContext& call) { return within(call, kFirstAnswerLimit); }

}  // namespace lab
