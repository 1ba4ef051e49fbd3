// The one option table: command line, help, man page and completion all come from it.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <csignal>
#include <functional>
#include <memory>

#include "build_version.hpp"
#include "cli/app_data.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/library_settings.hpp"
#include "cli/manual.hpp"
#include "cli/say.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/password.hpp"

namespace lab::cli {
namespace {

/// Refuses what a shell's empty variable leaves: "" is never a file, a name or a number.
std::string refuse_empty(const std::string& text) { return text.empty() ? "is empty" : ""; }

/// Refuses "1e3", "-" and what is beyond 64 bits, by the words that were given.
template <class Integer>
std::string refuse_odd(const std::string& text) {
  Integer number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc() && end == text.data() + text.size()) return "";
  return "'" + text + "' is not a whole number" + (std::is_signed_v<Integer> ? "" : " from 0 on") +
         ", or beyond 64 bits";
}

/// Every option of every sub-command refuses an empty value, and those of numbers (by their type's name) odd
/// ones.
void check_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) continue;  // A flag.
    const std::string type = option->get_type_name();
    option->check(type == "N"   ? refuse_odd<std::int64_t>
                  : type == "K" ? refuse_odd<std::uint64_t>
                                : refuse_empty);
  }
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) check_values(*command);
}

std::string version_text() {
  std::string text = fmt::format("deduplab {} ({})\n", kVersion, kSourceRevision);
  for (const SystemEntry& entry : built_in_systems())
    text += fmt::format("  {:<10} {}\n", entry.name, entry.library);
  return text;
}

void add_plan_flags(CLI::App& command, PlanFlags& flags) {
  command.add_option("--systems", flags.systems, "These systems instead of the plan's")
      ->allow_extra_args(false)
      ->type_name("A,B");
  command.add_option("--payloads", flags.payloads, "These payloads instead of the plan's")
      ->allow_extra_args(false)
      ->type_name("A,B");
  command.add_option("--grades", flags.grades, "These grades instead of the plan's")
      ->allow_extra_args(false)
      ->type_name("U0,U50");
  command.add_option("--repetitions", flags.repetitions, "Repetitions of every cell")->type_name("N");
  command.add_option("--objects", flags.objects, "Objects of every cell")->type_name("N");
  command.add_option("--object-size", flags.object_size, "Size of an object, or a law")->type_name("SIZE");
}

void add_run(CLI::App& app, Values& values) {
  CLI::App* command = app.add_subcommand("run", "Run a plan into a new run directory");
  RunOptions& options = values.run;
  command->add_option("plan", options.plan, "Plan file")->required()->type_name("PLAN.toml");
  command->add_option("--out", options.out, "Run directory, new or empty (default runs/<plan>-<UTC time>)")
      ->type_name("DIR");
  command->add_flag("--resume", options.resume, "Go on when the directory holds a run of this plan");
  add_plan_flags(*command, options.flags);
  command->add_flag("--dry-run", options.dry_run, "Print cells, bytes, disk and time; write nothing");
  command->add_option("--max-retries", options.flags.max_retries, "Retries of a failed block")
      ->type_name("N");
  command->add_option("--retry-scope", options.flags.retry_scope, "What runs again after a failure")
      ->type_name("block|system");
  command->add_option("--stop-after", options.stop_after, "Start no block after this long (exit 6)")
      ->type_name("DURATION");
  command->callback([&values] { values.action = [&values] { return run(values.run, values.global); }; });
}

void add_resume_and_status(CLI::App& app, Values& values) {
  CLI::App* resume_app = app.add_subcommand("resume", "Go on with an interrupted run");
  resume_app->add_option("directory", values.resume.directory, "Run directory")->required()->type_name("DIR");
  resume_app
      ->add_option("--redo", values.resume.redo,
                   "Run finished records again; the old ones are kept and marked")
      ->type_name("system=X");
  resume_app->add_option("--stop-after", values.resume.stop_after, "Start no block after this long (exit 6)")
      ->type_name("DURATION");
  resume_app->callback(
      [&values] { values.action = [&values] { return resume(values.resume, values.global); }; });
  CLI::App* status_app = app.add_subcommand("status", "What is done, valid, left, and how long it may take");
  status_app->add_option("directory", values.status_directory, "Run directory")->required()->type_name("DIR");
  status_app->callback(
      [&values] { values.action = [&values] { return status(values.status_directory, values.global); }; });
}

