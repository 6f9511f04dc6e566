// SPDX-License-Identifier: Apache-2.0
// Multi-scale deformable attention: schemas, shape rules, and the checks that reference and tuned kernel share.
#include "ops/deform/deform_attention.h"

#include "base/checked_math.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

constexpr std::string_view kInputs[] = {"value", "spatial_shapes", "level_start_index", "sampling_locations", "attention_weights"};
constexpr std::string_view kPackedInputs[] = {"value", "spatial_shapes", "level_start_index", "sampling_loc_attn"};

Status expect_rank(std::string_view what, std::size_t rank, std::size_t expected) {
  return rank == expected ? Status() : invalid_argument(what, ": expected rank ", expected, ", found ", rank);
}
Status expect_extent(std::string_view what, int axis, const Dim& found, const Dim& expected, std::string_view like) {
  if (found == expected || !found.is_constant() || !expected.is_constant()) return {};
  return invalid_argument(what, ": expected extent ", expected.to_string(), " on axis ", axis, like, ", found ", found.to_string());
}

/// What is known of the shapes (null: nothing) must fit together.
Status check_levels(const SymbolicShape* shapes, const SymbolicShape* starts) {
  if (shapes) {
    FOVEA_RETURN_IF_ERROR(expect_rank(kInputs[1], shapes->size(), 2));
    FOVEA_RETURN_IF_ERROR(expect_extent(kInputs[1], 1, (*shapes)[1], Dim(2), " (height, width)"));
  }
  if (starts) FOVEA_RETURN_IF_ERROR(expect_rank(kInputs[2], starts->size(), 1));
  return shapes && starts ? expect_extent(kInputs[2], 0, (*starts)[0], (*shapes)[0], " like spatial_shapes") : Status();
}

Status check_separate(const SymbolicShape* value, const SymbolicShape* shapes, const SymbolicShape* starts, const SymbolicShape* locations,
                      const SymbolicShape* weights) {
  FOVEA_RETURN_IF_ERROR(check_levels(shapes, starts));
  if (value) FOVEA_RETURN_IF_ERROR(expect_rank(kInputs[0], value->size(), 4));
  if (locations) {
    FOVEA_RETURN_IF_ERROR(expect_rank(kInputs[3], locations->size(), 6));
    FOVEA_RETURN_IF_ERROR(expect_extent(kInputs[3], 5, (*locations)[5], Dim(2), " (x, y)"));
    if (shapes) FOVEA_RETURN_IF_ERROR(expect_extent(kInputs[3], 3, (*locations)[3], (*shapes)[0], ", one per level"));
    if (value) {
      FOVEA_RETURN_IF_ERROR(expect_extent(kInputs[3], 0, (*locations)[0], (*value)[0], " like value"));
      FOVEA_RETURN_IF_ERROR(expect_extent(kInputs[3], 2, (*locations)[2], (*value)[2], ", one per head"));
    }
  }
  if (weights) FOVEA_RETURN_IF_ERROR(expect_rank(kInputs[4], weights->size(), 5));
  if (weights && locations) {
    for (int axis = 0; axis < 5; ++axis) {
      const auto at = static_cast<std::size_t>(axis);
      FOVEA_RETURN_IF_ERROR(expect_extent(kInputs[4], axis, (*weights)[at], (*locations)[at], " like sampling_locations"));
    }
  }
  return {};
}

/// Two coordinates and a weight for each sample.
Result<std::int64_t> numbers_per_head(std::int64_t levels, std::int64_t points) {
  std::int64_t numbers = 0;
  if (checked_mul(levels, points, numbers) && checked_mul(numbers, 3, numbers)) return numbers;
  return invalid_argument("sampling locations: ", points, " points on ", levels, " levels are too many");
}

Status check_packed(const SymbolicShape* value, const SymbolicShape* shapes, const SymbolicShape* starts, const SymbolicShape* packed,
                    std::int64_t points) {
  FOVEA_RETURN_IF_ERROR(check_levels(shapes, starts));
  if (value) FOVEA_RETURN_IF_ERROR(expect_rank(kPackedInputs[0], value->size(), 4));
  if (!packed) return {};
  FOVEA_RETURN_IF_ERROR(expect_rank(kPackedInputs[3], packed->size(), 4));
  if (value) {
    FOVEA_RETURN_IF_ERROR(expect_extent(kPackedInputs[3], 0, (*packed)[0], (*value)[0], " like value"));
    FOVEA_RETURN_IF_ERROR(expect_extent(kPackedInputs[3], 2, (*packed)[2], (*value)[2], ", one per head"));
  }
  if (!shapes || !(*shapes)[0].is_constant()) return {};
  FOVEA_ASSIGN(const std::int64_t numbers, numbers_per_head((*shapes)[0].constant(), points));
  return expect_extent(kPackedInputs[3], 3, (*packed)[3], Dim(numbers), " (3 * levels * points)");
}

SymbolicShape symbolic(const Shape& shape) { return {shape.begin(), shape.end()}; }

Status set_output(InferContext& context, const SymbolicShape* value, const SymbolicShape* locations) {
  context.set_output_element(0, context.input_element(0));
  if (value && locations) context.set_output_shape(0, {(*value)[0], (*locations)[1], (*value)[2] * (*value)[3]});
  return {};
}

