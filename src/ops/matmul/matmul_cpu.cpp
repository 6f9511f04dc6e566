// SPDX-License-Identifier: Apache-2.0
// MatMul, Gemm and fovea::matmul on oneDNN. Constant right operands are packed once; bias, scale, residual and
// activation are part of the primitive. Row-major operands with any leading stride.
#include <cstring>

#include "backends/cpu/kit/onednn.h"
#include "backends/cpu/kit/threads.h"
#include "ops/fused/matmul_shapes.h"

namespace fovea {

namespace {

using namespace cpu;
using dnnl::memory;

class PreparedMatMul : public PreparedKernel {
 public:
  OnednnCall call;
  int a = -1, b = -1, bias = -1, c = -1, addend = -1, dst = -1, scratchpad = -1;
  std::size_t scratch = 0;

  std::size_t scratch_bytes() const override { return scratch; }
  Status run(const Arguments& arguments) override {
    call.set(a, arguments.inputs[0]);
    if (b >= 0) call.set(b, arguments.inputs[1]);
    if (bias >= 0) call.set(bias, arguments.inputs[2]);
    if (c >= 0) call.set(c, arguments.inputs[2]);
    if (addend >= 0) call.set(addend, arguments.inputs[3]);
    call.set(dst, arguments.outputs[0]);
    call.set(scratchpad, arguments.scratch);
    return call.run();
  }
};

/// Operand as oneDNN's [batch..., rows, columns]: leading axes broadcast by extent 1, last two perhaps swapped.
memory::desc operand(const TensorDesc& desc, std::int64_t rows, std::int64_t columns, bool swapped, bool row_vector,
                     int batch_rank) {
  memory::dims dims, strides;
  const int rank = desc.shape.rank();
  const int own_batch = std::max(0, rank - 2);
  std::int64_t outermost = desc.shape.elements();
  for (int axis = 0; axis < batch_rank; ++axis) {
    const int own = axis - (batch_rank - own_batch);
    dims.push_back(own < 0 ? 1 : desc.shape[own]);
    strides.push_back(own < 0 ? outermost : desc.strides[own]);
  }
  std::int64_t row = columns, column = 1;
  if (rank >= 2) {
    row = desc.strides[rank - (swapped ? 1 : 2)];
    column = desc.strides[rank - (swapped ? 2 : 1)];
  } else if (!row_vector) {
    row = 1, column = 1;
  }
  dims.insert(dims.end(), {rows, columns});
  strides.insert(strides.end(), {row, column});
  return {dims, memory::data_type::f32, strides};
}

struct MatMulPlan {
  ops::MatMulShapes shapes;
  Attributes attributes;  ///< transA, transB as fovea::matmul spells them
  double scale = 1, bias_factor = 1;
};

Result<MatMulPlan> resolve(const Problem& problem) {
  MatMulPlan plan;
  if (problem.op != "MatMul") {
    plan.attributes.set("transA", problem.attributes.get_int("transA", 0));
    plan.attributes.set("transB", problem.attributes.get_int("transB", 0));
    plan.scale = problem.op == "Gemm" ? problem.attributes.get_float("alpha", 1) : problem.attributes.get_float("scale", 1);
    if (problem.op == "Gemm") plan.bias_factor = problem.attributes.get_float("beta", 1);
  }
  FOVEA_ASSIGN(plan.shapes, ops::MatMulShapes::resolve(plan.attributes, problem.inputs[0].shape, problem.inputs[1].shape));
  return plan;
}

class OnednnMatMul : public Kernel {
 public:
  std::string_view name() const override { return "onednn_matmul"; }

