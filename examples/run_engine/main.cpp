// SPDX-License-Identifier: Apache-2.0
// Loads an engine file and runs it, with Status instead of exceptions all the way. Libraries with operators that the engine
// needs come behind it.
//   run_engine net.fovea [plugin.so...]
#include <fovea/engine.h>
#include <fovea/load_plugin.h>
#include <fovea/session.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace {

using fovea::Engine, fovea::Session, fovea::Shape, fovea::Status, fovea::Tensor, fovea::TensorInfo;

/// A ramp from 0 to 1 in the input's shape; free extents become 1 for the first axis and 320 for the others.
fovea::Result<Tensor> make_input(const TensorInfo& info) {
  Shape shape;
  for (std::size_t axis = 0; axis < info.shape.size(); ++axis) {
    char* end = nullptr;
    const long extent = std::strtol(info.shape[axis].c_str(), &end, 10);
    shape.push_back(*end == '\0' ? extent : axis == 0 ? 1 : 320);
  }
  fovea::Result<Tensor> tensor = Tensor::allocate(info.type, shape);
  if (!tensor.ok() || info.type != fovea::DataType::f32) return tensor;
  const auto values = tensor->values<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / static_cast<float>(values.size());
  return tensor;
}

Status run(const char* file) {
  const fovea::Result<Engine> engine = Engine::load(file);  // verified before anything is used
  if (!engine.ok()) return engine.status();
  fovea::Result<Session> session = Session::create(*engine);
  if (!session.ok()) return session.status();

  for (const TensorInfo& info : engine->inputs()) {
    const fovea::Result<Tensor> input = make_input(info);
    if (!input.ok()) return input.status();
    if (Status status = session->set_input(info.name, *input); !status.ok()) return status;
  }
  for (int frame = 0; frame < 3; ++frame) {  // after the first run nothing is allocated any more
    if (Status status = session->run(); !status.ok()) return status;
  }
  for (const TensorInfo& info : engine->outputs()) {
    const fovea::Result<Tensor> output = session->output(info.name);
    if (!output.ok()) return output.status();
    std::printf("%s: %s", info.name.c_str(), output->shape().to_string().c_str());
    if (output->type() == fovea::DataType::f32 && output->elements() > 0) {
      const auto values = output->values<float>();
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      std::printf("  min %.6g  max %.6g", *low, *high);
    }
    std::printf("\n");
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: run_engine NET.fovea [PLUGIN.so...]\n");
    return 2;
  }
  Status status;
  for (int i = 2; i < argc && status.ok(); ++i) status = fovea::load_plugin(argv[i]).status();  // before the engine
  if (status.ok()) status = run(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "error: %s\n", status.to_string().c_str());
  return status.ok() ? 0 : 1;
}
