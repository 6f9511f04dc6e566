// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "cli/command.h"

namespace fovea::cli {

namespace {

CLI::Validator finite_number(bool zero_too) {
  return CLI::Validator(
      [zero_too](std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        const bool fine = !text.empty() && *end == '\0' && std::isfinite(value) && (zero_too ? value >= 0 : value > 0);
        return fine ? std::string() : str_cat("expected a number ", zero_too ? "from 0 on" : "above 0", ", found '", text, "'");
      },
      "");
}

}  // namespace

CommandLine::CommandLine(const std::string& about, const std::string& example) : app_(std::make_unique<CLI::App>(about)) {
  app_->footer("Example: " + example);
}
CommandLine::~CommandLine() = default;

CommandLine::Argument CommandLine::Argument::required() { return Argument(option_->required()); }
CommandLine::Argument CommandLine::Argument::with_default() { return Argument(option_->capture_default_str()); }
CommandLine::Argument CommandLine::Argument::between(int low, int high) { return Argument(option_->check(CLI::Range(low, high))); }
CommandLine::Argument CommandLine::Argument::between(double low, double high) { return Argument(option_->check(CLI::Range(low, high))); }
CommandLine::Argument CommandLine::Argument::above_zero() { return Argument(option_->check(finite_number(false))); }
CommandLine::Argument CommandLine::Argument::zero_or_more() { return Argument(option_->check(finite_number(true))); }
CommandLine::Argument CommandLine::Argument::one_of(std::vector<std::string> words) { return Argument(option_->check(CLI::IsMember(std::move(words)))); }
CommandLine::Argument CommandLine::Argument::one_of_any_case(std::vector<std::string> words) {
  return Argument(option_->check(CLI::IsMember(std::move(words), CLI::ignore_case)));
}
CommandLine::Argument CommandLine::Argument::needs(const Argument& other) { return Argument(option_->needs(other.option_)); }
CommandLine::Argument CommandLine::Argument::one_each_time(const std::string& word) {
  return Argument(option_->allow_extra_args(false)->type_name(word));
}

CommandLine::Argument CommandLine::option(const std::string& names, std::string& target, const std::string& help) {
  return Argument(app_->add_option(names, target, help));
}
CommandLine::Argument CommandLine::option(const std::string& names, std::vector<std::string>& target, const std::string& help) {
  return Argument(app_->add_option(names, target, help));
}
CommandLine::Argument CommandLine::option(const std::string& names, int& target, const std::string& help) {
  return Argument(app_->add_option(names, target, help));
}
CommandLine::Argument CommandLine::option(const std::string& names, std::uint64_t& target, const std::string& help) {
  return Argument(app_->add_option(names, target, help));
}
CommandLine::Argument CommandLine::option(const std::string& names, double& target, const std::string& help) {
  return Argument(app_->add_option(names, target, help));
}
CommandLine::Argument CommandLine::flag(const std::string& names, bool& target, const std::string& help) {
  return Argument(app_->add_flag(names, target, help));
}

void CommandLine::one_flag_of(const std::string& heading, const std::vector<Flag>& flags) {
  auto* group = app_->add_option_group(heading);
  for (const Flag& flag : flags) group->add_flag(flag.name, flag.target, flag.help);
  group->require_option(0, 1);
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
  app_->name(std::string("fovea ") + argv[0]);
  try {
    app_->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app_->help().c_str(), stdout);
    return kDone;
  } catch (const CLI::ParseError& error) {
    return fail(invalid_argument("command line: ", error.what()).with_hint(str_cat("'fovea ", argv[0], " --help' shows the options")));
  }
  return std::nullopt;
}

}  // namespace fovea::cli
