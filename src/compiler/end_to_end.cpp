// SPDX-License-Identifier: Apache-2.0
#include "compiler/end_to_end.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "compiler/compare.h"
#include "compiler/error_limit.h"

namespace fovea::compiler {

Decision EndToEnd::to_decision(const char* code, const char* what) const {
  return {code, worst, str_cat(what, ": largest error of an output is ", relative, " of its range"), ""};
}

Decision EndToEnd::remark() const {
  return {"LARGE_ERROR", worst,
          str_cat("output '", worst, "' differs from the model's by ", relative, " of its range, though each kernel is within its own limit: the network chooses among nearly equal "
                  "numbers (TopK, NonMaxSuppression, rounding to integers), multiplies small errors, or a rewrite is wrong"),
          "build with real inputs (--data); 'fovea inspect ENGINE --certificate' lists the error of every step, --disable-pass leaves a rewrite out, --max-error refuses"};
}

double remarkable_error(const ir::Graph& model) {
  double error = 1e-3;
  for (ir::ValueId id = 0; id < model.num_values(); ++id) {
    const ir::Value& value = model.value(id);
    if (value.is_constant() || value.producer == ir::kNone) continue;
    const DataType type = value.type.element;
    if (type == DataType::f16 || type == DataType::bf16) error = std::max(error, 32 * unit_roundoff(type));
    if (model.node(value.producer).op == "QuantizeLinear") error = std::max(error, 4.0 / 127);
  }
  return error;
}

Result<EndToEnd> compare_outputs(const Plan& plan, const std::vector<Datum>& actual, const std::vector<Datum>& expected) {
  EndToEnd result;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].kind != Datum::Kind::Tensor || actual[i].kind != Datum::Kind::Tensor) continue;
    const std::string& name = plan.values[static_cast<std::size_t>(plan.outputs[i])].name;
    auto difference = compare_tensors(actual[i].tensor, expected[i].tensor);
    if (!difference.ok()) {
      // A data-dependent extent (number of boxes) may change by a rounding; that is reported, not hidden.
      result.relative = std::numeric_limits<double>::infinity();
      result.worst = name + " (" + difference.status().message() + ")";
      continue;
    }
    if (!is_floating(expected[i].tensor.type())) continue;
    const double relative = difference->range > 0 ? difference->max_abs / difference->range : difference->max_abs;
    if (relative > result.relative || result.worst.empty()) result = {relative, name};
  }
  return result;
}

}  // namespace fovea::compiler
