// CockroachDB, where the user has its program: one node, without a login.
// SPDX-License-Identifier: Apache-2.0
#include "testbed/ask.hpp"
#include "testbed/recipes.hpp"

namespace lab::testbed {
namespace {

Result<Installation> find(const ProgramSearch& search) {
  const auto program = search.program("cockroachdb", "cockroach");
  if (!program) return program.error();
  return Installation{{{"cockroach", *program}}, {}};
}

Status prepare(const Place& /*place*/, Preparation& preparation, const CallContext& /*call*/) {
  return preparation.make_folder("data");
}

/// docs/testbed.md says why each setting.
Command command(const Place& place) {
  return {.argv = {place.file("cockroach"), "start-single-node", "--insecure",
                   "--store=path=" + place.data().string() + ",ballast-size=0",
                   "--listen-addr=127.0.0.1:" + place.port(0), "--http-addr=127.0.0.1:" + place.port(1),
                   "--cache=256MiB", "--max-sql-memory=256MiB", "--logtostderr=WARNING"},
          .environment = {"COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING=true"}};
}

Result<bool> answers(const Place& place, const CallContext& call) {
  return accepts_login(place.ports[0], "root", "defaultdb", call);
}

}  // namespace

Recipe cockroachdb_recipe() {
  return {.name = "cockroachdb",
          .installable = false,
          .why_missing =
              "no package of it is known to scripts/setup: put `cockroach` in PATH, or name it with "
              "--program cockroachdb=PATH",
          .ports = 2,
          .with_password = false,
          .find = find,
          .prepare = prepare,
          .command = command,
          .answers = answers,
          .url = [](const Place& place) { return "postgresql://root@127.0.0.1:" + place.port() + "/"; }};
}

}  // namespace lab::testbed