  Status can_run(const Problem& problem) const override {
    for (const auto* group : {&problem.inputs, &problem.outputs}) {
      for (const TensorDesc& desc : *group) {
        if (desc.type == DataType::undefined) continue;
        if (desc.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(desc.type));
        if (desc.layout != Layout::plain && desc.shape.rank() >= 3) return unsupported("plain layouts");
        if (desc.shape.elements() == 0) return unsupported("tensors without elements");
      }
    }
    if (!problem.inputs[1].is_dense() || !problem.outputs[0].is_dense()) return unsupported("dense right operand and output");
    if (problem.inputs[0].shape.rank() == 1 && !problem.inputs[0].is_dense()) return unsupported("dense vectors");
    FOVEA_ASSIGN(const MatMulPlan plan, resolve(problem));
    if (plan.shapes.batch.rank() + 2 > 6) return unsupported("at most four batch axes");
    if (!(plan.shapes.output == problem.outputs[0].shape)) return unsupported("an output of shape ", plan.shapes.output.to_string());
    if (problem.has_input(3) && !(problem.inputs[3].shape == plan.shapes.output)) return unsupported("a residual of the output's shape");
    if (problem.has_input(2)) {
      FOVEA_ASSIGN(const Shape joined, ops::broadcast(plan.shapes.output, problem.inputs[2].shape));
      if (!(joined == plan.shapes.output)) return unsupported("a bias that broadcasts to the output");
    }
    if (plan.bias_factor != 1) return unsupported("Gemm with beta 1");
    if (problem.has_input(2) && !problem.inputs[2].is_dense()) return unsupported("a dense bias");
    if (problem.has_input(3) && !problem.inputs[3].is_dense()) return unsupported("a dense residual");
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const MatMulPlan plan, resolve(problem));
    return onednn_guard("matmul", [&]() -> Result<std::unique_ptr<PreparedKernel>> {
      const ThreadCountScope scope(problem.threads);
      const ops::MatMulShapes& s = plan.shapes;
      // 1. Fold batch axes of A into rows when B has none: one large product.
      const bool folds = s.b_batch.elements() == 1 && !s.a_swapped && problem.inputs[0].is_dense() && problem.inputs[0].shape.rank() >= 2;
      const std::int64_t rows = folds ? s.m * s.batch.elements() : s.m;
      const int batch_rank = folds ? 0 : s.batch.rank();
      memory::dims batch;
      for (int axis = 0; axis < batch_rank; ++axis) batch.push_back(s.batch[axis]);
      memory::dims dst_dims = batch;
      dst_dims.insert(dst_dims.end(), {rows, s.n});
      memory::dims dst_strides(dst_dims.size());
      std::int64_t stride = 1;
      for (std::size_t i = dst_dims.size(); i-- > 0;) dst_strides[i] = stride, stride *= dst_dims[i];
      const memory::desc dst(dst_dims, memory::data_type::f32, dst_strides);
      const memory::desc a = folds ? memory::desc({rows, s.k}, memory::data_type::f32, memory::dims{s.k, 1})
                                   : operand(problem.inputs[0], s.m, s.k, s.a_swapped, true, batch_rank);
      const memory::desc b_given = operand(problem.inputs[1], s.k, s.n, s.b_swapped, false, batch_rank);
      const bool packed = problem.is_constant(1) && s.b_batch.elements() == 1;
      const memory::desc b = packed ? memory::desc(b_given.dims(), memory::data_type::f32, memory::format_tag::any) : b_given;
      // 2. Post-ops: scale, bias that is no vector of columns, residual, activation.
      dnnl::primitive_attr attributes;
      attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
      if (plan.scale != 1) attributes.set_output_scales(0, {static_cast<float>(plan.scale)});
      dnnl::post_ops post_ops;
      memory::desc bias, c;
      int position = 0, addend_position = -1;
      if (problem.has_input(2)) {
        FOVEA_ASSIGN(c, broadcast_operand(problem.inputs[2].shape, s.output, dst_dims, folds));
        // oneDNN scales the bias too, so a scaled product takes it as a post-op.
        bool columns = plan.scale == 1;
        for (std::size_t axis = 0; axis + 1 < dst_dims.size(); ++axis) columns = columns && c.dims()[axis] == 1;
        if (columns) {
          bias = c;
        } else {
          post_ops.append_binary(dnnl::algorithm::binary_add, c);
          ++position;
        }
      }
      const Residual residual = problem.op == "fovea::matmul" && problem.has_input(3) ? residual_from(problem.attributes) : Residual::None;
      if (residual == Residual::Before) post_ops.append_binary(dnnl::algorithm::binary_add, dst), addend_position = position++;
      if (problem.op == "fovea::matmul") FOVEA_RETURN_IF_ERROR(append_activation(post_ops, Activation::from(problem.attributes)));
      if (residual == Residual::After) addend_position = post_ops.len(), post_ops.append_binary(dnnl::algorithm::binary_add, dst);
      attributes.set_post_ops(post_ops);
      // 3. Primitive and arguments.
      const bool with_bias = bias.data.ndims != 0;
      const dnnl::matmul::desc desc = with_bias ? dnnl::matmul::desc(a, b, bias, dst) : dnnl::matmul::desc(a, b, dst);
      const dnnl::matmul::primitive_desc primitive(desc, attributes, onednn_engine());
      auto prepared = std::make_unique<PreparedMatMul>();
      OnednnCall& call = prepared->call;
      prepared->a = call.add(DNNL_ARG_SRC, a);
      if (packed) {
        FOVEA_ASSIGN(memory weights, onednn_pack(problem.constants[1].raw(), b_given, primitive.weights_desc()));
        call.add_constant(DNNL_ARG_WEIGHTS, std::move(weights));
      } else {
        prepared->b = call.add(DNNL_ARG_WEIGHTS, b);
      }
      if (with_bias) prepared->bias = call.add(DNNL_ARG_BIAS, bias);
      else if (problem.has_input(2)) prepared->c = call.add(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, c);
      if (addend_position >= 0) prepared->addend = call.add(DNNL_ARG_ATTR_MULTIPLE_POST_OP(addend_position) | DNNL_ARG_SRC_1, dst);
      prepared->dst = call.add(DNNL_ARG_DST, dst);
      prepared->scratch = primitive.scratchpad_desc().get_size();
      prepared->scratchpad = call.add(DNNL_ARG_SCRATCHPAD, primitive.scratchpad_desc());
      call.finish(dnnl::matmul(primitive));
      return std::unique_ptr<PreparedKernel>(std::move(prepared));
    });
  }

 private:
  /// A bias that broadcasts to the output, in the rank of `dst`.
  static Result<memory::desc> broadcast_operand(const Shape& bias, const Shape& output, const memory::dims& dst, bool folded) {
    memory::dims dims(dst.size(), 1), strides(dst.size());
    const std::int64_t n = dst.back();
    if (bias.rank() > 0 && bias[bias.rank() - 1] == n) dims.back() = n;
    if (bias.elements() != dims.back()) {
      if (folded) {
        if (bias.elements() == output.elements()) dims = dst;
        else return unsupported("a bias that varies by row of a folded batch");
      } else {
        if (output.rank() != static_cast<int>(dst.size())) return unsupported("a bias that varies by row of a vector product");
        for (int axis = 0; axis < output.rank(); ++axis) {
          const int own = axis - (output.rank() - bias.rank());
          dims[static_cast<std::size_t>(axis)] = own < 0 ? 1 : bias[own];
        }
      }
    }
    std::int64_t stride = 1;
    for (std::size_t i = dims.size(); i-- > 0;) strides[i] = stride, stride *= dims[i];
    return memory::desc(dims, memory::data_type::f32, strides);
  }
};

}  // namespace

const Kernel& onednn_matmul() {
  static const OnednnMatMul kernel;
  return kernel;
}

}  // namespace fovea
