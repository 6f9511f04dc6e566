// SPDX-License-Identifier: Apache-2.0
// Shapes of outputs as far as they are known, and how decoders read them. The same rules hold for what an engine declares
// before anything runs and for the tensors of a run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fovea/model.h"
#include "fovea/tensor.h"

namespace fovea::task {

/// An extent that the network leaves open.
inline constexpr std::int64_t kOpen = -1;

/// a * b; open where one is.
std::int64_t product(std::int64_t a, std::int64_t b);

struct OutputShape {
  DataType type = DataType::undefined;
  bool rank_known = true;
  std::vector<std::int64_t> extents;
  std::string text;  ///< for messages, e.g. "Nx300x4"

  std::size_t rank() const { return extents.size(); }
  /// Number of elements behind the first `skipped` axes, or kOpen.
  std::int64_t elements(std::size_t skipped = 0) const;
  bool is_empty() const;
};
using OutputShapes = std::map<std::string, OutputShape>;

OutputShape shape_of(const Tensor& tensor);
/// Extents that are expressions are open.
OutputShape shape_of(const TensorInfo& info);

OutputShapes output_shapes(const std::map<std::string, Tensor>& outputs);

/// An output as a matrix; element (r, c) at r * row_stride + c * column_stride. Strides mean something only where no extent
/// is open.
struct MatrixShape {
  std::int64_t rows = kOpen, columns = kOpen, row_stride = 0, column_stride = 1;
};

/// 1 x R x C, R x C, R (one column) or 1 x C x H x W (R = H*W); transposed: 1 x C x R or C x R. `rows` is how many there should
/// be, where another output says so: it tells 1 x R (one column) from 1 x C (one row). Nothing for other shapes.
std::optional<MatrixShape> matrix_shape(const OutputShape& shape, bool transposed, std::optional<std::int64_t> rows);

}  // namespace fovea::task
