// SPDX-License-Identifier: Apache-2.0
// TensorDesc: type, logical shape and memory layout of a tensor as kernels see it. Axes are always in
// logical order (n c h w); layout and strides say where the elements lie.
#pragma once

#include <cstddef>
#include <string_view>

#include "fovea/tensor.h"

namespace fovea {

enum class Layout : std::uint8_t {
  plain,    ///< row-major over the logical axes (nchw for pictures)
  nhwc,     ///< channels innermost; any rank >= 3 with axis 1 moved to the end
  nchw8c,   ///< channels in blocks of 8 innermost: n, c/8, h, w, 8c; padded with zeros
  nchw16c,  ///< the same with 16
};

std::string_view name(Layout layout);
/// 1 for plain and nhwc.
int block_of(Layout layout);

struct TensorDesc {
  DataType type = DataType::undefined;
  Shape shape;                    ///< logical extents
  Layout layout = Layout::plain;
  /// Elements between neighbours along each logical axis (for blocked layouts: along axis 1 between blocks).
  /// Dense unless the tensor is a view into a larger one (a slice, a part of a concatenation).
  Shape strides;

  /// Dense descriptor.
  static TensorDesc dense(DataType type, const Shape& shape, Layout layout = Layout::plain);
  bool is_dense() const;
  bool is_plain_dense() const { return layout == Layout::plain && is_dense(); }
  /// Bytes from the first element to the end of the last one, channel padding included.
  std::size_t bytes() const;
  bool operator==(const TensorDesc&) const = default;
};

}  // namespace fovea
