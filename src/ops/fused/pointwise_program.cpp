// SPDX-License-Identifier: Apache-2.0
// Pointwise programs: building, checking, text. What each instruction computes is in pointwise_evaluate.cpp.
#include "ops/fused/pointwise_program.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace fovea {

namespace {

struct OpRow {
  std::string_view text;
  int operands;
};

constexpr OpRow kOps[] = {
#define FOVEA_POINTWISE(Name, text, operands) {text, operands},
#include "ops/fused/pointwise_ops.def"
#undef FOVEA_POINTWISE
};

constexpr DataType kTypes[] = {DataType::f32, DataType::f16, DataType::bf16, DataType::f64, DataType::i8, DataType::u8, DataType::i16, DataType::u16,
                               DataType::i32, DataType::u32, DataType::i64, DataType::u64, DataType::boolean};

/// Limits that keep a hostile program harmless: real ones have tens of instructions.
constexpr std::size_t kMaxInstructions = 4096;
constexpr int kMaxInputs = 64;

bool is_comparison(PointwiseOp op) { return op == PointwiseOp::Equal || op == PointwiseOp::Less || op == PointwiseOp::LessOrEqual; }
bool is_logical(PointwiseOp op) {
  return op == PointwiseOp::Not || op == PointwiseOp::And || op == PointwiseOp::Or || op == PointwiseOp::Xor;
}
bool has_integer_form(PointwiseOp op) {
  switch (op) {
    case PointwiseOp::Abs: case PointwiseOp::Neg: case PointwiseOp::Relu: case PointwiseOp::Sign: case PointwiseOp::Add: case PointwiseOp::Sub:
    case PointwiseOp::Mul: case PointwiseOp::Div: case PointwiseOp::Mod: case PointwiseOp::Fmod: case PointwiseOp::Min: case PointwiseOp::Max: return true;
    default: return false;
  }
}

Status verify_instruction(const PointwiseProgram& program, std::size_t number) {
  const PointwiseInstruction& ins = program.code[number];
  const auto fail = [&](const auto&... what) { return invalid_model("pointwise program: instruction ", number, " (", name(ins.op), "): ", what...); };
  if (!is_pointwise_type(ins.type)) return fail("type ", name(ins.type), " is not possible");
  for (int k = 0; k < 3; ++k) {
    const int operand = ins.operands[static_cast<std::size_t>(k)];
    const bool wanted = k < operands_of(ins.op);
    if (wanted && (operand < 0 || operand >= static_cast<int>(number))) return fail("operand ", operand, " is not an earlier instruction");
    if (!wanted && operand != -1) return fail("expected ", operands_of(ins.op), " operands");
  }
  const auto operand_type = [&](int k) { return program.type_of(ins.operands[static_cast<std::size_t>(k)]); };
  const auto expect = [&](int k, DataType type) -> Status {
    if (operand_type(k) == type) return {};
    return fail("operand ", k, ": expected ", name(type), ", found ", name(operand_type(k)));
  };
  switch (ins.op) {
    case PointwiseOp::Input:
      if (ins.index < 0 || ins.index >= kMaxInputs) return fail("input ", ins.index, " is out of 0..", kMaxInputs - 1);
      return {};
    case PointwiseOp::Constant: case PointwiseOp::Cast: return {};
    case PointwiseOp::Select:
      FOVEA_RETURN_IF_ERROR(expect(0, DataType::boolean));
      FOVEA_RETURN_IF_ERROR(expect(1, ins.type));
      return expect(2, ins.type);
    case PointwiseOp::IsInf: case PointwiseOp::IsNan:
      if (ins.type != DataType::boolean) return fail("gives bool, not ", name(ins.type));
      if (!is_floating(operand_type(0)) || !is_pointwise_compute_type(operand_type(0))) return fail("operand of type ", name(operand_type(0)));
      return {};
    default: break;
  }
  if (is_comparison(ins.op)) {
    if (ins.type != DataType::boolean) return fail("gives bool, not ", name(ins.type));
    const bool possible = is_pointwise_compute_type(operand_type(0)) || (ins.op == PointwiseOp::Equal && operand_type(0) == DataType::boolean);
    if (!possible) return fail("operands of type ", name(operand_type(0)));
    return expect(1, operand_type(0));
  }
  if (is_logical(ins.op) ? ins.type != DataType::boolean : !is_pointwise_compute_type(ins.type)) return fail("not defined on ", name(ins.type));
  if (!is_logical(ins.op) && !is_floating(ins.type) && !has_integer_form(ins.op)) return fail("not defined on integers");
  if (ins.op == PointwiseOp::Mod && is_floating(ins.type)) return fail("defined on integers only; use fmod");
  for (int k = 0; k < operands_of(ins.op); ++k) FOVEA_RETURN_IF_ERROR(expect(k, ins.type));
  return {};
}

std::string constant_text(const PointwiseInstruction& ins) {
  if (!is_floating(ins.type)) return std::to_string(ins.constant.integer);
  if (std::isnan(ins.constant.real)) return "nan";
  char text[64];
  std::snprintf(text, sizeof text, "%a", ins.constant.real);
  return text;
}

bool parse_number(std::string_view text, int& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

std::string_view name(PointwiseOp op) { return kOps[static_cast<std::size_t>(op)].text; }
int operands_of(PointwiseOp op) { return kOps[static_cast<std::size_t>(op)].operands; }
bool is_pointwise_type(DataType type) { return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes); }
bool is_pointwise_compute_type(DataType type) {
  return type == DataType::f32 || type == DataType::f64 || type == DataType::i32 || type == DataType::i64;
}

namespace {
int add_shared(PointwiseProgram& program, const PointwiseInstruction& ins) {
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const PointwiseInstruction& other = program.code[i];
    const bool same = other.op == ins.op && other.type == ins.type && other.operands == ins.operands && other.index == ins.index &&
                      std::bit_cast<std::uint64_t>(other.constant.real) == std::bit_cast<std::uint64_t>(ins.constant.real) &&
                      other.constant.integer == ins.constant.integer;
    if (same) return static_cast<int>(i);
  }
  program.code.push_back(ins);
  return static_cast<int>(program.code.size()) - 1;
}
}  // namespace

