// SPDX-License-Identifier: Apache-2.0
// PointwiseProgram: elementwise work as a small typed SSA program. Every output element depends only on the
// elements at the same (broadcast) place of the inputs. Text form, as in the attribute `program`:
//
//   input f32 0; const f32 0x1p-1; mul f32 0 1; output 2
//
// Clauses number themselves from 0 (outputs do not count); operands are earlier numbers. Floating constants
// are written as hexadecimal floats, so the text round-trips bit for bit.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/attributes.h"
#include "base/check.h"

namespace fovea {

enum class PointwiseOp : std::uint8_t {
#define FOVEA_POINTWISE(Name, text, operands) Name,
#include "ops/fused/pointwise_ops.def"
#undef FOVEA_POINTWISE
};

std::string_view name(PointwiseOp op);
int operands_of(PointwiseOp op);

/// A value of any type: floats in `real`, integers and booleans in `integer`.
struct PointwiseScalar {
  double real = 0;
  std::int64_t integer = 0;
};

struct PointwiseInstruction {
  PointwiseOp op = PointwiseOp::Input;
  DataType type = DataType::undefined;   ///< of the result
  std::array<int, 3> operands{-1, -1, -1};
  int index = 0;                          ///< Input: which one
  PointwiseScalar constant;               ///< Constant
};

class PointwiseProgram {
 public:
  std::vector<PointwiseInstruction> code;
  std::vector<int> outputs;               ///< instruction numbers

  // --- building; each returns the new instruction's number. Equal instructions are shared.
  int add_input(DataType type, int index);
  int add_constant(DataType type, double value);
  int add_constant_int(DataType type, std::int64_t value);
  int add(PointwiseOp op, DataType type, int a, int b = -1, int c = -1);
  /// The value itself when it has that type already.
  int add_cast(DataType type, int a);

  DataType type_of(int value) const { return code[static_cast<std::size_t>(value)].type; }
  int num_inputs() const;                 ///< one more than the largest input index
  std::vector<DataType> input_types() const;
  /// Copies `other` behind this program; `inputs[i]` is the value here that takes the place of its input i.
  /// Returns its outputs' numbers here. How fusing passes join two programs.
  std::vector<int> append(const PointwiseProgram& other, const std::vector<int>& inputs);
  /// Drops what no output needs and renumbers; input indices stay.
  void remove_unused();

  /// InvalidModel names the clause that breaks a rule (unknown operand, wrong type, ...).
  Status verify() const;
  std::string to_string() const;
  /// Parses and verifies.
  static Result<PointwiseProgram> parse(std::string_view text);

  /// Reference semantics for one element: each instruction is computed in double or 64-bit integers and then
  /// rounded to its type. `values` must have code.size() entries; `inputs` num_inputs() entries.
  void evaluate(const PointwiseScalar* inputs, PointwiseScalar* values) const;
};

/// One element in memory as a scalar, and back (rounding, saturating nothing: the value fits by then).
PointwiseScalar load_scalar(DataType type, const void* data, std::int64_t element);
void store_scalar(DataType type, void* data, std::int64_t element, const PointwiseScalar& value);

/// Types a program can hold; arithmetic is on f32 f64 i32 i64 (and boolean logic), the others only load, cast,
/// select and store.
bool is_pointwise_type(DataType type);
bool is_pointwise_compute_type(DataType type);

}  // namespace fovea
