// SPDX-License-Identifier: Apache-2.0
// fovea::batched_nms on threads, in f32. Scores lie box after box; a thread takes as many classes as a cache line
// holds, turns their columns into rows and keeps the best of each. Then each image sorts what its classes kept.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "backends/cpu/kit/jobs.h"
#include "device/kernel.h"
#include "ops/detection/batched_nms.h"

namespace fovea {

namespace {

using namespace cpu;
using ops::BatchedNmsParams;
using ops::BatchedNmsShapes;
using ops::Detection;
using ops::NmsScratch;
using ops::NmsTask;

constexpr std::int64_t kLineClasses = 16;
constexpr std::int64_t kWorkPerScore = 16;

std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }
template <class T>
std::size_t bytes_of(std::int64_t count) {
  return aligned(static_cast<std::size_t>(count) * sizeof(T));
}

class PreparedBatchedNms : public PreparedKernel {
 public:
  BatchedNmsParams params;
  BatchedNmsShapes shapes;
  std::vector<bool> wanted;  ///< outputs
  int threads = 1;

  std::int64_t jobs() const { return shapes.images * ((lists() + kLineClasses - 1) / kLineClasses); }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(threads) * worker_bytes() + bytes_of<Detection>(shapes.images * lists() * room()) +
           bytes_of<std::int32_t>(shapes.images * lists());
  }

  Status run(const Arguments& arguments) override {
    const auto* boxes = static_cast<const float*>(arguments.inputs[0]);
    const auto* scores = static_cast<const float*>(arguments.inputs[1]);
    auto* const memory = static_cast<char*>(arguments.scratch);
    auto* const found = reinterpret_cast<Detection*>(memory + static_cast<std::size_t>(threads) * worker_bytes());
    auto* const counts = reinterpret_cast<std::int32_t*>(reinterpret_cast<char*>(found) +
                                                         bytes_of<Detection>(shapes.images * lists() * room()));
    const std::int64_t image_boxes = shapes.boxes * shapes.box_classes * params.box_values(),
                       image_scores = shapes.boxes * shapes.classes;
    const std::int64_t blocks = (lists() + kLineClasses - 1) / kLineClasses;
    parallel_jobs(threads, shapes.images * blocks, [&](std::int64_t job, int worker) {
      const std::int64_t n = job / blocks, first = job % blocks * kLineClasses,
                         end = std::min(first + kLineClasses, lists());
      keep_classes(boxes + n * image_boxes, scores + n * image_scores, first, end,
                   memory + static_cast<std::size_t>(worker) * worker_bytes(), found + n * lists() * room(),
                   counts + n * lists());
    });
    parallel_jobs(useful_threads(threads, shapes.images, lists() * room() * kWorkPerScore), shapes.images,
                  [&](std::int64_t n, int) {
                    Detection* const own = found + n * lists() * room();
                    Detection* last = own;
                    for (std::int64_t list = 0; list < lists(); ++list)
                      last = std::copy_n(own + list * room(), counts[n * lists() + list], last);
                    const std::int64_t count = last - own, keep = std::min(count, params.keep);
                    if (keep < count) std::nth_element(own, own + keep, last);
                    std::sort(own, own + keep);
                    write_detections(params, shapes, boxes + n * image_boxes, own, keep, rows(arguments, n));
                  });
    if (std::int32_t* const triples = rows(arguments, 0).triples) ops::close_triples(triples, shapes.images * params.keep);
    return {};
  }

 private:
  /// Lists of kept boxes of one image.
  std::int64_t lists() const { return params.class_agnostic ? 1 : shapes.classes; }
  std::int64_t list_scores() const { return params.class_agnostic ? shapes.boxes * shapes.classes : shapes.boxes; }
  std::int64_t room() const { return std::min(params.keep, list_scores()); }
  std::int64_t line() const { return std::min(kLineClasses, lists()); }

  std::size_t worker_bytes() const {
    return aligned(NmsScratch::bytes(list_scores(), room())) + bytes_of<std::int32_t>(room()) +
           bytes_of<float>(in_place() ? 0 : list_scores() * line());
  }

