// SPDX-License-Identifier: Apache-2.0
// The order of the passes, and why it is this one.
#include <algorithm>

#include "passes/canonicalize_operators.h"
#include "passes/decompose_batch_norm.h"
#include "passes/eliminate_dead_code.h"
#include "passes/eliminate_identities.h"
#include "passes/flush_denormals.h"
#include "passes/fold_constant_if.h"
#include "passes/fold_constants.h"
#include "passes/fold_sequences.h"
#include "passes/fold_shape_arithmetic.h"
#include "passes/form_pointwise_programs.h"
#include "passes/fuse_attention.h"
#include "passes/fuse_channel_shuffle.h"
#include "passes/fuse_conv_activation.h"
#include "passes/fuse_conv_bn.h"
#include "passes/fuse_gelu.h"
#include "passes/fuse_group_norm.h"
#include "passes/fuse_hard_swish.h"
#include "passes/fuse_layer_norm.h"
#include "passes/fuse_matmul.h"
#include "passes/fuse_norm_affine.h"
#include "passes/fuse_pad.h"
#include "passes/fuse_quantized_conv.h"
#include "passes/fuse_silu.h"
#include "passes/fuse_sliced_offset.h"
#include "passes/fuse_value_and_offset.h"
#include "passes/hoist_activations.h"
#include "passes/hoist_channel_maps.h"
#include "passes/merge_convs_sharing_input.h"
#include "passes/merge_duplicates.h"
#include "passes/merge_reshapes.h"
#include "passes/pass.h"
#include "passes/recover_deform_attention.h"
#include "passes/remove_qdq_where_exact.h"
#include "passes/sink_transposes.h"
#include "passes/sort_channels.h"
#include "passes/split_gathers.h"
#include "passes/transpose_beside_convolution.h"
#include "passes/widen_half_precision.h"

