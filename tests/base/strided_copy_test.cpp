// SPDX-License-Identifier: Apache-2.0
// StridedCopy against an index loop, over random ranks, permutations, reversals and broadcasts.
#include "base/strided_copy.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace fovea {
namespace {

struct View {
  std::vector<std::int64_t> extents, src, dst;
  std::int64_t origin = 0, src_size = 1, dst_size = 1;  // elements
};

// A dense destination whose axes are walked in random order over a source that may repeat or run backwards.
View random_view(std::mt19937& random, std::int64_t longest) {
  View view;
  const int rank = static_cast<int>(random() % 6);
  for (int i = 0; i < rank; ++i) view.extents.push_back(1 + static_cast<std::int64_t>(random()) % longest);
  std::vector<int> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  if (random() % 4) std::shuffle(order.begin(), order.end(), random);
  view.src.resize(order.size());
  view.dst.resize(order.size());
  for (int axis = rank - 1; axis >= 0; --axis) {
    view.dst[static_cast<std::size_t>(axis)] = view.dst_size;
    view.dst_size *= view.extents[static_cast<std::size_t>(axis)];
  }
  for (int axis : order) {
    const auto at = static_cast<std::size_t>(axis);
    const int kind = static_cast<int>(random() % 8);
    view.src[at] = kind == 0 ? 0 : kind == 1 ? -view.src_size : view.src_size;
    if (kind == 1) view.origin += (view.extents[at] - 1) * view.src_size;
    if (kind != 0) view.src_size *= view.extents[at];
  }
  return view;
}

template <class T>
void expect_same(const View& view, int parts) {
  std::vector<T> src(static_cast<std::size_t>(view.src_size)), dst(static_cast<std::size_t>(view.dst_size)), wanted = dst;
  for (std::size_t i = 0; i < src.size(); ++i) src[i] = static_cast<T>(i * 2654435761u + 1);
  for (std::int64_t flat = 0; flat < view.dst_size; ++flat) {
    std::int64_t from = view.origin, to = 0, rest = flat;
    for (int axis = static_cast<int>(view.extents.size()) - 1; axis >= 0; --axis) {
      const auto at = static_cast<std::size_t>(axis);
      from += rest % view.extents[at] * view.src[at];
      to += rest % view.extents[at] * view.dst[at];
      rest /= view.extents[at];
    }
    wanted[static_cast<std::size_t>(to)] = src[static_cast<std::size_t>(from)];
  }
  const StridedCopy copy(sizeof(T), view.extents, view.src, view.dst);
  for (int part = 0; part < parts; ++part) copy.run_part(src.data() + view.origin, dst.data(), part, parts);
  EXPECT_EQ(dst, wanted);
}

TEST(StridedCopy, EqualsAnIndexLoop) {
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    const View view = random_view(random, round % 10 == 0 ? 21 : 6);
    const int parts = 1 + round % 3;
    expect_same<std::uint8_t>(view, parts);
    expect_same<std::uint16_t>(view, parts);
    expect_same<std::uint32_t>(view, parts);
    expect_same<std::uint64_t>(view, parts);
    expect_same<unsigned __int128>(view, parts);
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST(StridedCopy, CopiesNothingOfAnEmptyView) {
  const std::int64_t extents[] = {3, 0, 5}, strides[] = {0, 5, 1};
  StridedCopy(4, extents, strides, strides).run(nullptr, nullptr);
}

TEST(StridedCopy, MovesStrings) {
  const std::vector<std::string> src = {"a", "b", "c", "d", "e", "f"};
  std::vector<std::string> dst(6);
  const std::int64_t extents[] = {3, 2}, from[] = {1, 3}, to[] = {2, 1};
  strided_copy(DataType::string, extents, src.data(), from, dst.data(), to);
  EXPECT_EQ(dst, (std::vector<std::string>{"a", "d", "b", "e", "c", "f"}));
}

}  // namespace
}  // namespace fovea