int PointwiseProgram::add_input(DataType type, int index) {
  PointwiseInstruction ins;
  ins.type = type;
  ins.index = index;
  return add_shared(*this, ins);
}

int PointwiseProgram::add_constant(DataType type, double value) {
  if (!is_floating(type)) return add_constant_int(type, static_cast<std::int64_t>(value));
  return add_shared(*this, {.op = PointwiseOp::Constant, .type = type, .constant = {.real = type == DataType::f64 ? value : static_cast<float>(value)}});
}

int PointwiseProgram::add_constant_int(DataType type, std::int64_t value) {
  if (is_floating(type)) return add_constant(type, static_cast<double>(value));
  return add_shared(*this, {.op = PointwiseOp::Constant, .type = type, .constant = {.integer = value}});
}

int PointwiseProgram::add(PointwiseOp op, DataType type, int a, int b, int c) {
  PointwiseInstruction ins;
  ins.op = op;
  ins.type = type;
  ins.operands = {a, b, c};
  return add_shared(*this, ins);
}

int PointwiseProgram::add_cast(DataType type, int a) {
  if (type_of(a) == type) return a;
  return add(PointwiseOp::Cast, type, a);
}

int PointwiseProgram::num_inputs() const {
  int count = 0;
  for (const PointwiseInstruction& ins : code) {
    if (ins.op == PointwiseOp::Input) count = std::max(count, ins.index + 1);
  }
  return count;
}

std::vector<DataType> PointwiseProgram::input_types() const {
  std::vector<DataType> types(static_cast<std::size_t>(num_inputs()), DataType::undefined);
  for (const PointwiseInstruction& ins : code) {
    if (ins.op == PointwiseOp::Input) types[static_cast<std::size_t>(ins.index)] = ins.type;
  }
  return types;
}

std::vector<int> PointwiseProgram::append(const PointwiseProgram& other, const std::vector<int>& inputs) {
  std::vector<int> here;
  for (PointwiseInstruction ins : other.code) {
    if (ins.op == PointwiseOp::Input) {
      here.push_back(inputs[static_cast<std::size_t>(ins.index)]);
      continue;
    }
    for (int& operand : ins.operands) {
      if (operand >= 0) operand = here[static_cast<std::size_t>(operand)];
    }
    here.push_back(add_shared(*this, ins));
  }
  std::vector<int> results;
  for (int output : other.outputs) results.push_back(here[static_cast<std::size_t>(output)]);
  return results;
}

