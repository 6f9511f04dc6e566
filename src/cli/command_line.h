// SPDX-License-Identifier: Apache-2.0
// CommandLine: the options of one sub-command, its --help and the errors of wrong usage. Only command_line.cpp sees the
// library behind it (CLI11), whose header costs every source that reads it five seconds.
//
//   CommandLine line("Runs an engine once.", "fovea run net.fovea --seed 3");
//   line.option("network", network, "engine or ONNX file").required();
//   line.option("--seed", seed, "seed of the inputs");
//   if (const auto code = line.parse(argc, argv)) return *code;
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI { class App; class Option; }

namespace fovea::cli {

class CommandLine {
 public:
  CommandLine(const std::string& about, const std::string& example);
  ~CommandLine();

  /// What may follow a declaration; each returns the same argument.
  class Argument {
   public:
    Argument required();
    Argument with_default();                       ///< --help shows the value it has now
    Argument between(int low, int high);
    Argument between(double low, double high);
    Argument above_zero();
    Argument zero_or_more();
    Argument one_of(std::vector<std::string> words);
    Argument one_of_any_case(std::vector<std::string> words);
    Argument needs(const Argument& other);         ///< wrong usage without it
    Argument one_each_time(const std::string& word);  ///< a list that takes one value per use; `word` stands for it in --help

   private:
    friend class CommandLine;
    explicit Argument(CLI::Option* option) : option_(option) {}
    CLI::Option* option_;
  };

  /// "name" for a positional argument, "-o,--output" for an option. The target keeps its value where it is not given.
  Argument option(const std::string& names, std::string& target, const std::string& help);
  Argument option(const std::string& names, std::vector<std::string>& target, const std::string& help);
  Argument option(const std::string& names, int& target, const std::string& help);
  Argument option(const std::string& names, std::uint64_t& target, const std::string& help);
  Argument option(const std::string& names, double& target, const std::string& help);
  Argument flag(const std::string& names, bool& target, const std::string& help);

  struct Flag {
    std::string name;
    bool& target;
    std::string help;
  };
  /// Flags of which at most one may be given, under a heading of their own in --help.
  void one_flag_of(const std::string& heading, const std::vector<Flag>& flags);

  /// The exit code when the command must stop (help was shown: 0; wrong usage, said in an error line: 2), else nothing.
  std::optional<int> parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace fovea::cli
