// SPDX-License-Identifier: Apache-2.0
// GatherND and ScatterND: whole slices moved by index tuples. A tuple names a slot, the number of a slice of the data.
// ScatterND lets each thread own a range of slots: it applies the updates to them in their order, so the last of
// duplicates wins and sums are rounded alike for any number of threads.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/gather_scatter/indices.h"
#include "ops/gather_scatter/scatter_reduction.h"

namespace fovea {

namespace {

using namespace cpu;

/// Tuples of `depth` indices into the data's axes behind `batch` shared ones.
struct Tuples {
  int batch = 0, depth = 1;
  std::int64_t count = 0, per_batch = 1;  ///< tuples in all; per element of the batch axes
  std::int64_t slice = 1;                 ///< elements
  std::int64_t slots = 1, slots_per_batch = 1;
  Shape extents;                          ///< of the axes that are indexed

  std::int64_t slot(ops::Indices& indices, std::int64_t tuple) const {
    std::int64_t at = 0;
    for (int k = 0; k < depth; ++k) at = at * extents[k] + indices.read(tuple * depth + k, extents[k]);
    return tuple / per_batch * slots_per_batch + at;
  }

  Status error(const ops::Indices& indices) const {
    const std::int64_t at = indices.bad();
    if (at < 0) return {};
    return invalid_argument("index ", indices.given(at), " is out of range for extent ", extents[static_cast<int>(at % depth)]);
  }
};

Result<Tuples> tuples_of(const TensorDesc& data, const TensorDesc& indices, std::int64_t batch) {
  const Shape &d = data.shape, &i = indices.shape;
  FOVEA_RETURN_IF_ERROR(ops::check_index_type(indices));
  if (data.type == DataType::string) return unsupported("no strings");
  if (!data.is_plain_dense()) return unsupported("dense plain tensors");
  if (d.elements() == 0 || i.elements() == 0) return unsupported("tensors with elements");
  if (i.rank() < 1 || batch < 0 || batch >= i.rank() || batch >= d.rank()) return unsupported("batch axes that data and indices have");
  const std::int64_t depth = i[i.rank() - 1];
  if (depth > d.rank() - batch) return unsupported("tuples no deeper than the data");
  Tuples t;
  t.batch = static_cast<int>(batch);
  t.depth = static_cast<int>(depth);
  t.count = i.elements() / depth;
  for (int axis = 0; axis < t.batch; ++axis) {
    if (i[axis] != d[axis]) return unsupported("batch axes of one extent");
    t.slots *= d[axis];
  }
  t.per_batch = t.count / t.slots;
  for (int axis = t.batch; axis < d.rank(); ++axis) {
    if (axis < t.batch + t.depth) t.extents.push_back(d[axis]), t.slots_per_batch *= d[axis];
    else t.slice *= d[axis];
  }
  t.slots *= t.slots_per_batch;
  return t;
}

/// The shape of one slice per tuple.
Shape moved_shape(const Shape& data, const Shape& indices, const Tuples& t) {
  Shape shape;
  for (int axis = 0; axis < indices.rank() - 1; ++axis) shape.push_back(indices[axis]);
  for (int axis = t.batch + t.depth; axis < data.rank(); ++axis) shape.push_back(data[axis]);
  return shape;
}

bool fits(const TensorDesc& moved, const TensorDesc& data, const Shape& indices, const Tuples& t) {
  const bool rank_fits = indices.rank() - 1 + data.shape.rank() - t.batch - t.depth <= kMaxRank;
  return rank_fits && moved.type == data.type && moved.is_plain_dense() && moved.shape == moved_shape(data.shape, indices, t);
}

// Elements and short rows: a call for each would cost more than the copy.
void copy_slice(char* to, const char* from, std::size_t bytes) {
  switch (bytes) {
    case 1: *to = *from; return;
    case 2: std::memcpy(to, from, 2); return;
    case 4: std::memcpy(to, from, 4); return;
    case 8: std::memcpy(to, from, 8); return;
    default: std::memcpy(to, from, bytes);
  }
}

class PreparedGatherSlices : public PreparedKernel {
 public:
  PreparedGatherSlices(const Tuples& tuples, const Problem& problem)
      : t_(tuples), indices_(problem.inputs[1].type), bytes_(static_cast<std::size_t>(t_.slice) * size_of(problem.inputs[0].type)), threads_(problem.threads) {}

  Status run(const Arguments& arguments) override {
    const auto* data = static_cast<const char*>(arguments.inputs[0]);
    auto* y = static_cast<char*>(arguments.outputs[0]);
    indices_.bind(arguments.inputs[1]);
    parallel_for(useful_threads(threads_, t_.count, static_cast<std::int64_t>(bytes_) + 8 * t_.depth), t_.count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        copy_slice(y + static_cast<std::size_t>(i) * bytes_, data + static_cast<std::size_t>(t_.slot(indices_, i)) * bytes_, bytes_);
      }
    });
    return t_.error(indices_);
  }

