// SPDX-License-Identifier: Apache-2.0
// KernelContext: what a reference kernel sees of one node while it runs. Reference kernels find their own
// output shapes, so whatever imports runs, even where shapes depend on data.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/attributes.h"
#include "base/check.h"
#include "base/datum.h"
#include "base/dim.h"

namespace fovea::ops {

/// Runs a body of If, Loop, Scan or SequenceMap: inputs are the body's formal inputs followed by the
/// captured outer values. Implemented by the runtime.
class BodyRunner {
 public:
  virtual ~BodyRunner() = default;
  virtual int num_inputs(int body) const = 0;
  virtual int num_outputs(int body) const = 0;
  virtual Result<std::vector<Datum>> run(int body, std::vector<Datum> inputs) = 0;
  /// What is known without running it: needed for the outputs of a loop that runs not once. Element type undefined
  /// and no shape when unknown.
  virtual ValueType output_type(int /*body*/, int /*output*/) const { return {}; }
  virtual std::optional<SymbolicShape> output_shape(int /*body*/, int /*output*/) const { return std::nullopt; }
};

class KernelContext {
 public:
  KernelContext(std::string_view op, const Attributes& attributes, std::span<const Datum> inputs, std::span<Datum> outputs,
                BodyRunner* bodies = nullptr)
      : op_(op), attributes_(attributes), inputs_(inputs), outputs_(outputs), bodies_(bodies) {}

  std::string_view op() const { return op_; }
  const Attributes& attributes() const { return attributes_; }
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  /// False for a missing optional input.
  bool has_input(int i) const { return i < num_inputs() && inputs_[static_cast<std::size_t>(i)].present(); }
  const Datum& datum(int i) const { return inputs_[static_cast<std::size_t>(i)]; }
  /// The tensor at input i; FOVEA_CHECKs that there is one (schemas guarantee required inputs).
  const Tensor& input(int i) const {
    FOVEA_CHECK(has_input(i) && datum(i).kind == Datum::Kind::Tensor);
    return datum(i).tensor;
  }

  /// Memory for output i. When the planner has already bound memory of this type and shape it is that memory,
  /// otherwise it is allocated (zeroed only then: kernels must write every element).
  Result<Tensor> output(int i, DataType type, const Shape& shape) {
    Datum& slot = outputs_[static_cast<std::size_t>(i)];
    if (slot.kind == Datum::Kind::Tensor && slot.tensor.type() == type && slot.tensor.shape() == shape) return slot.tensor;
    FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(type, shape));
    slot = Datum(tensor);
    return tensor;
  }
  /// Binds output i to an existing tensor or sequence (views, sequences, optionals): no copy.
  void set_output(int i, Datum datum) { outputs_[static_cast<std::size_t>(i)] = std::move(datum); }

  BodyRunner* bodies() const { return bodies_; }

 private:
  std::string_view op_;
  const Attributes& attributes_;
  std::span<const Datum> inputs_;
  std::span<Datum> outputs_;
  BodyRunner* bodies_;
};

using ReferenceKernel = Status (*)(KernelContext&);

/// The reference kernel of an operator, or null. All rows of ops.def.
ReferenceKernel find_reference(std::string_view op);

}  // namespace fovea::ops
