// SPDX-License-Identifier: Apache-2.0
// Operators for Fovea in C++: <fovea/plugin.h> with the writing down done. Header-only, C++20, links nothing of Fovea. An
// operator is a class:
//
//   struct Twice {
//     static constexpr const char* name = "example::Twice";
//     static constexpr const char* version = "1.0.0";
//     static constexpr const char* summary = "y = 2 * x";
//     static inline const std::vector<Port> inputs = {{"x", types(FOVEA_F32)}}, outputs = {{"y"}};
//     static inline const std::vector<Attribute> attributes = {};
//     static void infer(const Node& node) { node.set_output(0, node.type(0), node.shape(0)); }
//
//     explicit Twice(const Problem& problem);      // once per concrete shape: pack weights, fill tables
//     void run(const Problem& problem);            // again and again; allocates nothing
//   };
//   FOVEA_PLUGIN("twice", Twice)                   // once per library: its name, all its operators
//
// The class may also have
//   static void can_run(const Problem&);           refuse("why") where the kernel cannot
//   static void reference(const Problem&);         plain code that the build compares run() with
//   std::size_t scratch_bytes() const;             memory that run() finds at problem.scratch()
//   static constexpr const char* kernel = "simd";  the kernel's name, "cpu" if not given
//   static constexpr std::uint32_t kernel_flags, flags;
//
// Whatever cannot be done is told with refuse("what was expected, what was found"); no exception leaves the library.
#pragma once

#include <fovea/plugin.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::plugin {

struct Refusal {
  fovea_code code;
  std::string text;
};

/// Ends the callback: what it was asked makes no sense.
[[noreturn]] inline void refuse(std::string text) { throw Refusal{FOVEA_INVALID, std::move(text)}; }
/// Ends the callback: it makes sense, but not here.
[[noreturn]] inline void unsupported(std::string text) { throw Refusal{FOVEA_UNSUPPORTED, std::move(text)}; }

template <class... T>
constexpr std::uint64_t types(T... list) { return (FOVEA_TYPE_BIT(list) | ...); }

struct Port {
  const char* name;
  std::uint64_t types = 0;
  std::uint32_t flags = 0;
};

/// An attribute with its default: Attribute::of("axis", 1), Attribute::of("mode", "linear", {"linear", "nearest"}),
/// Attribute::of("size", std::vector<std::int64_t>{7, 7}); without one: Attribute::required("size", FOVEA_INTS).
struct Attribute {
  static Attribute of(const char* name, std::int64_t value) { return {.name = name, .type = FOVEA_INT, .i = value}; }
  static Attribute of(const char* name, int value) { return of(name, std::int64_t{value}); }
  static Attribute of(const char* name, double value) { return {.name = name, .type = FOVEA_FLOAT, .f = value}; }
  static Attribute of(const char* name, const char* value, std::vector<const char*> allowed = {}) {
    return {.name = name, .type = FOVEA_STRING, .s = value, .allowed = std::move(allowed)};
  }
  static Attribute of(const char* name, std::vector<std::int64_t> value) { return {.name = name, .type = FOVEA_INTS, .ints = std::move(value)}; }
  static Attribute of(const char* name, std::vector<double> value) { return {.name = name, .type = FOVEA_FLOATS, .floats = std::move(value)}; }
  static Attribute required(const char* name, std::int32_t type, std::vector<const char*> allowed = {}) {
    return {.name = name, .type = type, .is_required = true, .allowed = std::move(allowed)};
  }

  const char* name;
  std::int32_t type;
  bool is_required = false;
  std::int64_t i = 0;
  double f = 0;
  const char* s = "";
  std::vector<std::int64_t> ints = {};
  std::vector<double> floats = {};
  std::vector<const char*> allowed = {};
};

/// The attributes of a node by name, defaults filled in.
class AttributeView {
 public:
  explicit AttributeView(std::span<const fovea_attribute> rows) : rows_(rows) {}
  std::int64_t get_int(std::string_view name) const { return find(name).i; }
  double get_float(std::string_view name) const { return find(name).f; }
  std::string_view get_string(std::string_view name) const { return find(name).s; }
  std::span<const std::int64_t> get_ints(std::string_view name) const { return {find(name).ints, static_cast<std::size_t>(find(name).count)}; }
  std::span<const double> get_floats(std::string_view name) const { return {find(name).floats, static_cast<std::size_t>(find(name).count)}; }
  bool given(std::string_view name) const { return find(name).given != 0; }

 private:
  const fovea_attribute& find(std::string_view name) const {
    for (const fovea_attribute& row : rows_) {
      if (name == row.name) return row;
    }
    throw std::logic_error("operator has no attribute '" + std::string(name) + "'");
  }
  std::span<const fovea_attribute> rows_;
};