Status infer_separate(InferContext& context) {
  const SymbolicShape *value = context.input_shape(0), *locations = context.input_shape(3);
  FOVEA_RETURN_IF_ERROR(check_separate(value, context.input_shape(1), context.input_shape(2), locations, context.input_shape(4)));
  return set_output(context, value, locations);
}

Status infer_packed(InferContext& context) {
  const SymbolicShape *value = context.input_shape(0), *packed = context.input_shape(3);
  FOVEA_ASSIGN(const FlashAttentionParams params, FlashAttentionParams::parse(context.attributes()));
  FOVEA_RETURN_IF_ERROR(check_packed(value, context.input_shape(1), context.input_shape(2), packed, params.points));
  return set_output(context, value, packed);
}

DeformAttentionExtents common_extents(const Shape& value, const Shape& spatial_shapes, const Shape& locations) {
  return {.batch = value[0], .rows = value[1], .heads = value[2], .width = value[3], .queries = locations[1], .levels = spatial_shapes[0]};
}

Result<std::int64_t> read_integer(std::string_view what, DataType type, const void* data, std::size_t i) {
  if (type == DataType::i64) return static_cast<const std::int64_t*>(data)[i];
  if (type == DataType::i32) return std::int64_t{static_cast<const std::int32_t*>(data)[i]};
  return invalid_argument(what, ": expected i32 or i64, found ", name(type));
}

}  // namespace

Result<DeformAttentionExtents> DeformAttentionExtents::separate(const Shape& value, const Shape& spatial_shapes, const Shape& starts,
                                                                const Shape& locations, const Shape& weights) {
  const SymbolicShape known[] = {symbolic(value), symbolic(spatial_shapes), symbolic(starts), symbolic(locations), symbolic(weights)};
  FOVEA_RETURN_IF_ERROR(check_separate(&known[0], &known[1], &known[2], &known[3], &known[4]));
  DeformAttentionExtents extents = common_extents(value, spatial_shapes, locations);
  extents.points = locations[4];
  FOVEA_RETURN_IF_ERROR(numbers_per_head(extents.levels, extents.points).status());
  return extents;
}

Result<DeformAttentionExtents> DeformAttentionExtents::packed(const Shape& value, const Shape& spatial_shapes, const Shape& starts,
                                                              const Shape& packed, std::int64_t points) {
  const SymbolicShape known[] = {symbolic(value), symbolic(spatial_shapes), symbolic(starts), symbolic(packed)};
  FOVEA_RETURN_IF_ERROR(check_packed(&known[0], &known[1], &known[2], &known[3], points));
  DeformAttentionExtents extents = common_extents(value, spatial_shapes, packed);
  extents.points = points;
  return extents;
}

Result<FlashAttentionParams> FlashAttentionParams::parse(const Attributes& attributes) {
  FlashAttentionParams params{attributes.get_int("points", 0), attributes.get_int("softmax", 1) != 0};
  if (params.points < 1) return invalid_model("points: expected 1 or more samples per level, found ", params.points);
  return params;
}

Status read_levels(DataType shapes_type, const void* spatial_shapes, DataType starts_type, const void* starts, std::int64_t rows,
                   std::span<AttentionLevel> levels) {
  for (std::size_t l = 0; l < levels.size(); ++l) {
    AttentionLevel& level = levels[l];
    FOVEA_ASSIGN(level.height, read_integer(kInputs[1], shapes_type, spatial_shapes, 2 * l));
    FOVEA_ASSIGN(level.width, read_integer(kInputs[1], shapes_type, spatial_shapes, 2 * l + 1));
    FOVEA_ASSIGN(level.start, read_integer(kInputs[2], starts_type, starts, l));
    if (level.height < 0 || level.width < 0) return invalid_argument("spatial_shapes: level ", l, " is ", level.height, "x", level.width);
    std::int64_t end = 0;
    const bool fits = checked_mul(level.height, level.width, end) && checked_add(end, level.start, end) && level.start >= 0 && end <= rows;
    if (!fits) {
      return invalid_argument("level_start_index: level ", l, " of ", level.height, "x", level.width, " from row ", level.start,
                              " on does not fit the ", rows, " rows of value");
    }
  }
  return {};
}

OperatorSchema mmcv_deform_attention_schema() {
  return {.name = "mmdeploy::MMCVMultiScaleDeformableAttention", .min_inputs = 5, .max_inputs = 5, .types = kFloatTypes, .infer = infer_separate,
          .summary = "weighted sum of samples on several feature maps, per query and head"};
}

OperatorSchema flash_deform_attention_schema() {
  return {.name = "custom_op::FlashDeformAttn", .min_inputs = 4, .max_inputs = 4, .types = kFloatTypes,
          .attributes = {{.name = "points", .type = AttributeType::Int, .required = true},
                         {.name = "softmax", .type = AttributeType::Int, .default_text = "1"}},
          .infer = infer_packed, .summary = "the same with locations and weights packed, softmax inside"};
}

}  // namespace fovea::ops