void add_report_and_compare(CLI::App& app, Values& values) {
  CLI::App* report_app =
      app.add_subcommand("report", "Write CSV, JSON and HTML of one run, or of several of one plan united");
  report_app->add_option("directories", values.report.directories, "Run directories")
      ->required()
      ->type_name("DIR...");
  report_app->add_option("--format", values.report.formats, "What to write")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("html,csv,json");
  report_app->add_option("--output", values.report.output, "Folder for the files (default the run directory)")
      ->type_name("PATH");
  report_app->callback(
      [&values] { values.action = [&values] { return report(values.report, values.global); }; });
  CLI::App* compare_app = app.add_subcommand("compare", "What changed between two runs, with intervals");
  compare_app->add_option("first", values.compare.first, "Run directory before")
      ->required()
      ->type_name("DIR");
  compare_app->add_option("second", values.compare.second, "Run directory after")
      ->required()
      ->type_name("DIR");
  compare_app
      ->add_option("--fail-if", values.compare.fail_if,
                   "Exit 5 if a condition holds, e.g. 'eta<0.01,change.edr<-0.05'")
      ->type_name("CONDITIONS");
  compare_app->callback(
      [&values] { values.action = [&values] { return compare(values.compare, values.global); }; });
}

void add_doctor_and_clean(CLI::App& app, Values& values) {
  CLI::App* doctor_app = app.add_subcommand("doctor", "Check what a plan needs; writes nothing");
  doctor_app->add_option("plan", values.doctor.plan, "Plan file")->type_name("PLAN.toml");
  doctor_app->add_option("--wait", values.doctor.wait, "Look again for this long until all is well")
      ->type_name("DURATION");
  doctor_app->callback(
      [&values] { values.action = [&values] { return doctor(values.doctor, values.global); }; });
  CLI::App* clean_app =
      app.add_subcommand("clean", "Remove what our runs left in the systems, and nothing else");
  clean_app->add_option("target", values.clean.target, "Plan file or run directory")
      ->type_name("PLAN.toml|DIR");
  add_system_flags(*clean_app, values.clean.from, "--from",
                   "In place of a plan: a system that generate --into wrote to");
  clean_app->add_option("--systems", values.clean.systems, "Only these systems")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("A,B");
  clean_app->add_flag("--dry-run", values.clean.dry_run, "Only say what would be removed");
  clean_app->callback(
      [&values] { values.action = [&values] { return clean(values.clean, values.global); }; });
}

void add_setup(CLI::App& app, Values& values) {
  CLI::App* command =
      app.add_subcommand("setup", "The lab's users, rights and namespaces on the servers of a plan");
  SetupOptions& options = values.setup;
  command->add_option("plan", options.plan, "Plan file")->required()->type_name("PLAN.toml");
  command->add_flag("--print", options.print, "Print the statements, to be run by somebody else");
  command->add_flag("--apply", options.apply, "Run them with the rights of the plan's own user");
  command->add_flag("--undo", options.undo, "Take back what --apply gave");
  command->callback([&values] { values.action = [&values] { return setup(values.setup, values.global); }; });
}

void add_testbed(CLI::App& app, Values& values) {
  CLI::App* command =
      app.add_subcommand("testbed", "Real servers on the local machine, for plans and for tests");
  TestbedOptions& options = values.testbed;
  command
      ->add_option(
          "action", options.action,
          "up starts servers, which go on until down, which removes their data too; restart keeps port "
          "and data; status says which run; env prints their tables for a plan")
      ->required()
      ->type_name("up|down|restart|status|env");
  command->add_option("systems", options.systems, "These systems (default all)")->type_name("SYSTEM...");
  command->add_option("--directory", options.directory, "up: make the data directories in this folder")
      ->type_name("DIR");
  command->add_option("--program", options.programs, "up: a system's server program, in place of one in PATH")
      ->type_name("SYSTEM=PATH");
  command->callback(
      [&values] { values.action = [&values] { return testbed(values.testbed, values.global); }; });
}

void add_drill(CLI::App& app, Values& values) {
  CLI::App* command = app.add_subcommand(
      "drill", "Kill, stop and fill the testbed's servers under a plan, and the run itself");
  DrillOptions& options = values.drill;
  command->add_option("plan", options.plan, "Plan file")->required()->type_name("PLAN.toml");
  command->add_option("--out", options.out, "Folder of the drill; one that was begun goes on")
      ->type_name("DIR");
  const auto add_list = [&](const char* flag, std::vector<std::string>& list, const char* what,
                            const char* type) {
    command->add_option(flag, list, what)->delimiter(',')->allow_extra_args(false)->type_name(type);
  };
  add_list("--system", options.systems, "Only these servers of the plan", "A,B");
  add_list("--stage", options.stages, "Only these stages of the plan", "S,...");
  add_list("--fault", options.faults, "Only these faults (default all)", "F,...");
  command->add_option("--seed", options.seed, "Of the moments, and of the sample")
      ->capture_default_str()
      ->type_name("K");
  command->add_option("--sample", options.sample, "So many cells of the matrix, chosen by the seed")
      ->type_name("N");
  command->add_option("--limit", options.limit, "Begin no cell after this long (exit 6)")
      ->type_name("DURATION");
  command->callback([&values] { values.action = [&values] { return drill(values.drill, values.global); }; });
}

