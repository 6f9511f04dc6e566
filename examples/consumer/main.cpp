// SPDX-License-Identifier: Apache-2.0
// The whole road in one file: import an ONNX network, build an engine, save it, run it, read the outputs.
//   consumer net.onnx [net.fovea]
#include <fovea/fovea.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace {

/// Free extents ("N", "H/8") become 1 for the first axis and 320 for the others.
fovea::Shape concrete(const fovea::TensorInfo& info) {
  fovea::Shape shape;
  for (std::size_t axis = 0; axis < info.shape.size(); ++axis) {
    char* end = nullptr;
    const long extent = std::strtol(info.shape[axis].c_str(), &end, 10);
    shape.push_back(*end == '\0' ? extent : axis == 0 ? 1 : 320);
  }
  return shape;
}

/// A ramp from 0 to 1, so that the numbers below are the same everywhere; other types stay zero.
fovea::Tensor ramp(fovea::DataType type, const fovea::Shape& shape) {
  fovea::Tensor tensor = fovea::Tensor::allocate(type, shape).value();
  if (type != fovea::DataType::f32) return tensor;
  const auto values = tensor.values<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / static_cast<float>(values.size());
  return tensor;
}

int run(const char* model_file, const char* engine_file) {
  const fovea::Model model = fovea::import_onnx(model_file).value();
  fovea::BuildOptions options;
  options.tuning = fovea::Tuning::None;  // first kernel that verifies, without timing: a quick build
  const fovea::Engine engine = fovea::build(model, options).value();
  if (engine_file) {
    if (const fovea::Status saved = engine.save(engine_file); !saved.ok()) fovea::throw_error(saved);
  }

  fovea::Session session = fovea::Session::create(engine).value();
  for (const fovea::TensorInfo& input : engine.inputs()) {
    const fovea::Status bound = session.set_input(input.name, ramp(input.type, concrete(input)));
    if (!bound.ok()) fovea::throw_error(bound);
  }
  if (const fovea::Status done = session.run(); !done.ok()) fovea::throw_error(done);
  for (const fovea::TensorInfo& output : engine.outputs()) {
    const fovea::Tensor tensor = session.output(output.name).value();
    std::printf("%s: %s", output.name.c_str(), tensor.shape().to_string().c_str());
    if (tensor.type() == fovea::DataType::f32 && tensor.elements() > 0) {
      const auto values = std::as_const(tensor).values<float>();
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      std::printf("  min %.6g  max %.6g", *low, *high);
    }
    std::printf("\n");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: consumer NET.onnx [NET.fovea]\n");
    return 2;
  }
  try {
    return run(argv[1], argc == 3 ? argv[2] : nullptr);
  } catch (const fovea::Error& error) {  // what Result::value() throws
    std::fprintf(stderr, "error: %s\n", error.status().to_string().c_str());
    return 1;
  }
}