namespace fovea::passes {

namespace {

// First of all, while the weights are still integers: folding would turn them into floats.
constexpr Pass kQuantized[] = {
    {"eliminate_dead_code", "nodes, outputs and captures that nobody uses", eliminate_dead_code},
    {"fold_constants_keep_quantized", "run operators whose inputs are constants, but for weights", fold_constants_keep_quantized},
    {"eliminate_identities", "remove work that changes nothing", eliminate_identities},
    {"fuse_quantized_conv", "convolutions and products between quantisation steps", fuse_quantized_conv},
};

// Each of these can make work for the others: a folded shape makes a Reshape an identity, which lets two Transposes
// meet, and so on. Dead code goes first, so that no other pass meets a node without outputs. Real networks settle in
// three rounds; the bound is for the others.
constexpr Pass kSimplify[] = {
    {"eliminate_dead_code", "nodes, outputs and captures that nobody uses", eliminate_dead_code},
    {"fold_constants", "run operators whose inputs are constants", fold_constants},
    {"fold_shape_arithmetic", "shape arithmetic with a known result", fold_shape_arithmetic, true},
    {"fold_constant_if", "take the branch of an If with a constant condition", fold_constant_if},
    {"fold_sequences", "sequences with known items", fold_sequences},
    {"canonicalize_operators", "one spelling for what has several", canonicalize_operators},
    {"eliminate_identities", "remove work that changes nothing", eliminate_identities},
    {"merge_reshapes", "chains of reshapes, computed target shapes", merge_reshapes},
    {"sink_transposes", "move transposes down until they cancel", sink_transposes},
    {"merge_duplicates", "common subexpressions and equal constants", merge_duplicates},
};

// Only after constants and dead parts are gone is it clear what a network computes in.
constexpr Pass kPrecision[] = {
    {"widen_half_precision", "f16 and bf16 networks compute in f32", widen_half_precision, true},
    {"eliminate_identities", "remove work that changes nothing", eliminate_identities},
};

// Larger patterns first: silu and friends would take pieces out of them. They must come before fuse_conv_bn, which
// would fold a GELU's constant factor into a convolution.
constexpr Pass kPatterns[] = {
    {"fuse_sliced_offset", "DCNv4 reads value and offset from the tensor they are cut from", fuse_sliced_offset},
    {"recover_deform_attention", "deformable attention composed from GridSample", recover_deform_attention},
    {"fuse_channel_shuffle", "reshapes and transposes that reorder whole channels", fuse_channel_shuffle},
    {"fuse_layer_norm", "LayerNorm, RMSNorm, InstanceNorm in all their spellings", fuse_layer_norm},
    {"fuse_group_norm", "GroupNorm written as InstanceNorm of reshaped channels", fuse_group_norm},
    {"fuse_norm_affine", "factor and summand into a normalisation", fuse_norm_affine},
    {"fuse_attention", "softmax attention", fuse_attention},
    {"fuse_gelu", "GELU in all its spellings", fuse_gelu},
    {"fuse_hard_swish", "hard swish and hard sigmoid", fuse_hard_swish},
    {"fuse_silu", "x * sigmoid(x), mish", fuse_silu},
};

// Quantisation first: what it leaves between convolution and BatchNormalization is real rounding.
constexpr Pass kConvolutions[] = {
    {"remove_qdq_where_exact", "quantisation steps that change no number", remove_qdq_where_exact},
    {"fuse_pad", "zero padding into convolutions and pools", fuse_pad},
    {"fuse_conv_bn", "factors and summands per channel into weights", fuse_conv_bn},
    {"flush_denormals", "weights that decayed below 2^-126 to zero", flush_denormals},
    {"sort_channels", "gathers in front of convolutions in ascending order", sort_channels},
    {"split_gathers", "gathers of concatenations from the parts", split_gathers},
    {"transpose_beside_convolution", "transposes between pictures and rows on the picture's side",
     transpose_beside_convolution},
    {"hoist_channel_maps", "1x1 convolutions to where they have less to do", hoist_channel_maps},
    {"hoist_activations", "activations up to the convolution or product", hoist_activations},
    {"eliminate_identities", "remove work that changes nothing", eliminate_identities},
};

// From here on operators of our own appear.
constexpr Pass kFusions[] = {
    {"fuse_conv_activation", "convolution with residual and activation", fuse_conv_activation},
    {"merge_convs_sharing_input", "small convolutions of one input", merge_convs_sharing_input},
    {"fuse_matmul", "product with transposes, scale, bias, residual, activation", fuse_matmul},
    {"decompose_batch_norm", "leftover BatchNormalization as factor and summand", decompose_batch_norm},
};

// Last, on what the fused operators left over.
constexpr Pass kPointwise[] = {
    {"form_pointwise_programs", "trees of elementwise operators as one node", form_pointwise_programs},
};

constexpr Pass kCleanup[] = {
    {"merge_duplicates", "common subexpressions and equal constants", merge_duplicates},
    {"eliminate_dead_code", "nodes, outputs and captures that nobody uses", eliminate_dead_code},
};

// Only by name: rewrites that pay on some devices, or that users want to see in their own files.
constexpr Pass kOnRequest[] = {
    {"fuse_value_and_offset", "the two projections in front of a DCNv4 as one", fuse_value_and_offset},
};

// For people and tools that read ONNX: no operators of ours, and weights that are quantised stay so.
constexpr Pass kWithinOnnx[] = {
    {"eliminate_dead_code", "nodes, outputs and captures that nobody uses", eliminate_dead_code},
    {"fold_constants_keep_quantized", "run operators whose inputs are constants, but for weights", fold_constants_keep_quantized},
    {"fold_shape_arithmetic", "shape arithmetic with a known result", fold_shape_arithmetic, true},
    {"fold_constant_if", "take the branch of an If with a constant condition", fold_constant_if},
    {"fold_sequences", "sequences with known items", fold_sequences},
    {"eliminate_identities", "remove work that changes nothing", eliminate_identities},
    {"merge_reshapes", "chains of reshapes, computed target shapes", merge_reshapes},
    {"sink_transposes", "move transposes down until they cancel", sink_transposes},
    {"fuse_pad", "zero padding into convolutions and pools", fuse_pad},
    {"fuse_conv_bn", "factors and summands per channel into weights", fuse_conv_bn},
    {"merge_duplicates", "common subexpressions and equal constants", merge_duplicates},
};

// clang-format off
constexpr PassGroup kSimplification[] = {
    {"within_onnx", kWithinOnnx, 12},
};

constexpr PassGroup kOptimization[] = {
    {"quantized", kQuantized, 3},
    {"simplify", kSimplify, 12},
    {"precision", kPrecision, 1},
    {"patterns", kPatterns, 2},
    {"convolutions", kConvolutions, 3},
    {"fusions", kFusions, 1},
    {"pointwise", kPointwise, 1},
    {"cleanup", kCleanup, 1},
};
// clang-format on

}  // namespace

std::span<const PassGroup> optimization_passes() { return kOptimization; }
std::span<const PassGroup> simplification_passes() { return kSimplification; }

std::span<const Pass> passes_on_request() { return kOnRequest; }

const Pass* find_pass(std::string_view name) {
  for (const Pass& pass : kOnRequest) {
    if (pass.name == name) return &pass;
  }
  for (const PassGroup& group : kOptimization) {
    const auto found =
        std::find_if(group.passes.begin(), group.passes.end(), [&](const Pass& pass) { return pass.name == name; });
    if (found != group.passes.end()) return &*found;
  }
  return nullptr;
}

}  // namespace fovea::passes
