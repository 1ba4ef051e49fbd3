// deduplab testbed: real servers on the local machine, for plans and for tests.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/say.hpp"
#include "core/text.hpp"
#include "testbed/testbed.hpp"

namespace lab::cli {
namespace {

namespace fs = std::filesystem;
using testbed::Recipe;
using testbed::ServerState;
using testbed::ServerStatus;

constexpr const char* kSetup = "scripts/setup servers";

/// One call of the sub-command, with what all its actions need.
struct Request {
  testbed::Testbed bed;
  std::vector<Recipe> chosen{};
  bool named = false;  // By the user; else all there are.
  CallContext call{};
  bool json = false;
};

/// What a call has to tell: a line for each server, and what went wrong.
struct Told {
  nlohmann::ordered_json servers = nlohmann::ordered_json::array();
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  bool failed = false;

  void problem(const std::string& system, const Error& error, bool fails) {
    problems.push_back({{"system", system}, {"reason", error.detail}});
    say("{}: {}\n", system, error.detail);
    failed = failed || fails;
  }

  int finish(bool json) const {
    if (json)
      print("{}\n", nlohmann::ordered_json{{"servers", servers}, {"problems", problems}}.dump(2, ' ', false));
    if (const int by_signal = InterruptGuard::exit_code(); by_signal != 0) return by_signal;
    return failed ? kExitPreflight : kExitOk;
  }
};

nlohmann::ordered_json to_json(const ServerStatus& server) {
  nlohmann::ordered_json json{{"system", server.system}, {"state", to_string(server.state)}};
  if (!server.stand_in.empty()) json["stand_in"] = server.stand_in;
  if (!server.url.empty()) json["url"] = server.url;
  if (!server.directory.empty()) json["directory"] = server.directory.string();
  if (server.password_file) json["password_file"] = server.password_file->string();
  if (server.pid != 0) json["pid"] = server.pid;
  if (!server.log.empty()) json["log"] = server.log.string();
  return json;
}

std::string to_line(const ServerStatus& server, std::string_view state) {
  std::string line = fmt::format("{:<12} {}", server.system, state);
  if (!server.url.empty()) line += "  " + server.url;
  if (server.pid != 0) line += fmt::format("  process {}", server.pid);
  if (!server.stand_in.empty()) line += fmt::format("  ({})", server.stand_in);
  return line;
}

/// A missing program of a system that the set-up brings is a fault; of any other one only if it was asked
/// for.
Error missing(const Recipe& recipe, const Error& error) {
  const std::string what =
      recipe.installable ? fmt::format("install it with: {}", kSetup) : recipe.why_missing;
  return {error.code, error.operation, fmt::format("{}; {}", error.detail, what)};
}

int run_up(Request& request) {
  Told told;
  for (const Recipe& recipe : request.chosen) {
    if (request.call.stop.stop_requested()) break;
    const auto started = request.bed.up(recipe, request.call);
    if (!started && started.error().code == ErrorCode::kNotFound) {
      told.problem(recipe.name, missing(recipe, started.error()), recipe.installable || request.named);
      continue;
    }
    const auto status =
        started ? request.bed.status(recipe, request.call) : Result<ServerStatus>(started.error());
    if (!status) {
      told.problem(recipe.name, status.error(), true);
      continue;
    }
    told.servers.push_back(to_json(*status));
    told.servers.back()["started"] = *started;
    if (!request.json) print("{}\n", to_line(*status, *started ? "started" : "runs already"));
  }
  return told.finish(request.json);
}

int run_down(Request& request) {
  Told told;
  for (const Recipe& recipe : request.chosen) {
    const auto removed = request.bed.down(recipe, request.call);
    if (!removed) {
      told.problem(recipe.name, removed.error(), true);
      continue;
    }
    if (!*removed && !request.named) continue;
    told.servers.push_back({{"system", recipe.name}, {"removed", *removed}});
    if (!request.json)
      print("{:<12} {}\n", recipe.name, *removed ? "stopped, its data is removed" : "was not started");
  }
  if (told.servers.empty() && !told.failed && !request.json) print("no server is started\n");
  return told.finish(request.json);
}

int run_restart(Request& request) {
  Told told;
  for (const Recipe& recipe : request.chosen) {
    const Status restarted = request.bed.restart(recipe, request.call);
    const auto status =
        restarted ? request.bed.status(recipe, request.call) : Result<ServerStatus>(restarted.error());
    if (!status) {
      told.problem(recipe.name, status.error(), true);
      continue;
    }
    told.servers.push_back(to_json(*status));
    if (!request.json) print("{}\n", to_line(*status, "restarted"));
  }
  return told.finish(request.json);
}

int run_status(Request& request) {
  Told told;
  for (const Recipe& recipe : request.chosen) {
    const auto status = request.bed.status(recipe, request.call);
    if (!status) {
      told.problem(recipe.name, status.error(), true);
      continue;
    }
    // What is not there is only worth a line, and a fault, to somebody who asks for it.
    if (status->state == ServerState::kNotStarted && !request.named) continue;
    told.failed = told.failed || status->state != ServerState::kRunning;
    told.servers.push_back(to_json(*status));
    if (!request.json) print("{}\n", to_line(*status, to_string(status->state)));
  }
  if (told.servers.empty() && !told.failed && !request.json) print("no server is started\n");
  return told.finish(request.json);
}

int run_env(Request& request) {
  Told told;
  std::string tables;
  for (const Recipe& recipe : request.chosen) {
    const auto status = request.bed.status(recipe, request.call);
    if (!status) {
      told.problem(recipe.name, status.error(), true);
      continue;
    }
    if (status->state != ServerState::kRunning) {
      if (request.named || status->state != ServerState::kNotStarted)
        told.problem(recipe.name,
                     {ErrorCode::kNotFound, "",
                      fmt::format("{}; do: deduplab testbed up {}", to_string(status->state), recipe.name)},
                     true);
      continue;
    }
    told.servers.push_back(to_json(*status));
    tables += (tables.empty() ? "" : "\n") + testbed::plan_table(*status);
  }
  if (told.servers.empty() && !told.failed)
    told.problem("testbed", {ErrorCode::kNotFound, "", "no server is started; do: deduplab testbed up"},
                 true);
  if (!request.json) print("{}", tables);
  return told.finish(request.json);
}

Result<std::vector<Recipe>> choose(const std::vector<std::string>& names) {
  if (names.empty()) return testbed::recipes();
  std::vector<Recipe> chosen;
  const auto known = testbed::recipe_names();
  for (const std::string& name : names) {
    const Recipe* const recipe = testbed::find_recipe(name);
    if (recipe == nullptr)
      return Error{ErrorCode::kInvalidArgument, "testbed",
                   "the testbed has no system '" + name + "'" + suggestion(name, known)};
    chosen.push_back(*recipe);
  }
  return chosen;
}

/// "minio=/opt/minio" of --program.
Status read_programs(const std::vector<std::string>& texts, std::map<std::string, fs::path>& programs) {
  const auto known = testbed::recipe_names();
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string system = text.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == text.size())
      return Error{ErrorCode::kInvalidArgument, "testbed",
                   "--program: write SYSTEM=PATH, not '" + text + "'"};
    if (testbed::find_recipe(system) == nullptr)
      return Error{ErrorCode::kInvalidArgument, "testbed",
                   "--program: the testbed has no system '" + system + "'" + suggestion(system, known)};
    programs[system] = fs::absolute(text.substr(equals + 1));
  }
  return ok();
}

}  // namespace

