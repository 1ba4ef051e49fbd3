// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "build_version.hpp"
#include "core/text.hpp"

namespace lab::cli {
namespace {

struct ExitLine {
  int code = 0;
  const char* what = "";
};
constexpr std::array<ExitLine, 9> kExits{{{0, "all cells are valid"},
                                          {1, "some cell failed for good, or a system was not reached"},
                                          {2, "usage or configuration"},
                                          {3, "a check before the first write failed, or the run is in use"},
                                          {4, "results could not be written"},
                                          {5, "compare found a threshold broken"},
                                          {6, "stopped by --stop-after, can be resumed"},
                                          {130, "interrupted, can be resumed"},
                                          {143, "terminated, can be resumed"}}};

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// Backslashes and leading dots mean something in man(7).
std::string man_escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\\')
      out += "\\e";
    else if (letter == '-')
      out += "\\-";
    else if (letter == '\'')
      out += "\\(aq";
    else
      out += letter;
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

std::string option_names(const CLI::Option& option) {
  if (option.get_positional()) return option.get_type_name();
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  std::string text = join(names, ", ");
  if (option.get_type_size() != 0 && option.get_expected_max() != 0) text += " " + option.get_type_name();
  return text;
}

std::string man_options(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    std::string what = option->get_description();
    if (!option->get_default_str().empty()) what += fmt::format(" (default {})", option->get_default_str());
    text += fmt::format(".TP\n.B {}\n{}\n", man_escaped(option_names(*option)), man_escaped(what));
  }
  return text;
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  return flags;
}

std::string bash_completion(const CLI::App& app) {
  std::vector<std::string> names;
  std::string cases;
  for (const CLI::App* command : commands_of(app)) {
    names.push_back(command->get_name());
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command->get_name(), join(flags_of(*command), " "));
  }
  return fmt::format(R"(# bash completion for deduplab
_deduplab() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" command="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ "${{COMP_WORDS[i]}}" != -* ]] && {{ command="${{COMP_WORDS[i]}}"; break; }}
  done
  case "$command" in
    "") words="{}" ;;
{}  esac
  if [[ "$word" == -* || -z "$command" ]]; then
    COMPREPLY=($(compgen -W "$words {}" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}}
complete -o filenames -F _deduplab deduplab
)",
                     join(names, " "), cases, join(flags_of(app), " "));
}

std::string single_quoted(std::string_view text) {
  std::string out;
  for (const char letter : text) out += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return out;
}

std::string zsh_completion(const CLI::App& app) {
  std::string names;
  std::string cases;
  for (const CLI::App* command : commands_of(app)) {
    names += fmt::format("    '{}:{}'\n", command->get_name(), single_quoted(command->get_description()));
    cases += fmt::format("      {}) _values -w 'option' {} ; _files ;;\n", command->get_name(),
                         join(flags_of(*command), " "));
  }
  return fmt::format(R"(#compdef deduplab
_deduplab() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
  else
    case "$words[2]" in
{}    esac
  fi
}}
_deduplab "$@"
)",
                     names, cases);
}

std::string fish_completion(const CLI::App& app) {
  std::string text = "# fish completion for deduplab\n";
  for (const std::string& flag : flags_of(app))
    text += fmt::format("complete -c deduplab -l {}\n", flag.substr(2));
  for (const CLI::App* command : commands_of(app)) {
    text += fmt::format("complete -c deduplab -n __fish_use_subcommand -a {} -d '{}'\n", command->get_name(),
                        single_quoted(command->get_description()));
    for (const std::string& flag : flags_of(*command))
      text += fmt::format("complete -c deduplab -n '__fish_seen_subcommand_from {}' -l {}\n",
                          command->get_name(), flag.substr(2));
  }
  return text;
}

}  // namespace

std::string man_page(const CLI::App& app) {
  std::string text = fmt::format(
      ".TH DEDUPLAB 1 \"\" \"deduplab {}\" \"User Commands\"\n.SH NAME\ndeduplab \\- when the same bytes are "
      "stored twice, who "
      "notices?\n.SH SYNOPSIS\n.B deduplab\n.I COMMAND\n[OPTIONS]\n.SH GLOBAL OPTIONS\n{}.SH COMMANDS\n",
      man_escaped(kVersion), man_options(app));
  for (const CLI::App* command : commands_of(app))
    text += fmt::format(".SS deduplab {}\n{}.\n{}", command->get_name(),
                        man_escaped(command->get_description()), man_options(*command));
  text += ".SH EXIT STATUS\n";
  for (const ExitLine& line : kExits)
    text += fmt::format(".TP\n.B {}\n{}\n", line.code, man_escaped(line.what));
  return text;
}

Result<std::string> completion(const CLI::App& app, std::string_view shell) {
  if (shell == "bash") return bash_completion(app);
  if (shell == "zsh") return zsh_completion(app);
  if (shell == "fish") return fish_completion(app);
  static const std::vector<std::string> kShells{"bash", "zsh", "fish"};
  return Error{ErrorCode::kInvalidArgument, "completion",
               "unknown shell '" + std::string(shell) + "'" + suggestion(shell, kShells)};
}

}  // namespace lab::cli
