// SPDX-License-Identifier: Apache-2.0
#include "passes/pass_case.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/text.h"

namespace fovea::testing {

namespace {

constexpr std::int64_t kComparedElements = 4;

class Normalizer {
 public:
  explicit Normalizer(const ir::Graph& graph) : graph_(graph) {
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) names_[graph.inputs[i]] = "in" + std::to_string(i);
  }

  std::string run() {
    std::string outputs;
    for (ir::ValueId id : graph_.outputs) outputs += " " + visit(id) + " as " + graph_.value(id).name;
    std::string inputs;
    for (ir::ValueId id : graph_.inputs) inputs += " " + graph_.value(id).name;
    return "inputs:" + inputs + "\n" + text_ + "outputs:" + outputs + "\n";
  }

 private:
  std::string visit(ir::ValueId id) {
    if (id == ir::kNone) return "_";
    if (const auto known = names_.find(id); known != names_.end()) return known->second;
    const ir::Value& value = graph_.value(id);
    if (value.is_constant()) return names_[id] = constant_text(value.constant);
    if (value.producer == ir::kNone) return "undefined";
    const ir::Node& node = graph_.node(value.producer);
    std::string operands;
    for (ir::ValueId input : node.inputs) operands += (operands.empty() ? "" : ", ") + visit(input);
    std::string outputs;
    for (ir::ValueId output : node.outputs) {
      std::string name = "_";
      if (output != ir::kNone) name = names_[output] = "v" + std::to_string(next_++);
      outputs += (outputs.empty() ? "" : ", ") + name;
    }
    text_ += outputs + " = " + node.op + "(" + operands + ")" + attributes_text(node) + "\n";
    for (const ir::Graph& body : node.bodies) text_ += "body\n" + Normalizer(body).run() + "end\n";
    return names_[id];
  }

  static std::string constant_text(const Tensor& tensor) {
    ir::Graph graph;
    graph.name = "c";
    graph.outputs.push_back(graph.add_constant("c", tensor));
    const std::string text = ir::print(graph);
    const std::size_t from = text.find("const c: ") + 9;
    const std::size_t payload = text.find(" = ", from), end = text.find('\n', from);
    return tensor.elements() > kComparedElements ? text.substr(from, payload - from) : text.substr(from, end - from);
  }

  static std::string attributes_text(const ir::Node& node) {
    ir::Graph graph;
    ir::Node alone;
    alone.op = "op";
    alone.attributes = node.attributes;
    const std::string text = ir::print_node(graph, graph.add_node(std::move(alone)));
    const std::size_t brace = text.find('{');
    return brace == std::string::npos ? "" : " " + text.substr(brace, text.rfind('}') + 1 - brace);
  }

  const ir::Graph& graph_;
  std::map<ir::ValueId, std::string> names_;
  std::string text_;
  int next_ = 0;
};

}  // namespace

std::string normal_text(const ir::Graph& graph) { return Normalizer(graph).run(); }

Result<std::vector<PassCase>> read_pass_cases(const std::string& path) {
  std::ifstream in(path);
  if (!in) return not_found(path, ": cannot be read");
  std::vector<PassCase> cases;
  std::string line;
  std::string* graph = nullptr;
  for (int number = 1; std::getline(in, line); ++number) {
    std::istringstream words(line);
    std::string keyword;
    words >> keyword;
    const auto error = [&](std::string_view what) { return invalid_argument(path, ":", number, ": ", what); };
    if (keyword == "case") {
      cases.emplace_back();
      cases.back().file = std::filesystem::path(path).stem().string();
      cases.back().line = number;
      words >> cases.back().name;
      cases.back().passes = {cases.back().file};
      graph = &cases.back().before;
      continue;
    }
    if (cases.empty()) {
      if (keyword.empty() || keyword[0] == '#') continue;
      return error("expected 'case NAME'");
    }
    PassCase& current = cases.back();
    if (keyword == "passes" && current.before.empty()) {
      current.passes.clear();
      for (std::string word; words >> word;) current.passes.push_back(word);
    } else if (keyword == "bind" && current.before.empty()) {
      for (std::string word; words >> word;) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) return error("expected SYMBOL=VALUE");
        current.bindings[word.substr(0, equals)] = std::stoll(word.substr(equals + 1));
      }
    } else if (keyword == "range" && current.before.empty()) {
      words >> current.low >> current.high;
    } else if (keyword == "tolerance" && current.before.empty()) {
      words >> current.tolerance;
    } else if (keyword == "norun") {
      current.run = false;
    } else if (keyword == "expect") {
      graph = &current.after;
    } else if (!(keyword.empty() && graph->empty())) {
      *graph += line + "\n";
    }
  }
  return cases;
}

}  // namespace fovea::testing
