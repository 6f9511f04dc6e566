// SPDX-License-Identifier: Apache-2.0
// GatherElements and ScatterElements: lines along the innermost axis of the indices. Updates that meet differ only along
// `axis`, so scattering gives each thread whole stretches of the other axes and keeps the order along this one: the
// last of duplicates wins and sums are rounded alike for any number of threads.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kit/threads.h"
#include "base/strided_copy.h"
#include "device/kernel.h"
#include "ops/axis.h"
#include "ops/gather_scatter/indices.h"
#include "ops/gather_scatter/scatter_reduction.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr std::int64_t kColumns = 64;

/// Element [.., j] of a line stands at base(line) + index * stride + j * step of the data.
struct Lines {
  Shape extents, strides;  ///< of the indices; of the data
  int axis = 0;
  std::int64_t count = 1, length = 1;
  std::int64_t extent = 1;  ///< of the data along `axis`
  std::int64_t stride = 1, step = 0;

  bool along_lines() const { return axis == extents.rank() - 1; }

  std::int64_t base(std::int64_t line) const {
    std::int64_t offset = 0;
    for (int k = extents.rank() - 2; k >= 0; --k) {
      if (k != axis) offset += line % extents[k] * strides[k];
      line /= extents[k];
    }
    return offset;
  }

  Status error(const ops::Indices& indices) const {
    const std::int64_t at = indices.bad();
    return at < 0 ? Status() : invalid_argument("index ", indices.given(at), " is out of range for extent ", extent);
  }
};

Result<Lines> lines_of(const Problem& problem) {
  const TensorDesc &data = problem.inputs[0], &indices = problem.inputs[1];
  FOVEA_RETURN_IF_ERROR(ops::check_index_type(indices));
  if (data.type == DataType::string || size_of(data.type) > 8) return unsupported("elements of at most 8 bytes, no strings");
  if (!data.is_plain_dense()) return unsupported("dense plain tensors");
  if (data.shape.elements() == 0 || indices.shape.elements() == 0) return unsupported("tensors with elements");
  const int rank = data.shape.rank();
  if (rank < 1 || indices.shape.rank() != rank) return unsupported("data and indices of one rank");
  Lines lines;
  FOVEA_ASSIGN(lines.axis, ops::normalize_axis(problem.attributes.get_int("axis", 0), rank));
  for (int k = 0; k < rank; ++k) {
    if (k != lines.axis && indices.shape[k] > data.shape[k]) return unsupported("indices no larger than the data");
  }
  lines.extents = indices.shape;
  lines.strides = dense_strides(data.shape);
  lines.length = indices.shape[rank - 1];
  lines.count = indices.shape.elements() / lines.length;
  lines.extent = data.shape[lines.axis];
  lines.stride = lines.strides[lines.axis];
  lines.step = lines.along_lines() ? 0 : 1;
  return lines;
}

bool alike(const TensorDesc& a, DataType type, const Shape& shape) { return a.type == type && a.shape == shape && a.is_plain_dense(); }

/// Calls f with an unsigned integer of the element's size.
template <class F>
auto with_bits(DataType type, F&& f) {
  switch (size_of(type)) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    default: return f(std::uint64_t{});
  }
}

template <class T>
class PreparedGatherElements : public PreparedKernel {
 public:
  PreparedGatherElements(const Lines& lines, const Problem& problem) : lines_(lines), indices_(problem.inputs[1].type), threads_(problem.threads) {}

  Status run(const Arguments& arguments) override {
    const auto* data = static_cast<const T*>(arguments.inputs[0]);
    auto* y = static_cast<T*>(arguments.outputs[0]);
    indices_.bind(arguments.inputs[1]);
    parallel_for(useful_threads(threads_, lines_.count, lines_.length * 8), lines_.count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t line = begin; line < end; ++line) {
        const T* from = data + lines_.base(line);
        const std::int64_t first = line * lines_.length;
        indices_.with_values([&, extent = lines_.extent, stride = lines_.stride, step = lines_.step, length = lines_.length](const auto* index) {
          for (std::int64_t j = 0; j < length; ++j) y[first + j] = from[indices_.checked(index[first + j], first + j, extent) * stride + j * step];
        });
      }
    });
    return lines_.error(indices_);
  }

 private:
  Lines lines_;
  ops::Indices indices_;
  int threads_;
};