 private:
  Tuples t_;
  ops::Indices indices_;
  std::size_t bytes_;
  int threads_;
};

/// Applies update `i` to slot `slot`, in memory.
using Apply = void (*)(char* data, const char* updates, std::int64_t slice, std::size_t bytes);

template <class Combine, class T>
void combine_slice(char* data, const char* updates, std::int64_t slice, std::size_t) {
  auto* to = reinterpret_cast<T*>(data);
  const auto* from = reinterpret_cast<const T*>(updates);
  for (std::int64_t i = 0; i < slice; ++i) to[i] = Combine()(to[i], from[i]);
}

Result<Apply> find_apply(DataType type, const std::string& reduction) {
  if (reduction == "none") return Apply([](char* data, const char* updates, std::int64_t, std::size_t bytes) { copy_slice(data, updates, bytes); });
  Apply found = nullptr;
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(type, "reduction", [&]<class T>(TypeTag<T>) {
    return ops::with_reduction<T>(reduction, [&](auto combine) { found = combine_slice<decltype(combine), T>; });
  }));
  return found;
}

class PreparedScatterSlices : public PreparedKernel {
 public:
  PreparedScatterSlices(const Tuples& tuples, Apply apply, const Problem& problem)
      : t_(tuples), apply_(apply), indices_(problem.inputs[1].type), bytes_(static_cast<std::size_t>(t_.slice) * size_of(problem.inputs[0].type)),
        threads_(problem.threads) {}

  /// The slot of each tuple.
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(t_.count) * sizeof(std::int64_t); }

  Status run(const Arguments& arguments) override {
    auto* slots = static_cast<std::int64_t*>(arguments.scratch);
    indices_.bind(arguments.inputs[1]);
    parallel_for(useful_threads(threads_, t_.count, 8 * t_.depth), t_.count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) slots[i] = t_.slot(indices_, i);
    });
    FOVEA_RETURN_IF_ERROR(t_.error(indices_));
    const auto *data = static_cast<const char*>(arguments.inputs[0]), *updates = static_cast<const char*>(arguments.inputs[2]);
    auto* y = static_cast<char*>(arguments.outputs[0]);
    const bool in_place = data == y;
    const std::int64_t work = in_place ? static_cast<std::int64_t>(bytes_) * t_.count / t_.slots : static_cast<std::int64_t>(bytes_);
    parallel_for(useful_threads(threads_, t_.slots, work), t_.slots, [&](std::int64_t begin, std::int64_t end) {
      const std::size_t first = static_cast<std::size_t>(begin) * bytes_;
      if (!in_place) std::memcpy(y + first, data + first, static_cast<std::size_t>(end - begin) * bytes_);
      for (std::int64_t i = 0; i < t_.count; ++i) {
        if (slots[i] < begin || slots[i] >= end) continue;
        apply_(y + static_cast<std::size_t>(slots[i]) * bytes_, updates + static_cast<std::size_t>(i) * bytes_, t_.slice, bytes_);
      }
    });
    return {};
  }

 private:
  Tuples t_;
  Apply apply_;
  ops::Indices indices_;
  std::size_t bytes_;
  int threads_;
};

class GatherSlicesKernel : public Kernel {
 public:
  std::string_view name() const override { return "gather_slices"; }

  Status can_run(const Problem& problem) const override {
    FOVEA_ASSIGN(const Tuples t, tuples(problem));
    if (!fits(problem.outputs[0], problem.inputs[0], problem.inputs[1].shape, t)) return unsupported("an output of one slice per tuple");
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const Tuples t, tuples(problem));
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedGatherSlices>(t, problem));
  }

 private:
  static Result<Tuples> tuples(const Problem& problem) {
    return tuples_of(problem.inputs[0], problem.inputs[1], problem.attributes.get_int("batch_dims", 0));
  }
};

class ScatterSlicesKernel : public Kernel {
 public:
  std::string_view name() const override { return "scatter_slices"; }
  bool may_run_in_place(int input, int output) const override { return input == 0 && output == 0; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &data = problem.inputs[0], &y = problem.outputs[0];
    FOVEA_ASSIGN(const Tuples t, tuples_of(data, problem.inputs[1], 0));
    if (!fits(problem.inputs[2], data, problem.inputs[1].shape, t)) return unsupported("updates of one slice per tuple");
    if (y.type != data.type || !(y.shape == data.shape) || !y.is_plain_dense()) return unsupported("an output like the data");
    return find_apply(data.type, problem.attributes.get_string("reduction", "none")).status();
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const Tuples t, tuples_of(problem.inputs[0], problem.inputs[1], 0));
    FOVEA_ASSIGN(const Apply apply, find_apply(problem.inputs[0].type, problem.attributes.get_string("reduction", "none")));
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedScatterSlices>(t, apply, problem));
  }
};

}  // namespace

const Kernel& gather_slices() {
  static const GatherSlicesKernel kernel;
  return kernel;
}
const Kernel& scatter_slices() {
  static const ScatterSlicesKernel kernel;
  return kernel;
}

}  // namespace fovea