int testbed(const TestbedOptions& options, const GlobalOptions& global) {
  const std::map<std::string, std::function<int(Request&)>> actions{
      {"up", run_up}, {"down", run_down}, {"restart", run_restart}, {"status", run_status}, {"env", run_env}};
  const auto usage = [](const std::string& why) {
    return fail(kExitUsage, {ErrorCode::kInvalidArgument, "testbed", why});
  };
  const auto action = actions.find(options.action);
  if (action == actions.end()) {
    std::vector<std::string> known;
    for (const auto& [name, function] : actions) known.push_back(name);
    return usage("testbed: unknown action '" + options.action + "'" + suggestion(options.action, known));
  }
  if (options.action != "up" && !(options.directory.empty() && options.programs.empty()))
    return usage("--directory and --program belong to: testbed up");
  if (options.action == "restart" && options.systems.empty())
    return usage("testbed restart: name the systems");
  const auto chosen = choose(options.systems);
  if (!chosen) return fail(kExitUsage, chosen.error());
  testbed::TestbedOptions settings;
  const auto state = testbed::default_state_folder();
  if (!state) return fail(kExitUsage, state.error());
  settings.state = *state;
  if (!options.directory.empty()) settings.directory = options.directory;
  settings.search.folders = testbed::server_folders();
  if (const Status read = read_programs(options.programs, settings.search.given); !read)
    return fail(kExitUsage, read.error());
  const InterruptGuard interrupt;
  Request request{testbed::Testbed(settings),
                  *chosen,
                  !options.systems.empty(),
                  {Clock::time_point::max(), interrupt.token()},
                  global.json};
  return action->second(request);
}

}  // namespace lab::cli
