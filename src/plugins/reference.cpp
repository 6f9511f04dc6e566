// SPDX-License-Identifier: Apache-2.0
// The reference kernel of a plugin's operator. Like every reference it finds its own output shapes: all inputs are known here,
// so the shape rule runs with their values.
#include <cstdlib>

#include "device/kernel_registry.h"
#include "plugins/adapters.h"
#include "plugins/border.h"

namespace fovea::plugins {

namespace {

struct Addresses {
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
};

Status run_reference(const Description& description, const Problem& problem, const Addresses& addresses) {
  PlainProblem plain(description, problem);
  plain.set_data(addresses.inputs.data(), addresses.outputs.data());
  return call(description, "reference", [&](fovea_message* why) { return description.callbacks.reference(&plain.get(), why); });
}

/// The plainest kernel stands last.
Status run_last_kernel(const Problem& problem, const Addresses& addresses) {
  const auto kernels = kernels_of("cpu", problem.op);
  Status refused;
  for (auto kernel = kernels.rbegin(); kernel != kernels.rend(); ++kernel) {
    refused = (*kernel)->can_run(problem);
    if (!refused.ok()) continue;
    FOVEA_ASSIGN(const auto prepared, (*kernel)->prepare(problem));
    const std::size_t bytes = (prepared->scratch_bytes() + 63) / 64 * 64;
    const std::unique_ptr<void, void (*)(void*)> scratch(bytes > 0 ? std::aligned_alloc(64, bytes) : nullptr, std::free);
    if (bytes > 0 && !scratch) return resource_exhausted("cannot allocate ", bytes, " bytes of scratch memory");
    return prepared->run({addresses.inputs.data(), addresses.outputs.data(), scratch.get()});
  }
  return refused.ok() ? unsupported("no kernel for the CPU") : refused;
}

}  // namespace

Status reference(ops::KernelContext& context) {
  const Description& description = description_of(context.op());
  std::vector<TensorDesc> inputs, outputs(static_cast<std::size_t>(context.num_outputs()));
  std::vector<Tensor> tensors;
  Addresses addresses;
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (context.has_input(i) && context.datum(i).kind != Datum::Kind::Tensor) return invalid_argument("input ", i, " is not a tensor");
    const Tensor tensor = context.has_input(i) ? context.input(i) : Tensor();
    inputs.push_back(tensor.defined() ? TensorDesc::dense(tensor.type(), tensor.shape()) : TensorDesc());
    addresses.inputs.push_back(tensor.raw());
    tensors.push_back(tensor);
  }
  FOVEA_RETURN_IF_ERROR(check_input_types(description, inputs));
  FOVEA_ASSIGN(const auto found, infer_concrete({context.op(), context.attributes(), inputs, outputs, tensors, 1}));
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    if (!found[o]) return invalid_model("plugin '", description.plugin, "': the shape rule does not find type and shape of output ", o, " although all inputs are known");
    FOVEA_ASSIGN(Tensor tensor, context.output(static_cast<int>(o), found[o]->type, found[o]->shape));
    outputs[o] = *found[o];
    addresses.outputs.push_back(tensor.raw());
  }
  const Problem problem{context.op(), context.attributes(), inputs, outputs, tensors, 1};
  return description.callbacks.reference ? run_reference(description, problem, addresses) : run_last_kernel(problem, addresses);
}

}  // namespace fovea::plugins
