// SPDX-License-Identifier: Apache-2.0
// Unique: distinct elements (or slices along an axis, compared element by element), sorted or in order of first
// appearance; where each first appears, which one each element is, and how often each occurs. NaNs are equal to
// each other and larger than every number.
#include <algorithm>
#include <numeric>

#include "base/element_types.h"
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

// Negative, 0 or positive.
template <class T>
int compare(const T& a, const T& b) {
  if constexpr (requires { a.value; }) {
    return int(a.value > b.value) - int(a.value < b.value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return a.compare(b);
  } else if constexpr (std::is_integral_v<T>) {
    return int(a > b) - int(a < b);
  } else {
    const auto x = static_cast<double>(static_cast<float>(a)), y = static_cast<double>(static_cast<float>(b));
    if (x != x || y != y) return int(x != x) - int(y != y);
    return int(x > y) - int(x < y);
  }
}
template <>
int compare(const double& x, const double& y) {
  if (x != x || y != y) return int(x != x) - int(y != y);
  return int(x > y) - int(x < y);
}

struct Groups {
  std::vector<std::int64_t> first, inverse, count;
};

// `slices`: n slices of `length` elements, one after the other.
template <class T>
Groups group(const T* slices, std::int64_t n, std::int64_t length, bool sorted) {
  const auto order_of = [&](std::int64_t i, std::int64_t j) {
    const T *a = slices + i * length, *b = slices + j * length;
    for (std::int64_t k = 0; k < length; ++k) {
      if (const int order = compare(a[k], b[k]); order != 0) return order;
    }
    return 0;
  };
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) { return order_of(i, j) < 0; });
  Groups groups;
  groups.inverse.resize(order.size());
  for (std::size_t at = 0; at < order.size(); ++at) {
    if (at == 0 || order_of(order[at - 1], order[at]) != 0) {
      groups.first.push_back(order[at]);  // stable sort: the first of its group
      groups.count.push_back(0);
    }
    ++groups.count.back();
    groups.inverse[static_cast<std::size_t>(order[at])] = static_cast<std::int64_t>(groups.first.size()) - 1;
  }
  if (sorted) return groups;
  std::vector<std::int64_t> rank(groups.first.size()), place(groups.first.size());
  std::iota(rank.begin(), rank.end(), 0);
  std::sort(rank.begin(), rank.end(), [&](std::int64_t i, std::int64_t j) {
    return groups.first[static_cast<std::size_t>(i)] < groups.first[static_cast<std::size_t>(j)];
  });
  Groups by_appearance;
  for (std::size_t i = 0; i < rank.size(); ++i) {
    const auto from = static_cast<std::size_t>(rank[i]);
    place[from] = static_cast<std::int64_t>(i);
    by_appearance.first.push_back(groups.first[from]);
    by_appearance.count.push_back(groups.count[from]);
  }
  for (std::int64_t old : groups.inverse) by_appearance.inverse.push_back(place[static_cast<std::size_t>(old)]);
  return by_appearance;
}

Status write_list(KernelContext& context, int i, const std::vector<std::int64_t>& values) {
  if (i >= context.num_outputs()) return {};
  FOVEA_ASSIGN(Tensor output, context.output(i, DataType::i64, {static_cast<std::int64_t>(values.size())}));
  std::copy(values.begin(), values.end(), output.data<std::int64_t>());
  return {};
}

}  // namespace

Status unique_reference(KernelContext& context) {
  const bool flat = !context.attributes().has("axis");
  const bool sorted = context.attributes().get_int("sorted", 1) != 0;
  const Tensor data = flat ? context.input(0).reshaped({context.input(0).elements()}) : context.input(0);
  FOVEA_ASSIGN(const int axis, normalize_axis(flat ? 0 : context.attributes().get_int("axis"), data.rank()));
  // Slices lie contiguously once the axis is moved to the front.
  const std::int64_t n = data.dim(axis);
  const std::int64_t length = n > 0 ? data.elements() / n : 0;
  Shape moved{n}, strides{dense_strides(data.shape())[axis]};
  for (int i = 0; i < data.rank(); ++i) {
    if (i == axis) continue;
    moved.push_back(data.dim(i));
    strides.push_back(dense_strides(data.shape())[i]);
  }
  FOVEA_ASSIGN(Tensor slices, Tensor::allocate(data.type(), moved));
  if (data.elements() > 0) {
    strided_copy(data.type(), moved.dims(), data.raw(), strides.dims(), slices.raw(), dense_strides(moved).dims());
  }
  Groups groups;
  FOVEA_RETURN_IF_ERROR(dispatch_all_but_complex(data.type(), "Unique", [&]<class T>(TypeTag<T>) -> Status {
    groups = group(slices.data<T>(), n, length, sorted);
    return {};
  }));
  Shape shape = data.shape();
  shape[axis] = static_cast<std::int64_t>(groups.first.size());
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  std::int64_t inner = 1;
  for (int i = axis + 1; i < data.rank(); ++i) inner *= data.dim(i);
  if (output.elements() > 0) {
    with_storage(data.type(), [&](auto* tag) {
      using T = std::remove_pointer_t<decltype(tag)>;
      T* to = output.data<T>();
      for (std::int64_t o = 0; o < length / inner; ++o) {
        for (std::int64_t i : groups.first) to = std::copy_n(data.data<T>() + (o * n + i) * inner, inner, to);
      }
    });
  }
  FOVEA_RETURN_IF_ERROR(write_list(context, 1, groups.first));
  FOVEA_RETURN_IF_ERROR(write_list(context, 2, groups.inverse));
  return write_list(context, 3, groups.count);
}

}  // namespace fovea::ops