template <class T, class Combine>
class PreparedScatter : public PreparedKernel {
 public:
  PreparedScatter(const Lines& lines, const Problem& problem)
      : lines_(lines), indices_(problem.inputs[1].type), elements_(problem.inputs[0].shape.elements()), threads_(problem.threads) {}

  Status run(const Arguments& arguments) override {
    const auto *data = static_cast<const T*>(arguments.inputs[0]), *updates = static_cast<const T*>(arguments.inputs[2]);
    auto* y = static_cast<T*>(arguments.outputs[0]);
    if (data != y) {
      parallel_for(useful_threads(threads_, elements_, sizeof(T)), elements_, [&](std::int64_t begin, std::int64_t end) {
        std::memcpy(y + begin, data + begin, static_cast<std::size_t>(end - begin) * sizeof(T));
      });
    }
    indices_.bind(arguments.inputs[1]);
    // Lines that only differ along the axis, `apart` from one to the next, are one stretch.
    const std::int64_t together = lines_.along_lines() ? 1 : lines_.extents[lines_.axis];
    std::int64_t apart = 1;
    for (int k = lines_.axis + 1; k < lines_.extents.rank() - 1; ++k) apart *= lines_.extents[k];
    const std::int64_t width = lines_.along_lines() ? lines_.length : std::min(kColumns, lines_.length);
    const std::int64_t blocks = (lines_.length + width - 1) / width, jobs = lines_.count / together * blocks;
    parallel_for(useful_threads(threads_, jobs, together * width * 8), jobs, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t stretch = job / blocks, first = job % blocks * width, last = std::min(lines_.length, first + width);
        for (std::int64_t k = 0; k < together; ++k) {
          const std::int64_t line = stretch / apart * apart * together + k * apart + stretch % apart;
          T* to = y + lines_.base(line);
          for (std::int64_t j = first; j < last; ++j) {
            const std::int64_t at = line * lines_.length + j;
            T& element = to[indices_.read(at, lines_.extent) * lines_.stride + j * lines_.step];
            element = Combine()(element, updates[at]);
          }
        }
      }
    });
    return lines_.error(indices_);
  }

 private:
  Lines lines_;
  ops::Indices indices_;
  std::int64_t elements_;
  int threads_;
};

class GatherLinesKernel : public Kernel {
 public:
  std::string_view name() const override { return "gather_lines"; }

  Status can_run(const Problem& problem) const override {
    FOVEA_RETURN_IF_ERROR(lines_of(problem).status());
    return alike(problem.outputs[0], problem.inputs[0].type, problem.inputs[1].shape) ? Status() : unsupported("an output of one element per index");
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const Lines lines, lines_of(problem));
    return with_bits(problem.inputs[0].type, [&]<class T>(T) -> std::unique_ptr<PreparedKernel> { return std::make_unique<PreparedGatherElements<T>>(lines, problem); });
  }
};

class ScatterLinesKernel : public Kernel {
 public:
  std::string_view name() const override { return "scatter_lines"; }
  bool may_run_in_place(int input, int output) const override { return input == 0 && output == 0; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc& data = problem.inputs[0];
    if (!alike(problem.inputs[2], data.type, problem.inputs[1].shape)) return unsupported("updates of one element per index");
    if (!alike(problem.outputs[0], data.type, data.shape)) return unsupported("an output like the data");
    return prepare(problem).status();
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const Lines lines, lines_of(problem));
    const std::string reduction = problem.attributes.get_string("reduction", "none");
    std::unique_ptr<PreparedKernel> kernel;
    if (reduction == "none") {
      with_bits(problem.inputs[0].type, [&]<class T>(T) { kernel = prepare_with<T>([](T, T update) { return update; }, lines, problem); });
      return kernel;
    }
    FOVEA_RETURN_IF_ERROR(dispatch_numeric(problem.inputs[0].type, problem.op, [&]<class T>(TypeTag<T>) {
      return ops::with_reduction<T>(reduction, [&](auto combine) { kernel = prepare_with<T>(combine, lines, problem); });
    }));
    return kernel;
  }

 private:
  template <class T, class Combine>
  static std::unique_ptr<PreparedKernel> prepare_with(Combine, const Lines& lines, const Problem& problem) {
    return std::make_unique<PreparedScatter<T, Combine>>(lines, problem);
  }
};

}  // namespace

const Kernel& gather_lines() {
  static const GatherLinesKernel kernel;
  return kernel;
}
const Kernel& scatter_lines() {
  static const ScatterLinesKernel kernel;
  return kernel;
}

}  // namespace fovea
