// SPDX-License-Identifier: Apache-2.0
// Softmax: y = exp(x - max) / sum(exp(x - max)); LogSoftmax: y = x - max - log(sum(exp(x - max)));
// Hardmax: 1 at the first maximum. Along one axis, in f64.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/element_types.h"
#include "ops/wide.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

using Line = std::vector<double>;

template <class T, class Row>
void run_lines(const AxisSplit& split, const T* x, T* y, const Row& row) {
  const std::int64_t lines = split.outer * split.inner;
#pragma omp parallel if (lines * split.extent > 65536)
  {
    Line line(static_cast<std::size_t>(split.extent));
#pragma omp for schedule(static)
    for (std::int64_t l = 0; l < lines; ++l) {
      const std::int64_t start = l / split.inner * split.extent * split.inner + l % split.inner;
      for (std::size_t k = 0; k < line.size(); ++k) line[k] = static_cast<double>(x[start + static_cast<std::int64_t>(k) * split.inner]);
      row(line);
      for (std::size_t k = 0; k < line.size(); ++k) y[start + static_cast<std::int64_t>(k) * split.inner] = static_cast<T>(line[k]);
    }
  }
}

/// row(line) on each line along the axis, in place.
template <class Row>
Status along_axis(KernelContext& context, const Row& row) {
  FOVEA_ASSIGN(const Tensor x, widened(context.input(0)));
  FOVEA_ASSIGN(const AxisSplit split, split_at(context.op(), x.shape(), context.attributes().get_int("axis", -1)));
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, context.input(0).type(), x.shape()));
  if (x.elements() == 0) return {};
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(x.type(), context.op(), [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    run_lines(split, x.data<T>(), y.data<T>(), row);
    return {};
  })));
  return y.finish();
}

}  // namespace

Status softmax_reference(KernelContext& context) {
  return along_axis(context, [](Line& line) {
    const double largest = *std::max_element(line.begin(), line.end());
    double sum = 0;
    for (double& x : line) sum += x = std::exp(x - largest);
    for (double& x : line) x /= sum;
  });
}

Status log_softmax_reference(KernelContext& context) {
  return along_axis(context, [](Line& line) {
    const double largest = *std::max_element(line.begin(), line.end());
    double sum = 0;
    for (const double x : line) sum += std::exp(x - largest);
    for (double& x : line) x = x - largest - std::log(sum);
  });
}

Status hardmax_reference(KernelContext& context) {
  return along_axis(context, [](Line& line) {
    const auto first = std::max_element(line.begin(), line.end());
    for (auto at = line.begin(); at != line.end(); ++at) *at = at == first ? 1 : 0;
  });
}

}  // namespace fovea::ops
