// SPDX-License-Identifier: Apache-2.0
// OperatorSchema: the declarative description of one operator in its newest form: arity, attributes
// with defaults, types, and the rule that finds output types and symbolic shapes. Older opsets are
// rewritten to this form when a model is imported (src/onnx/rules), so only one form exists here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/attributes.h"
#include "base/datum.h"
#include "base/dim.h"

namespace fovea::ops {

/// What a shape rule sees of one node, and where it writes its findings. Implemented by the
/// inference driver over the IR (src/passes/infer_shapes.cpp) and by tests.
class InferContext {
 public:
  virtual ~InferContext() = default;

  virtual std::string_view op() const = 0;
  virtual const Attributes& attributes() const = 0;
  virtual int num_inputs() const = 0;
  virtual int num_outputs() const = 0;
  /// False for a missing optional input.
  virtual bool has_input(int i) const = 0;
  virtual ValueType input_type(int i) const = 0;
  /// Null while the rank is unknown.
  virtual const SymbolicShape* input_shape(int i) const = 0;
  /// Null unless the input is a constant (initializer or folded).
  virtual const Tensor* input_constant(int i) const = 0;
  /// Elements of a small integer (or bool/float) tensor of rank 0 or 1 as expressions: shape arithmetic
  /// that flows through Shape, Gather, Concat, Mul ... Also set for small integer constants. Null when unknown.
  virtual const std::vector<Dim>* input_value(int i) const = 0;

  /// The same for a float tensor whose elements are exact fractions on their way to a whole number, such as the
  /// H / 2 of a resized picture before it is floored. Null when unknown, and where input_value() is set.
  struct Fraction {
    Dim numerator;
    std::int64_t denominator = 1;  ///< positive
  };
  virtual const std::vector<Fraction>* input_fractions(int) const { return nullptr; }
  virtual void set_output_fractions(int, std::vector<Fraction>) {}

  virtual void set_output_type(int i, ValueType type) = 0;
  virtual void set_output_shape(int i, SymbolicShape shape) = 0;
  virtual void set_output_value(int i, std::vector<Dim> value) = 0;
  /// A fresh symbol for an extent that depends on data ("nms_0"): unique in the graph, bound at run time.
  virtual Dim fresh_symbol(std::string_view hint) = 0;

  virtual int num_bodies() const { return 0; }
  struct BodyValue {
    ValueType type = {};
    std::optional<SymbolicShape> shape = {};
    std::optional<std::vector<Dim>> value = {};  ///< as input_value()
    Tensor constant = {};                        ///< defined for an outer constant that is passed in
  };
  /// Runs inference on body `i` (If, Loop, Scan, SequenceMap) and returns what is known of the body's outputs.
  /// `inputs` has one entry for each of the body's inputs, captures included. What an earlier call for the same
  /// body found is forgotten first.
  virtual Result<std::vector<BodyValue>> infer_body(int, std::span<const BodyValue>) { return std::vector<BodyValue>(); }

  // Conveniences over the above.
  DataType input_element(int i) const { return input_type(i).element; }
  void set_output(int i, DataType element, SymbolicShape shape) {
    set_output_type(i, {ValueType::Kind::Tensor, element});
    set_output_shape(i, std::move(shape));
  }
  void set_output_element(int i, DataType element) { set_output_type(i, {ValueType::Kind::Tensor, element}); }
};

/// Finds what it can; unknown inputs are no error (leave outputs unset). Errors are contradictions in
/// the model ("axis 4 is out of range for rank 3"); the caller adds the node's name.
using ShapeRule = Status (*)(InferContext&);

enum class AttributeType : std::uint8_t { Int, Float, String, Ints, Floats, Strings, Tensor, Graph };

struct AttributeSpec {
  std::string_view name;
  AttributeType type = AttributeType::Int;
  bool required = false;
  std::string_view default_text = {};                ///< for messages and the docs table, e.g. "0", "[1,1]"
  std::vector<std::string_view> allowed = {};        ///< allowed spellings of a String attribute; empty = any
};

inline constexpr int kVariadic = 1 << 20;

/// Bit set over DataType.
using TypeSet = std::uint64_t;
constexpr TypeSet type_bit(DataType type) { return TypeSet{1} << static_cast<int>(type); }
template <class... T>
constexpr TypeSet types(T... list) { return (type_bit(list) | ...); }

inline constexpr TypeSet kFloatTypes = types(DataType::f32, DataType::f16, DataType::bf16, DataType::f64);
inline constexpr TypeSet kSignedIntTypes = types(DataType::i8, DataType::i16, DataType::i32, DataType::i64);
inline constexpr TypeSet kUnsignedIntTypes = types(DataType::u8, DataType::u16, DataType::u32, DataType::u64);
inline constexpr TypeSet kIntTypes = kSignedIntTypes | kUnsignedIntTypes;
inline constexpr TypeSet kNumericTypes = kFloatTypes | kIntTypes;
inline constexpr TypeSet kAllTypes = ~TypeSet{0};

/// Facts that passes and the executor rely on.
enum Trait : std::uint32_t {
  kNoTraits = 0,
  kElementwise = 1u << 0,   ///< each output element depends on one element of each input (after broadcasting)
  kCommutative = 1u << 1,
  kNonDeterministic = 1u << 2,  ///< random numbers: never folded, merged or reordered
  kDataDependent = 1u << 3,     ///< an output extent depends on input values that shape arithmetic cannot know
  kHasBodies = 1u << 4,         ///< If, Loop, Scan, SequenceMap
};

struct OperatorSchema {
  std::string_view name;  ///< "Conv"; outside the default domain "domain::Name", e.g. "fovea::conv"
  int since = 1;          ///< first opset of its domain that has it
  int min_inputs = 1, max_inputs = 1;
  int min_outputs = 1, max_outputs = 1;
  TypeSet types = kAllTypes;  ///< element types of input 0 that the reference kernel accepts
  std::vector<AttributeSpec> attributes = {};
  ShapeRule infer = nullptr;
  std::uint32_t traits = kNoTraits;
  std::string_view summary = {};  ///< one line for the support matrix
};

/// The schema of an operator, or null. All rows of ops.def.
const OperatorSchema* find_schema(std::string_view op);
/// All schemas, in the order of ops.def.
std::span<const OperatorSchema* const> all_schemas();
/// Up to three known names closest to `op` by edit distance, for error messages.
std::vector<std::string_view> nearest_operators(std::string_view op);
/// Checks attributes (names, types, allowed values, required ones) and arity. The message names the attribute,
/// what is allowed and the default.
Status check_against_schema(const OperatorSchema& schema, const Attributes& attributes, int inputs, int outputs, int bodies);

}  // namespace fovea::ops
