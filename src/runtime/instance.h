// SPDX-License-Identifier: Apache-2.0
// Instance: a plan made ready for concrete input shapes. Every value whose shape follows from the inputs
// gets a descriptor and a place (arena, input, output or constant); every step over such values is
// prepared once. Steps whose shapes depend on data stay dynamic and are handled when they run.
#pragma once

#include <memory>
#include <vector>

#include "base/datum.h"
#include "base/dim.h"
#include "device/kernel.h"
#include "engine/plan.h"
#include "ops/kernel_context.h"
#include "runtime/strips.h"

namespace fovea {

/// Where a value's first byte lies.
struct Place {
  enum class Kind : std::uint8_t { None, Arena, Input, Output, Constant };
  Kind kind = Kind::None;
  int index = 0;               ///< of the plan's input, output or constant
  std::size_t offset = 0;      ///< bytes
};

/// Copy between a value's own layout and the dense plain form that a reference kernel works on.
struct Conversion {
  TensorDesc from, to;
  Place source, target;
};

struct PreparedStep {
  enum class Kind : std::uint8_t { Tuned, Reference, Dynamic };
  Kind kind = Kind::Dynamic;
  const PlanStep* step = nullptr;

  // Tuned: addresses refreshed by Instance::bind.
  std::unique_ptr<PreparedKernel> kernel;
  const Kernel* maker = nullptr;   ///< whose prepare() made it
  std::vector<const void*> input_addresses;
  std::vector<void*> output_addresses;

  // Reference: tensors over the same addresses.
  ops::ReferenceKernel reference = nullptr;
  std::vector<Datum> inputs, outputs;
  std::vector<Conversion> before, after;
  bool in_memory_order = false;   ///< the axes of all tensors stand as they follow in memory, channels last: no conversions

  /// Only where the instance is observed: for each static output as much memory as it takes, for whoever looks at the step
  /// to write into.
  std::vector<Place> rooms;

  std::vector<int> releases;   ///< dynamic values that die after this step
};

struct InstanceOptions {
  int threads = 1;
  /// Somebody looks at the inputs and outputs of each step after it has run: they share no memory, and none passes in strips.
  bool observed = false;
};

class Instance {
 public:
  static Result<std::unique_ptr<Instance>> create(const Plan& plan, const std::vector<Shape>& input_shapes, const InstanceOptions& options);

  bool matches(std::span<const Datum> inputs) const;

  const Plan& plan() const { return plan_; }
  const Bindings& bindings() const { return bindings_; }
  bool is_static(int value) const { return descs_[static_cast<std::size_t>(value)].type != DataType::undefined; }
  const TensorDesc& desc(int value) const { return descs_[static_cast<std::size_t>(value)]; }
  const Place& place(int value) const { return places_[static_cast<std::size_t>(value)]; }
  std::vector<PreparedStep>& steps() { return steps_; }
  const std::vector<PreparedStep>& steps() const { return steps_; }
  /// The steps from number `first` on that run together, or null.
  const Strips* strips_from(int first) const;
  std::size_t arena_bytes() const { return arena_bytes_; }
  void* scratch() const { return arena_.get() + scratch_offset_; }
  /// Static outputs: tensor the output is produced in; others are taken from the dynamic values.
  const TensorDesc* output_desc(int index) const;
  /// False when output `index` must be copied from its value's place after the run.
  bool output_in_place(int index) const { return output_in_place_[static_cast<std::size_t>(index)]; }

  /// Points every step at these tensors. Inputs and outputs may be undefined where they are not static.
  void bind(std::span<const Datum> inputs, std::span<const Tensor> outputs);
  void* address(const Place& place) const;
  void* address(int value) const { return address(place(value)); }

 private:
  explicit Instance(const Plan& plan) : plan_(plan) {}
  Status bind_symbols(const std::vector<Shape>& input_shapes);
  Status describe_values();
  void find_strips();
  void share_in_place();
  void place_outside_arena();
  struct Lifetimes;
  Lifetimes find_lifetimes(const InstanceOptions& options) const;
  std::vector<int> own_rooms(const PreparedStep& prepared, const InstanceOptions& options) const;
  Status place_values(const InstanceOptions& options);
  Status prepare_steps(const InstanceOptions& options);
  Status prepare_reference(PreparedStep& prepared);
  bool converts(const PreparedStep& prepared, int v) const;
  bool works_in_memory_order(const PlanStep& step) const;
  void find_releases();
  Datum borrow(const TensorDesc& desc, const Place& place) const;
  Datum borrow_in_memory_order(int value, int rank) const;

  const Plan& plan_;
  std::vector<Shape> input_shapes_;
  Bindings bindings_;
  std::vector<TensorDesc> descs_;       // type undefined: not static
  std::vector<int> roots_;              // value that owns the memory
  std::vector<Place> places_;
  std::vector<PreparedStep> steps_;
  std::vector<Strips> strips_;          // in order
  std::vector<char> output_in_place_;
  std::unique_ptr<char, void (*)(char*)> arena_{nullptr, nullptr};
  std::size_t arena_bytes_ = 0, scratch_offset_ = 0;
  std::vector<const void*> input_addresses_;
  std::vector<void*> output_addresses_;
  bool bound_ = false;
};

}  // namespace fovea