void PointwiseProgram::remove_unused() {
  std::vector<char> needed(code.size(), 0);
  for (int output : outputs) needed[static_cast<std::size_t>(output)] = 1;
  for (std::size_t i = code.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (int operand : code[i].operands) {
      if (operand >= 0) needed[static_cast<std::size_t>(operand)] = 1;
    }
  }
  std::vector<int> renumbered(code.size(), -1);
  std::vector<PointwiseInstruction> kept;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (!needed[i]) continue;
    PointwiseInstruction ins = code[i];
    for (int& operand : ins.operands) {
      if (operand >= 0) operand = renumbered[static_cast<std::size_t>(operand)];
    }
    renumbered[i] = static_cast<int>(kept.size());
    kept.push_back(ins);
  }
  code = std::move(kept);
  for (int& output : outputs) output = renumbered[static_cast<std::size_t>(output)];
}

Status PointwiseProgram::verify() const {
  if (code.size() > kMaxInstructions) return invalid_model("pointwise program: ", code.size(), " instructions; at most ", kMaxInstructions);
  for (std::size_t i = 0; i < code.size(); ++i) FOVEA_RETURN_IF_ERROR(verify_instruction(*this, i));
  if (outputs.empty()) return invalid_model("pointwise program: has no output");
  for (int output : outputs) {
    if (output < 0 || output >= static_cast<int>(code.size())) return invalid_model("pointwise program: output ", output, " is no instruction");
  }
  const std::vector<DataType> types = input_types();
  for (const PointwiseInstruction& ins : code) {
    if (ins.op == PointwiseOp::Input && types[static_cast<std::size_t>(ins.index)] != ins.type) {
      return invalid_model("pointwise program: input ", ins.index, " has two types");
    }
  }
  return {};
}

std::string PointwiseProgram::to_string() const {
  std::string text;
  for (const PointwiseInstruction& ins : code) {
    text += str_cat(text.empty() ? "" : "; ", name(ins.op), " ", name(ins.type));
    if (ins.op == PointwiseOp::Input) text += str_cat(" ", ins.index);
    if (ins.op == PointwiseOp::Constant) text += " " + constant_text(ins);
    for (int k = 0; k < operands_of(ins.op); ++k) text += str_cat(" ", ins.operands[static_cast<std::size_t>(k)]);
  }
  for (int output : outputs) text += str_cat(text.empty() ? "" : "; ", "output ", output);
  return text;
}

Result<PointwiseProgram> PointwiseProgram::parse(std::string_view text) {
  PointwiseProgram program;
  for (std::string_view clause : split(text, ';')) {
    const std::vector<std::string_view> words = split(clause, ' ');
    if (words.empty()) continue;
    const auto malformed = [&] { return invalid_model("pointwise program: cannot read clause '", clause, "'"); };
    if (words[0] == "output") {
      int output = -1;
      if (words.size() != 2 || !parse_number(words[1], output)) return malformed();
      program.outputs.push_back(output);
      continue;
    }
    PointwiseInstruction ins;
    const auto op = std::find_if(std::begin(kOps), std::end(kOps), [&](const OpRow& row) { return row.text == words[0]; });
    const auto type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](DataType t) { return words.size() > 1 && name(t) == words[1]; });
    if (op == std::end(kOps) || type == std::end(kTypes)) return malformed();
    ins.op = static_cast<PointwiseOp>(op - std::begin(kOps));
    ins.type = *type;
    if (ins.op == PointwiseOp::Input) {
      if (words.size() != 3 || !parse_number(words[2], ins.index)) return malformed();
    } else if (ins.op == PointwiseOp::Constant) {
      if (words.size() != 3) return malformed();
      const std::string number(words[2]);
      char* end = nullptr;
      if (is_floating(ins.type)) ins.constant.real = std::strtod(number.c_str(), &end);
      else ins.constant.integer = std::strtoll(number.c_str(), &end, 10);
      if (end != number.c_str() + number.size()) return malformed();
    } else {
      if (static_cast<int>(words.size()) != 2 + op->operands) return malformed();
      for (std::size_t k = 2; k < words.size(); ++k) {
        if (!parse_number(words[k], ins.operands[k - 2])) return malformed();
      }
    }
    program.code.push_back(ins);
    if (program.code.size() > kMaxInstructions) return invalid_model("pointwise program: more than ", kMaxInstructions, " instructions");
  }
  FOVEA_RETURN_IF_ERROR(program.verify());
  return program;
}

}  // namespace fovea
