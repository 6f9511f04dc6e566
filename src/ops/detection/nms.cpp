// SPDX-License-Identifier: Apache-2.0
#include "ops/detection/nms.h"

#include <cmath>
#include <utility>

#include "ops/detection/nms_simd.h"

namespace fovea::ops {

namespace {

constexpr std::int64_t kWidestVector = 16;  // floats of AVX-512
constexpr std::int64_t kSmallSort = 96;     // below, comparing is faster than counting digits

std::int64_t whole_vectors(std::int64_t count) { return (count + kWidestVector - 1) / kWidestVector * kWidestVector; }

/// Sorts by the upper halves; equal ones keep their order. Returns where the result lies: `keys` or `spare`.
std::uint64_t* radix_sort(std::uint64_t* keys, std::uint64_t* spare, std::int64_t count) {
  constexpr int kDigits = 4;
  std::uint32_t begins[kDigits][256] = {};
  for (std::int64_t i = 0; i < count; ++i) {
    for (int d = 0; d < kDigits; ++d) ++begins[d][keys[i] >> (32 + 8 * d) & 255];
  }
  for (int d = 0; d < kDigits; ++d) {
    std::uint32_t* const begin = begins[d];
    const int shift = 32 + 8 * d;
    if (begin[keys[0] >> shift & 255] == count) continue;  // all alike
    std::uint32_t sum = 0;
    for (int digit = 0; digit < 256; ++digit) sum += std::exchange(begin[digit], sum);
    for (std::int64_t i = 0; i < count; ++i) spare[begin[keys[i] >> shift & 255]++] = keys[i];
    std::swap(keys, spare);
  }
  return keys;
}

/// Boxes with sides along the axes, as arrays of one coordinate each.
std::int64_t keep_upright(const NmsTask& task, const std::uint64_t* order, std::int64_t count,
                          const NmsScratch& scratch, std::int32_t* kept) {
  const auto column = [&](std::int64_t value) { return scratch.kept + value * scratch.capacity; };
  const cpu::KeptBoxes boxes{column(0), column(1), column(2), column(3), column(4)};
  const cpu::NmsFunctions& functions = cpu::nms_functions();
  const std::int64_t limit = std::min(task.limit, count);
  std::int64_t size = 0;
  for (std::int64_t at = 0; at < count && size < limit; ++at) {
    const auto i = static_cast<std::uint32_t>(order[at]);
    const Box box = Box::from(task.box(i), task.coding);
    const float area = box.area(task.offset);
    if (area > 0 && functions.hidden(boxes, size, box, area, task.offset, task.iou_threshold)) continue;
    // Lanes behind the last box count for nothing: a box without area overlaps nothing.
    if (size % kWidestVector == 0) std::fill_n(boxes.area + size, kWidestVector, 0.0f);
    boxes.x1[size] = box.x1, boxes.y1[size] = box.y1, boxes.x2[size] = box.x2, boxes.y2[size] = box.y2,
    boxes.area[size] = area;
    kept[size++] = static_cast<std::int32_t>(i);
  }
  return size;
}

std::int64_t keep_rotated(const NmsTask& task, const std::uint64_t* order, std::int64_t count,
                          const NmsScratch& scratch, std::int32_t* kept) {
  const std::int64_t limit = std::min(task.limit, count);
  auto* const boxes = reinterpret_cast<RotatedBox*>(scratch.kept);
  std::int64_t size = 0;
  for (std::int64_t at = 0; at < count && size < limit; ++at) {
    const auto i = static_cast<std::uint32_t>(order[at]);
    const RotatedBox box = RotatedBox::from(task.box(i));
    if (std::any_of(boxes, boxes + size,
                    [&](const RotatedBox& better) { return overlaps(better, box, task.iou_threshold); }))
      continue;
    boxes[size] = box;
    kept[size++] = static_cast<std::int32_t>(i);
  }
  return size;
}

}  // namespace

float just_below(float threshold) { return std::nextafter(threshold, -std::numeric_limits<float>::infinity()); }

std::vector<std::int64_t> keep_best_plain(const NmsTask& task) {
  std::vector<std::int64_t> order, kept;
  for (std::int64_t i = 0; i < task.count; ++i) {
    if (!std::isnan(task.scores[i]) && (!task.above || task.scores[i] > *task.above)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return task.scores[a] > task.scores[b]; });
  if (static_cast<std::int64_t>(order.size()) > task.candidates)
    order.resize(static_cast<std::size_t>(task.candidates));
  for (const std::int64_t i : order) {
    if (static_cast<std::int64_t>(kept.size()) >= task.limit) break;
    const auto hides = [&](std::int64_t better) {
      if (task.coding == BoxCoding::Rotated)
        return overlaps(RotatedBox::from(task.box(better)), RotatedBox::from(task.box(i)), task.iou_threshold);
      return overlaps(Box::from(task.box(better), task.coding), Box::from(task.box(i), task.coding), task.offset,
                      task.iou_threshold);
    };
    if (std::none_of(kept.begin(), kept.end(), hides)) kept.push_back(i);
  }
  return kept;
}

std::size_t NmsScratch::bytes(std::int64_t count, std::int64_t limit) {
  const auto n = static_cast<std::size_t>(whole_vectors(count)),
             kept = static_cast<std::size_t>(whole_vectors(std::min(count, limit)));
  static_assert(sizeof(RotatedBox) == 2 * kKeptValues * sizeof(float));
  return 2 * n * sizeof(std::uint64_t) + kept * sizeof(RotatedBox);
}

NmsScratch::NmsScratch(void* memory, std::int64_t count, std::int64_t limit)
    : keys(static_cast<std::uint64_t*>(memory)),
      spare(keys + whole_vectors(count)),
      kept(reinterpret_cast<float*>(spare + whole_vectors(count))),
      capacity(whole_vectors(std::min(count, limit))) {}

std::int64_t keep_best(const NmsTask& task, const NmsScratch& scratch, std::int32_t* kept) {
  std::int64_t count =
      cpu::nms_functions().candidates(task.scores, task.count, task.above ? &*task.above : nullptr, scratch.keys);
  if (count == 0) return 0;
  std::uint64_t* order = scratch.keys;
  if (count <= kSmallSort)
    std::sort(order, order + count);
  else
    order = radix_sort(order, scratch.spare, count);
  count = std::min(count, task.candidates);
  return task.coding == BoxCoding::Rotated ? keep_rotated(task, order, count, scratch, kept)
                                           : keep_upright(task, order, count, scratch, kept);
}

}  // namespace fovea::ops
