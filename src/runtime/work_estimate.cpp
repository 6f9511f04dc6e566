// SPDX-License-Identifier: Apache-2.0
// One rule for each kind of operator that does more than one operation per output element. A multiplication with its
// addition counts as two; comparisons, exponentials and the arithmetic of addresses and coordinates count as nothing.
#include "runtime/work_estimate.h"

#include <algorithm>

#include "ops/detection/roi_align.h"
#include "ops/fused/pointwise_program.h"
#include "ops/matmul/einsum_equation.h"

namespace fovea {

namespace {

/// A bilinear sample: four elements, each times its weight.
constexpr double kBilinear = 2 * 4;

/// A step's shapes; what is missing or unknown has no elements.
class StepShapes {
 public:
  StepShapes(std::string_view op, const Attributes& attributes, std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs)
      : op(op), attributes(attributes), inputs_(inputs), outputs_(outputs) {}

  const std::string_view op;
  const Attributes& attributes;

  double input(std::size_t i) const { return elements(inputs_, i); }
  double output() const { return elements(outputs_, 0); }
  std::size_t num_inputs() const { return inputs_.size(); }
  const Shape& input_shape(std::size_t i) const { return inputs_[i].shape; }
  bool has_input(std::size_t i) const { return i < inputs_.size() && inputs_[i].type != DataType::undefined; }
  /// An extent of an input, counted from the back where negative; 0 if there is none.
  double extent(std::size_t i, int axis) const {
    if (!has_input(i)) return 0;
    const Shape& shape = inputs_[i].shape;
    if (axis < 0) axis += shape.rank();
    return axis >= 0 && axis < shape.rank() ? static_cast<double>(shape[axis]) : 0;
  }

 private:
  static double elements(std::span<const TensorDesc> descs, std::size_t i) {
    return i < descs.size() && descs[i].type != DataType::undefined ? static_cast<double>(descs[i].shape.elements()) : 0;
  }

