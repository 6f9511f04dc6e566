// SPDX-License-Identifier: Apache-2.0
#include "task/output_view.h"

#include <algorithm>
#include <cmath>

#include "base/float_types.h"

namespace fovea::task {

namespace {

template <class T>
void convert(const Tensor& from, Tensor& to) {
  const T* values = from.data<T>();
  for (std::int64_t i = 0; i < to.elements(); ++i) to.data<float>()[i] = static_cast<float>(values[i]);
}

}  // namespace

Result<Tensor> float_output(const NamedTensors& outputs, const std::string& name) {
  const auto it = outputs.find(name);
  if (it == outputs.end()) {
    std::string there;
    for (const auto& [key, tensor] : outputs) there += (there.empty() ? "'" : ", '") + key + "'";
    return not_found("recipe: the network has no output '", name, "'; there are: ", there);
  }
  const Tensor& source = it->second;
  if (source.type() == DataType::f32) return source;
  if (!source.defined()) return invalid_argument("output '", name, "' is empty");
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(DataType::f32, source.shape()));
  switch (source.type()) {
    case DataType::f16: convert<Half>(source, tensor); break;
    case DataType::bf16: convert<BFloat16>(source, tensor); break;
    case DataType::f64: convert<double>(source, tensor); break;
    case DataType::i8: convert<std::int8_t>(source, tensor); break;
    case DataType::u8: case DataType::boolean: convert<std::uint8_t>(source, tensor); break;
    case DataType::i16: convert<std::int16_t>(source, tensor); break;
    case DataType::i32: convert<std::int32_t>(source, tensor); break;
    case DataType::i64: convert<std::int64_t>(source, tensor); break;
    default: return unsupported("output '", name, "' is of type ", fovea::name(source.type()), ", which no recipe reads");
  }
  return tensor;
}

Result<Matrix> matrix_output(const NamedTensors& outputs, const std::string& name, std::optional<std::int64_t> rows, bool transposed) {
  Matrix matrix;
  FOVEA_ASSIGN(matrix.tensor, float_output(outputs, name));
  const auto shape = matrix_shape(shape_of(matrix.tensor), transposed, rows);
  if (!shape) return invalid_argument("output '", name, "': shape ", matrix.tensor.shape().to_string(), " is no list of boxes");
  static_cast<MatrixShape&>(matrix) = *shape;
  matrix.values = matrix.tensor.data<float>();
  return matrix;
}

void activate(Activation activation, std::span<double> scores) {
  if (activation == Activation::Sigmoid) {
    for (double& score : scores) score = 1 / (1 + std::exp(-score));
  } else if (activation == Activation::Softmax && !scores.empty()) {
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (double& score : scores) score /= sum;
  }
}

}  // namespace fovea::task
