// SPDX-License-Identifier: Apache-2.0
// A plugin's kernel as a Kernel. Everything that a plugin may rely on (dense tensors unless it heeds strides, types that its
// schema lists, outputs of the extents its own rule found) is checked here, before it is asked.
#include "plugins/adapters.h"
#include "plugins/border.h"

namespace fovea::plugins {

namespace {

constexpr std::uint64_t kMaxScratch = std::uint64_t{1} << 40;

class PreparedPluginKernel final : public PreparedKernel {
 public:
  PreparedPluginKernel(const Description& description, const KernelRow& row, const Problem& problem)
      : description_(description), row_(row), attributes_(problem.attributes), op_(problem.op), inputs_(problem.inputs.begin(), problem.inputs.end()),
        outputs_(problem.outputs.begin(), problem.outputs.end()), constants_(problem.constants.begin(), problem.constants.end()),
        plain_(description, {op_, attributes_, inputs_, outputs_, constants_, problem.threads}) {}

  ~PreparedPluginKernel() override {
    if (prepared_ && row_.callbacks.release) row_.callbacks.release(plain_.get().state);
  }

  Status prepare() {
    if (!row_.callbacks.prepare) return {};
    fovea_prepared answer = {};
    answer.struct_size = sizeof answer;
    FOVEA_RETURN_IF_ERROR(call(description_, "prepare", [&](fovea_message* why) { return row_.callbacks.prepare(&plain_.get(), &answer, why); }));
    prepared_ = true;
    plain_.get().state = answer.state;
    if (answer.scratch_bytes > kMaxScratch) return unsupported("plugin '", description_.plugin, "': prepare asks for ", answer.scratch_bytes, " bytes of scratch memory");
    scratch_bytes_ = static_cast<std::size_t>(answer.scratch_bytes);
    return {};
  }

  std::size_t scratch_bytes() const override { return scratch_bytes_; }

  Status run(const Arguments& arguments) override {
    plain_.set_data(arguments.inputs, arguments.outputs);
    plain_.get().scratch = scratch_bytes_ > 0 ? arguments.scratch : nullptr;
    return call(description_, "run", [&](fovea_message* why) { return row_.callbacks.run(&plain_.get(), why); });
  }

 private:
  const Description& description_;
  const KernelRow& row_;
  // A Problem's parts live only while it is prepared, so they are kept; a loaded plan's constants stay where they are.
  const Attributes attributes_;
  const std::string op_;
  const std::vector<TensorDesc> inputs_, outputs_;
  const std::vector<Tensor> constants_;
  PlainProblem plain_;
  std::size_t scratch_bytes_ = 0;
  bool prepared_ = false;
};

class PluginKernel final : public Kernel {
 public:
  PluginKernel(const Description& description, const KernelRow& row) : description_(description), row_(row) {}

  std::string_view name() const override { return row_.name; }

  Status can_run(const Problem& problem) const override {
    FOVEA_RETURN_IF_ERROR(check_places("input", problem.inputs));
    FOVEA_RETURN_IF_ERROR(check_places("output", problem.outputs));
    FOVEA_RETURN_IF_ERROR(check_input_types(description_, problem.inputs));
    FOVEA_RETURN_IF_ERROR(check_outputs(problem));
    if (!row_.callbacks.can_run) return {};
    PlainProblem plain(description_, problem);
    return call(description_, "can_run", [&](fovea_message* why) { return row_.callbacks.can_run(&plain.get(), why); });
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    auto prepared = std::make_unique<PreparedPluginKernel>(description_, row_, problem);
    FOVEA_RETURN_IF_ERROR(prepared->prepare());
    return std::unique_ptr<PreparedKernel>(std::move(prepared));
  }

 private:
  Status check_places(const char* what, std::span<const TensorDesc> descs) const {
    const bool strided = (row_.callbacks.flags & FOVEA_STRIDED) != 0;
    for (std::size_t i = 0; i < descs.size(); ++i) {
      if (descs[i].type == DataType::undefined) continue;
      if (descs[i].layout != Layout::plain) return unsupported("takes plain tensors, ", what, " ", i, " is ", fovea::name(descs[i].layout));
      if (!strided && !descs[i].is_dense()) return unsupported("takes dense tensors, ", what, " ", i, " is part of a larger one");
    }
    return {};
  }

  // Where the rule needs values that are not constant, only the reference can run: it knows them.
  Status check_outputs(const Problem& problem) const {
    FOVEA_ASSIGN(const auto found, infer_concrete(problem));
    for (std::size_t o = 0; o < found.size(); ++o) {
      const TensorDesc& declared = problem.outputs[o];
      if (declared.type == DataType::undefined) continue;
      if (!found[o]) return unsupported("the shape of output ", o, " depends on the values of an input");
      if (found[o]->type != declared.type || !(found[o]->shape == declared.shape)) {
        return invalid_model("output ", o, " is declared ", fovea::name(declared.type), " ", declared.shape.to_string(), ", the operator gives ", fovea::name(found[o]->type), " ",
                             found[o]->shape.to_string());
      }
    }
    return {};
  }

  const Description& description_;
  const KernelRow& row_;
};

}  // namespace

std::vector<std::unique_ptr<const Kernel>> make_kernels(const Description& description) {
  std::vector<std::unique_ptr<const Kernel>> kernels;
  for (const KernelRow& row : description.kernels) {
    if (row.callbacks.device == FOVEA_CPU) kernels.push_back(std::make_unique<PluginKernel>(description, row));
  }
  return kernels;
}

}  // namespace fovea::plugins
