// deduplab: when the same bytes are stored twice, who notices?
// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.hpp"

int main(int argc, char** argv) { return lab::cli::main(argc, argv); }