/// An extent: a number or an expression over the network's symbols. Good until infer() returns.
class Dim {
 public:
  Dim(const fovea_infer* node, fovea_dim handle) : node_(node), handle_(handle) {}
  fovea_dim handle() const { return handle_; }
  /// Its value when it is a number.
  std::optional<std::int64_t> number() const {
    std::int64_t value = 0;
    return node_->number_of(node_->host, handle_, &value) ? std::optional(value) : std::nullopt;
  }

  friend Dim operator+(Dim a, Dim b) { return a.with(FOVEA_ADD, b); }
  friend Dim operator-(Dim a, Dim b) { return a.with(FOVEA_SUB, b); }
  friend Dim operator*(Dim a, Dim b) { return a.with(FOVEA_MUL, b); }
  friend Dim operator+(Dim a, std::int64_t b) { return a + a.same(b); }
  friend Dim operator-(Dim a, std::int64_t b) { return a - a.same(b); }
  friend Dim operator*(Dim a, std::int64_t b) { return a * a.same(b); }
  friend Dim floor_div(Dim a, std::int64_t b) { return a.with(FOVEA_FLOOR_DIV, a.same(b)); }
  friend Dim ceil_div(Dim a, std::int64_t b) { return a.with(FOVEA_CEIL_DIV, a.same(b)); }
  friend Dim min(Dim a, Dim b) { return a.with(FOVEA_MIN, b); }
  friend Dim max(Dim a, Dim b) { return a.with(FOVEA_MAX, b); }
  /// floor(a * factor)
  friend Dim scale(Dim a, double factor) { return {a.node_, a.node_->scale(a.node_->host, a.handle_, factor)}; }

 private:
  Dim with(std::int32_t operation, Dim b) const { return {node_, node_->combine(node_->host, operation, handle_, b.handle_)}; }
  Dim same(std::int64_t value) const { return {node_, node_->number(node_->host, value)}; }
  const fovea_infer* node_;
  fovea_dim handle_;
};

/// One node as infer() sees it.
class Node {
 public:
  explicit Node(const fovea_infer* node) : node_(node) {}
  int inputs() const { return node_->num_inputs; }
  int outputs() const { return node_->num_outputs; }
  bool has_input(int i) const { return node_->input_present(node_->host, i) != 0; }
  /// FOVEA_UNDEFINED while unknown.
  std::int32_t type(int i) const { return node_->input_type(node_->host, i); }
  /// Nothing while the rank is unknown.
  std::optional<std::vector<Dim>> shape(int i) const {
    const std::int32_t rank = node_->input_rank(node_->host, i);
    if (rank < 0) return std::nullopt;
    std::vector<Dim> dims;
    for (std::int32_t axis = 0; axis < rank; ++axis) dims.emplace_back(node_, node_->input_extent(node_->host, i, axis));
    return dims;
  }
  /// Elements of a small integer input, where they are known.
  std::optional<std::vector<Dim>> values(int i) const {
    const std::int64_t count = node_->input_elements(node_->host, i);
    if (count < 0) return std::nullopt;
    std::vector<Dim> dims;
    for (std::int64_t k = 0; k < count; ++k) dims.emplace_back(node_, node_->input_element(node_->host, i, k));
    return dims;
  }
  /// Null unless its data is known.
  const fovea_tensor* constant(int i) const { return node_->input_constant(node_->host, i); }
  Dim number(std::int64_t value) const { return {node_, node_->number(node_->host, value)}; }
  AttributeView attributes() const { return AttributeView({node_->attributes, static_cast<std::size_t>(node_->num_attributes)}); }

  /// An undefined type or no shape leave what they say open.
  void set_output(int i, std::int32_t type, const std::optional<std::vector<Dim>>& shape = std::nullopt) const {
    if (type != FOVEA_UNDEFINED) node_->set_type(node_->host, i, type);
    if (!shape) return;
    std::vector<fovea_dim> extents;
    for (const Dim& dim : *shape) extents.push_back(dim.handle());
    node_->set_shape(node_->host, i, static_cast<std::int32_t>(extents.size()), extents.data());
  }

 private:
  const fovea_infer* node_;
};

/// One concrete piece of work.
class Problem {
 public:
  explicit Problem(const fovea_problem* problem) : problem_(problem) {}
  bool has_input(int i) const { return i < problem_->num_inputs && problem_->inputs[i].type != FOVEA_UNDEFINED; }
  const fovea_tensor& input(int i) const { return problem_->inputs[i]; }
  const fovea_tensor& output(int i) const { return problem_->outputs[i]; }
  template <class T> const T* in(int i) const { return static_cast<const T*>(problem_->inputs[i].data); }
  template <class T> T* out(int i) const { return static_cast<T*>(problem_->outputs[i].data); }
  AttributeView attributes() const { return AttributeView({problem_->attributes, static_cast<std::size_t>(problem_->num_attributes)}); }
  int threads() const { return problem_->threads; }
  void* scratch() const { return problem_->scratch; }
  const fovea_problem& plain() const { return *problem_; }

 private:
  const fovea_problem* problem_;
};