  void keep_classes(const float* boxes, const float* scores, std::int64_t first, std::int64_t end, char* memory,
                    Detection* found, std::int32_t* counts) const {
    const NmsScratch scratch(memory, list_scores(), room());
    auto* const kept = reinterpret_cast<std::int32_t*>(memory + aligned(NmsScratch::bytes(list_scores(), room())));
    auto* const turned = reinterpret_cast<float*>(reinterpret_cast<char*>(kept) + bytes_of<std::int32_t>(room()));
    if (!in_place()) turn(scores, first, end, turned);
    for (std::int64_t c = first; c < end; ++c) {
      Detection* const list = found + c * room();
      const float* const own = in_place() ? scores : turned + (c - first) * list_scores();
      const bool skipped = !params.class_agnostic && c == params.background;
      const std::int64_t count = skipped ? 0 : keep_best(class_task(params, shapes, boxes, own, c), scratch, kept);
      counts[c] = static_cast<std::int32_t>(count);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t at = kept[i];
        list[i] = params.class_agnostic
                      ? Detection{own[at], static_cast<std::int32_t>(at % shapes.classes),
                                  static_cast<std::int32_t>(at / shapes.classes)}
                      : Detection{own[at], static_cast<std::int32_t>(c), static_cast<std::int32_t>(at)};
      }
    }
  }

  /// Scores can be read where they are.
  bool in_place() const {
    return params.class_agnostic && (params.background < 0 || params.background >= shapes.classes);
  }

  /// Columns first .. end - 1 as rows; where classes compete, all scores as they are, without the background.
  void turn(const float* scores, std::int64_t first, std::int64_t end, float* to) const {
    if (params.class_agnostic) {
      std::copy_n(scores, list_scores(), to);
      for (std::int64_t i = params.background; i < list_scores(); i += shapes.classes) to[i] = std::nanf("");
      return;
    }
    constexpr std::int64_t kTile = 64;  // boxes: whole lines are read, and written a line at a time
    for (std::int64_t begin = 0; begin < shapes.boxes; begin += kTile) {
      const std::int64_t stop = std::min(begin + kTile, shapes.boxes);
      for (std::int64_t c = first; c < end; ++c) {
        for (std::int64_t i = begin; i < stop; ++i) to[(c - first) * shapes.boxes + i] = scores[i * shapes.classes + c];
      }
    }
  }

  ops::DetectionRows rows(const Arguments& arguments, std::int64_t n) const {
    const auto at = [&](std::size_t output, std::int64_t offset) -> void* {
      return output < wanted.size() && wanted[output] ? static_cast<char*>(arguments.outputs[output]) + offset * 4
                                                      : nullptr;
    };
    const std::int64_t row = n * params.keep;
    return {static_cast<std::int32_t*>(at(0, n)), static_cast<float*>(at(1, row * params.box_values())),
            static_cast<float*>(at(2, row)), static_cast<std::int32_t*>(at(3, row)),
            static_cast<std::int32_t*>(at(4, row)), static_cast<std::int32_t*>(at(5, row * 3)), n};
  }
};

class BatchedNmsKernel : public Kernel {
 public:
  std::string_view name() const override { return "nms_detections"; }

  Status can_run(const Problem& problem) const override {
    if (problem.has_input(2)) return unsupported("boxes that need no anchors");
    FOVEA_ASSIGN(const BatchedNmsParams params, BatchedNmsParams::parse(problem.attributes));
    for (const TensorDesc* desc : {&problem.inputs[0], &problem.inputs[1]}) {
      if (desc->type != DataType::f32 || !desc->is_plain_dense()) return unsupported("dense tensors in f32");
      if (desc->shape.elements() == 0 || desc->shape.elements() > INT32_MAX)
        return unsupported("1 to ", INT32_MAX, " boxes and scores");
    }
    FOVEA_ASSIGN(const BatchedNmsShapes shapes,
                 BatchedNmsShapes::find(params, problem.inputs[0].shape, problem.inputs[1].shape));
    const Shape row{shapes.images, params.keep};
    const Shape expected[] = {{shapes.images, 1}, {shapes.images, params.keep, params.box_values()}, row, row, row, {shapes.images * params.keep, 3}};
    for (std::size_t o = 0; o < problem.outputs.size(); ++o) {
      const TensorDesc& desc = problem.outputs[o];
      if (desc.type == DataType::undefined) continue;
      const DataType type = o == 1 || o == 2 ? DataType::f32 : DataType::i32;
      if (desc.type != type || !(desc.shape == expected[o]) || !desc.is_plain_dense())
        return unsupported("outputs of the operator's own shapes");
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    auto kernel = std::make_unique<PreparedBatchedNms>();
    FOVEA_ASSIGN(kernel->params, BatchedNmsParams::parse(problem.attributes));
    FOVEA_ASSIGN(kernel->shapes,
                 BatchedNmsShapes::find(kernel->params, problem.inputs[0].shape, problem.inputs[1].shape));
    for (const TensorDesc& output : problem.outputs) kernel->wanted.push_back(output.type != DataType::undefined);
    const std::int64_t jobs = kernel->jobs();
    kernel->threads =
        std::min(useful_threads(problem.threads, jobs, problem.inputs[1].shape.elements() / jobs * kWorkPerScore),
                 static_cast<int>(std::min<std::int64_t>(jobs, INT32_MAX)));
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }
};

}  // namespace

const Kernel& nms_detections() {
  static const BatchedNmsKernel kernel;
  return kernel;
}

}  // namespace fovea
