// SPDX-License-Identifier: Apache-2.0
#include "task/output_shape.h"

#include <algorithm>
#include <charconv>

namespace fovea::task {

namespace {

std::int64_t extent_of(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && value >= 0 ? value : kOpen;
}

}  // namespace

std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return a == kOpen || b == kOpen || __builtin_mul_overflow(a, b, &result) ? kOpen : result;
}

std::int64_t OutputShape::elements(std::size_t skipped) const {
  std::int64_t count = 1;
  for (std::size_t axis = skipped; axis < extents.size(); ++axis) count = product(count, extents[axis]);
  return count;
}

bool OutputShape::is_empty() const { return std::find(extents.begin(), extents.end(), 0) != extents.end(); }

OutputShape shape_of(const Tensor& tensor) { return {tensor.type(), true, tensor.shape().to_vector(), tensor.shape().to_string()}; }

OutputShapes output_shapes(const std::map<std::string, Tensor>& outputs) {
  OutputShapes shapes;
  for (const auto& [name, tensor] : outputs) {
    if (tensor.defined()) shapes[name] = shape_of(tensor);
  }
  return shapes;
}

OutputShape shape_of(const TensorInfo& info) {
  OutputShape shape{info.type, info.rank_known, {}, {}};
  for (const std::string& extent : info.shape) {
    shape.extents.push_back(extent_of(extent));
    shape.text += (shape.text.empty() ? "" : "x") + extent;
  }
  return shape;
}

std::optional<MatrixShape> matrix_shape(const OutputShape& shape, bool transposed, std::optional<std::int64_t> rows) {
  if (!shape.rank_known) return MatrixShape{};
  const std::vector<std::int64_t>& e = shape.extents;
  if (e.size() > 2 && e[0] != 1 && e[0] != kOpen) return std::nullopt;
  switch (e.size()) {
    case 1: return transposed ? std::nullopt : std::optional(MatrixShape{e[0], 1, 1, 1});
    case 2:
      if (transposed) return MatrixShape{e[1], e[0], 1, e[1]};
      if (rows && (e[0] == 1 || e[0] == kOpen) && *rows != 1) {
        // The first axis is the batch when the second has the rows; which it is cannot be told while either is open.
        if (*rows == kOpen || (e[0] == kOpen && e[1] == kOpen)) return MatrixShape{};
        if (e[1] == *rows) return MatrixShape{e[1], 1, 1, 1};
      }
      return MatrixShape{e[0], e[1], e[1], 1};
    case 3: return transposed ? MatrixShape{e[2], e[1], 1, e[2]} : MatrixShape{e[1], e[2], e[2], 1};
    case 4: {  // channels first as it is
      const std::int64_t cells = product(e[2], e[3]);
      return MatrixShape{cells, e[1], 1, cells};
    }
    default: return std::nullopt;
  }
}

}  // namespace fovea::task