inline std::int64_t elements(const fovea_tensor& tensor) {
  std::int64_t count = 1;
  for (std::int32_t axis = 0; axis < tensor.rank; ++axis) count *= tensor.extents[axis];
  return count;
}

// --- the rest is the writing down

/// Runs f(); what it throws becomes the callback's answer.
template <class F>
fovea_code guarded(fovea_message* why, F f) noexcept {
  const auto say = [&](fovea_code code, const char* text) { return std::snprintf(why->text, sizeof why->text, "%s", text), code; };
  try {
    f();
    return FOVEA_OK;
  } catch (const Refusal& refusal) {
    return say(refusal.code, refusal.text.c_str());
  } catch (const std::bad_alloc&) {
    return say(FOVEA_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return say(FOVEA_INVALID, error.what());
  } catch (...) {
    return say(FOVEA_INVALID, "an exception of unknown type");
  }
}

/// The plain tables of one operator class.
template <class Op>
struct Tables {
  Tables() {
    for (const Port& port : Op::inputs) inputs.push_back({port.name, port.types, port.flags, 0});
    for (const Port& port : Op::outputs) outputs.push_back({port.name, port.types, port.flags, 0});
    for (const Attribute& row : Op::attributes) {
      fovea_attribute_spec spec = {};
      spec.fallback = {row.name, row.type, 0, row.i, row.f, row.s, 0, row.ints.data(), row.floats.data(), nullptr};
      spec.fallback.count = static_cast<std::int64_t>(row.type == FOVEA_INTS ? row.ints.size() : row.floats.size());
      spec.required = row.is_required;
      spec.num_allowed = static_cast<std::int32_t>(row.allowed.size());
      spec.allowed = row.allowed.data();
      attributes.push_back(spec);
    }
    kernel.struct_size = sizeof kernel;
    kernel.device = FOVEA_CPU;
    kernel.name = "cpu";
    if constexpr (requires { Op::kernel; }) kernel.name = Op::kernel;
    if constexpr (requires { Op::kernel_flags; }) kernel.flags = Op::kernel_flags;
    if constexpr (requires(const Problem& problem) { Op::can_run(problem); }) {
      kernel.can_run = [](const fovea_problem* problem, fovea_message* why) { return guarded(why, [&] { Op::can_run(Problem(problem)); }); };
    }
    kernel.prepare = [](const fovea_problem* problem, fovea_prepared* prepared, fovea_message* why) {
      return guarded(why, [&] {
        auto* op = new Op(Problem(problem));
        prepared->state = op;
        if constexpr (requires { op->scratch_bytes(); }) prepared->scratch_bytes = op->scratch_bytes();
      });
    };
    kernel.run = [](const fovea_problem* problem, fovea_message* why) {
      return guarded(why, [&] { static_cast<Op*>(problem->state)->run(Problem(problem)); });
    };
    kernel.release = [](void* state) { delete static_cast<Op*>(state); };

    op.struct_size = sizeof op;
    if constexpr (requires { Op::flags; }) op.flags = Op::flags;
    op.name = Op::name;
    op.version = Op::version;
    op.summary = Op::summary;
    op.num_inputs = static_cast<std::int32_t>(inputs.size());
    op.num_outputs = static_cast<std::int32_t>(outputs.size());
    op.inputs = inputs.data();
    op.outputs = outputs.data();
    op.num_attributes = static_cast<std::int32_t>(attributes.size());
    op.attributes = attributes.data();
    op.num_kernels = 1;
    op.kernels = kernels;
    op.infer = [](const fovea_infer* node, fovea_message* why) { return guarded(why, [&] { Op::infer(Node(node)); }); };
    if constexpr (requires(const Problem& problem) { Op::reference(problem); }) {
      op.reference = [](const fovea_problem* problem, fovea_message* why) { return guarded(why, [&] { Op::reference(Problem(problem)); }); };
    }
  }

  static const fovea_operator* get() {
    static const Tables tables;
    return &tables.op;
  }

  std::vector<fovea_port> inputs, outputs;
  std::vector<fovea_attribute_spec> attributes;
  fovea_kernel kernel = {};
  const fovea_kernel* kernels[1] = {&kernel};
  fovea_operator op = {};
};

template <class... Ops>
const fovea_plugin* table(const char* name) {
  static const fovea_operator* const operators[] = {Tables<Ops>::get()...};
  static const fovea_plugin plugin = {sizeof(fovea_plugin), FOVEA_PLUGIN_ABI, name, static_cast<std::int32_t>(sizeof...(Ops)), 0, operators};
  return &plugin;
}

}  // namespace fovea::plugin

/// Defines the library's entry: FOVEA_PLUGIN("name", FirstOperator, SecondOperator).
#define FOVEA_PLUGIN(name, ...) \
  extern "C" FOVEA_PLUGIN_EXPORT const fovea_plugin* fovea_plugin_entry(std::uint32_t) { return ::fovea::plugin::table<__VA_ARGS__>(name); }