void add_lists(CLI::App& app, Values& values) {
  CLI::App* systems_app =
      app.add_subcommand("systems", "The systems that are built in, with variants and options");
  systems_app->add_flag("--features", values.features, "Documented mechanisms at each level");
  systems_app->callback(
      [&values] { values.action = [&values] { return systems(values.features, values.global); }; });
  CLI::App* payloads_app = app.add_subcommand("payloads", "The payload kinds");
  payloads_app->callback([&values] { values.action = [&values] { return payloads(values.global); }; });
  CLI::App* manual_app = app.add_subcommand("manual", "Print the man page");
  manual_app->callback([&app, &values] {
    values.action = [&app] {
      print("{}", man_page(app));
      return kExitOk;
    };
  });
  CLI::App* completion_app = app.add_subcommand("completion", "Print the completion of a shell");
  completion_app->add_option("shell", values.shell, "bash, zsh or fish")->required()->type_name("SHELL");
  completion_app->callback([&app, &values] {
    values.action = [&app, &values] {
      const auto text = completion(app, values.shell);
      if (!text) return fail(kExitUsage, text.error());
      print("{}", *text);
      return kExitOk;
    };
  });
}

/// What may have been meant by `word`: a flag of the chosen sub-command or of all, or a sub-command.
std::vector<std::string> known_words(const CLI::App& app, const std::string& word) {
  std::vector<std::string> words;
  const auto add_flags = [&words](const CLI::App& scope) {
    for (const CLI::Option* option : scope.get_options())
      for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  };
  const auto chosen = app.get_subcommands();
  if (!word.starts_with('-')) {
    if (chosen.empty())
      for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        words.push_back(command->get_name());
    return words;
  }
  add_flags(app);
  if (!chosen.empty()) add_flags(*chosen.front());
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());  // Each has its own --help.
  return words;
}

/// One line for a wrong command line, with the nearest word.
int usage_error(const CLI::App& app, const CLI::ParseError& bad) {
  const auto extras = app.remaining(true);
  if (!extras.empty()) {
    const std::string word = split(extras.front(), '=').front();
    const auto words = known_words(app, word);
    return fail(kExitUsage, {ErrorCode::kInvalidArgument, "",
                             words.empty() ? "'" + word + "' is one argument too many"
                                           : "unknown argument '" + word + "'" + suggestion(word, words)});
  }
  return fail(kExitUsage,
              {ErrorCode::kInvalidArgument, "", std::string(bad.what()) + " (see deduplab --help)"});
}

Status check_globals(const GlobalOptions& global) {
  static const std::vector<std::string> kFormats{"text", "json"};
  const auto one_of = [](const char* flag, const std::string& value,
                         const std::vector<std::string>& valid) -> Status {
    if (std::find(valid.begin(), valid.end(), value) != valid.end()) return ok();
    return Error{ErrorCode::kInvalidArgument, "",
                 fmt::format("{}: unknown value '{}'{}", flag, value, suggestion(value, valid))};
  };
  LAB_TRY(one_of("--log-format", global.log_format, kFormats));
  const auto level = parse_log_level(global.log_level);
  if (!level) return Error{ErrorCode::kInvalidArgument, "", "--log-level: " + level.error().detail};
  return ok();
}

/// Our memory holds passwords, and a core dump would keep it. The kernel gives none to a file below a page,
/// and to a program that takes dumps (core(5)) none at the limit of exactly one byte.
void forbid_core_dumps() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(1, limit.rlim_max);
  if (::setrlimit(RLIMIT_CORE, &limit) != 0)
    say("warning: a crash may leave a core dump with passwords in it\n");
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"deduplab: when the same bytes are stored twice, who notices?", "deduplab"};
  Values values;
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", version_text(), "Program, drivers and client libraries");
  app.add_flag("--json", values.global.json, "Answer in JSON on standard output");
  app.add_flag("--no-progress", values.global.no_progress, "No progress on standard error");
  app.add_option("--log-format", values.global.log_format, "Log on standard error")
      ->capture_default_str()
      ->type_name("text|json");
  app.add_option("--log-level", values.global.log_level, "debug, info, warning or error")
      ->capture_default_str()
      ->type_name("L");
  add_run(app, values);
  add_resume_and_status(app, values);
  add_report_and_compare(app, values);
  add_data_commands(app, values);
  add_doctor_and_clean(app, values);
  add_setup(app, values);
  add_testbed(app, values);
  add_drill(app, values);
  add_lists(app, values);
  check_values(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& ended) {
    if (ended.get_exit_code() == 0) return end_of_answer(app.exit(ended));  // --help, --version
    return usage_error(app, ended);
  }
  if (const Status valid = check_globals(values.global); !valid) return fail(kExitUsage, valid.error());
  return end_of_answer(values.action());
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 0 && std::string_view(argv[0]).find('/') != std::string_view::npos) program_word(argv[0]);
  redact_environment();
  ignore_library_settings();
  forbid_core_dumps();
  // A closed pipe and a file as large as files may be are failed writes, with their error and exit code.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  return parse_and_run(argc, argv);
} catch (const std::exception& bug) {
  say("deduplab: internal error: {}\n", bug.what());
  return kExitFailedCells;
}

}  // namespace lab::cli