  std::span<const TensorDesc> inputs_, outputs_;
};

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

double product_of(const std::vector<std::int64_t>& extents) {
  double product = 1;
  for (std::int64_t extent : extents) product *= static_cast<double>(extent);
  return product;
}

/// Each output element sums ic/g * kh * kw products: the weights per output channel.
double sums_of_weights(const StepShapes& step, std::size_t weights) {
  return 2 * step.output() * ratio(step.input(weights), step.extent(weights, 0));
}
double convolution(const StepShapes& step) { return sums_of_weights(step, 1); }
double quantized_convolution(const StepShapes& step) { return sums_of_weights(step, 3); }

/// Each input element is spread over oc/g * kh * kw places.
double transposed_convolution(const StepShapes& step) { return 2 * step.input(0) * ratio(step.input(1), step.extent(1, 0)); }

/// A convolution over samples: each tap of each input channel is sampled once per output pixel.
double deformable_convolution(const StepShapes& step) {
  const double oc = step.extent(1, 0), channels = step.extent(0, 1);
  const double taps = ratio(step.input(1), oc * step.extent(1, 1)), pixels = ratio(step.output(), oc);
  return convolution(step) + kBilinear * pixels * channels * taps;
}

/// The inner extent is the last one of A; where A is transposed, the one before.
double product(const StepShapes& step) {
  const bool transposed = step.attributes.get_int("transA", 0) != 0 && step.has_input(0) && step.input_shape(0).rank() > 1;
  return 2 * step.output() * step.extent(0, transposed ? -2 : -1);
}

/// Each operand after the first multiplies once per combination of all labels, and one addition sums up.
double einsum(const StepShapes& step) {
  std::vector<int> ranks;
  for (std::size_t i = 0; i < step.num_inputs(); ++i) ranks.push_back(step.has_input(i) ? step.input_shape(i).rank() : 0);
  const auto equation = ops::parse_einsum(step.attributes.get_string("equation", ""), ranks);
  if (!equation.ok()) return 0;
  std::string seen;
  double combinations = 1;
  for (std::size_t i = 0; i < equation->operands.size(); ++i) {
    const std::string& labels = equation->operands[i];
    for (std::size_t axis = 0; axis < labels.size(); ++axis) {
      if (seen.find(labels[axis]) != std::string::npos) continue;
      seen += labels[axis];
      combinations *= step.extent(i, static_cast<int>(axis));
    }
  }
  return combinations * std::max(1.0, static_cast<double>(equation->operands.size()));
}

/// Scores and their products with the values: 2 * B * H * N * M * (dk + dv), M with the keys of the cache. Masks let
/// nothing out: a causal kernel may do half of it.
double attention(const StepShapes& step) {
  if (!step.has_input(0) || !step.has_input(1) || !step.has_input(2)) return 0;
  const bool flat = step.input_shape(0).rank() == 3;  // [b, rows, heads * width]
  const double kv_heads = flat ? static_cast<double>(step.attributes.get_int("kv_num_heads", 1)) : 1;
  const double keys = step.extent(1, -2) + step.extent(4, 2), value_width = ratio(step.extent(2, -1), kv_heads);
  const double rows_of_heads = ratio(step.output(), value_width);  // B * H * N
  const double width = ratio(step.input(0), rows_of_heads);
  return 2 * rows_of_heads * keys * (width + value_width);
}

/// One bilinear sample per point and output element; the point's own factor is multiplied into the four weights, per
/// group and not per channel.
double dcnv4(const StepShapes& step) {
  const double kernel = static_cast<double>(step.attributes.get_int("kh", 3)) * static_cast<double>(step.attributes.get_int("kw", 3));
  return kBilinear * step.output() * (kernel - (step.attributes.get_int("remove_center", 0) != 0 ? 1 : 0));
}

/// The same for the samples of a head: levels * points.
double deformable_attention(const StepShapes& step) {
  return kBilinear * step.output() * step.extent(3, 3) * step.extent(3, 4);
}
double packed_deformable_attention(const StepShapes& step) { return kBilinear * step.output() * step.extent(3, 3) / 3; }

/// Taps per axis to the power of the spatial axes.
double grid_sample(const StepShapes& step) {
  const std::string mode = step.attributes.get_string("mode", "linear");
  if (mode == "nearest" || !step.has_input(0)) return 0;
  double taps = 1;
  for (int axis = 2; axis < step.input_shape(0).rank(); ++axis) taps *= mode == "cubic" ? 4 : 2;
  return 2 * taps * step.output();
}

/// Taps along the rows and along the columns of a picture, each times its weight.
double resize(const StepShapes& step) {
  const std::string mode = step.attributes.get_string("mode", "nearest");
  return mode == "nearest" ? 0 : 2 * (mode == "cubic" ? 4 : 2) * 2 * step.output();
}

/// sampling_ratio squared samples a cell; where the region's size decides how many (0), one.
double roi_align(const StepShapes& step) {
  const auto params = ops::RoiAlignParams::parse(step.op, step.attributes);
  const double side = params.ok() ? std::max(1.0, static_cast<double>(params->sampling_ratio)) : 0;
  return kBilinear * side * side * step.output();
}

double rotated_feature_align(const StepShapes& step) {
  return (kBilinear + 1) * static_cast<double>(step.attributes.get_int("points", 1)) * step.output();
}

/// One operation per element of the window. MaxPool, which only compares, is no arithmetic.
double pool(const StepShapes& step) { return step.output() * product_of(step.attributes.get_ints("kernel_shape")); }
double comparisons(const StepShapes&) { return 0; }

double reduction(const StepShapes& step) { return step.input(0); }
/// Subtract the largest, sum up, divide.
double softmax(const StepShapes& step) { return 3 * step.input(0); }
/// Mean 1, squares of distances from it 3, and (x - mean) * factor * scale + bias 4.
double normalisation(const StepShapes& step) { return 8 * step.input(0); }
/// Factor and summand per channel.
double affine(const StepShapes& step) { return 2 * step.output(); }
/// Squares 2, factor and scale 2.
double rms_normalisation(const StepShapes& step) { return 4 * step.input(0); }

/// Each step and batch entry multiplies W with the input and R with the state.
double recurrence(const StepShapes& step) { return 2 * step.extent(0, 0) * step.extent(0, 1) * (step.input(1) + step.input(2)); }

/// Instructions that compute, for each output element.
double pointwise(const StepShapes& step) {
  const auto program = PointwiseProgram::parse(step.attributes.get_string("program", ""));
  if (!program.ok()) return step.output();
  const auto computes = [](const PointwiseInstruction& i) {
    return i.op != PointwiseOp::Input && i.op != PointwiseOp::Constant && i.op != PointwiseOp::Cast && i.op != PointwiseOp::Select;
  };
  return static_cast<double>(std::count_if(program->code.begin(), program->code.end(), computes)) * step.output();
}

struct Rule {
  std::string_view op;
  double (*flops)(const StepShapes&);
};

constexpr Rule kRules[] = {
    {"Attention", attention},
    {"AveragePool", pool},
    {"BatchNormalization", affine},
    {"Conv", convolution},
    {"ConvInteger", convolution},
    {"ConvTranspose", transposed_convolution},
    {"DeformConv", deformable_convolution},
    {"Einsum", einsum},
    {"GRU", recurrence},
    {"Gemm", product},
    {"GlobalAveragePool", reduction},
    {"GridSample", grid_sample},
    {"GroupNormalization", normalisation},
    {"InstanceNormalization", normalisation},
    {"LSTM", recurrence},
    {"LayerNormalization", normalisation},
    {"LogSoftmax", softmax},
    {"LpPool", pool},
    {"MatMul", product},
    {"MatMulInteger", product},
    {"MaxPool", comparisons},
    {"QLinearConv", quantized_convolution},
    {"QLinearMatMul", product},
    {"RMSNormalization", rms_normalisation},
    {"RNN", recurrence},
    {"ReduceL1", reduction},
    {"ReduceL2", reduction},
    {"ReduceMean", reduction},
    {"ReduceProd", reduction},
    {"ReduceSum", reduction},
    {"ReduceSumSquare", reduction},
    {"Resize", resize},
    {"RoiAlign", roi_align},
    {"Softmax", softmax},
    {"custom_op::DCNv4FuseOffset_Plugin", dcnv4},
    {"custom_op::DCNv4_Plugin", dcnv4},
    {"custom_op::FlashDeformAttn", packed_deformable_attention},
    {"fovea::conv", convolution},
    {"fovea::matmul", product},
    {"fovea::pointwise", pointwise},
    {"mmcv::MMCVRoIAlignRotated", roi_align},
    {"mmcv::MMCVRoiAlign", roi_align},
    {"mmcv::MMCVRotatedFeatureAlign", rotated_feature_align},
    {"mmdeploy::MMCVMultiLevelRoiAlign", roi_align},
    {"mmdeploy::MMCVMultiLevelRotatedRoiAlign", roi_align},
    {"mmdeploy::MMCVMultiScaleDeformableAttention", deformable_attention},
};

double bytes_of(std::span<const TensorDesc> descs) {
  double bytes = 0;
  for (const TensorDesc& desc : descs) bytes += static_cast<double>(desc.shape.elements()) * static_cast<double>(size_of(desc.type));
  return bytes;
}

}  // namespace

Work estimate_work(std::string_view op, const Attributes& attributes, std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) {
  const StepShapes step(op, attributes, inputs, outputs);
  const auto* const rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& r) { return r.op == op; });
  return {rule == std::end(kRules) ? step.output() : rule->flops(step), bytes_of(inputs) + bytes_of(outputs)};
}

}  // namespace fovea
