// SPDX-License-Identifier: Apache-2.0
// RotaryEmbedding: channels in pairs (x1, x2) become (cos x1 - sin x2, sin x1 + cos x2), with the angle of their
// position. A pair is two neighbours (interleaved) or one channel of each half; channels behind the rotary width stay.
#include "ops/wide.h"

namespace fovea::ops {

Status rotary_embedding_reference(KernelContext& context) {
  const Attributes& attributes = context.attributes();
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  if (x.rank() != 3 && x.rank() != 4) return invalid_argument("RotaryEmbedding: the input must have rank 3 or 4, found ", x.rank());
  const bool packed = x.rank() == 3;  // heads side by side in the last axis
  const std::int64_t heads = packed ? attributes.get_int("num_heads") : x.dim(1);
  if (packed && (heads <= 0 || x.dim(2) % heads != 0)) {
    return invalid_argument("RotaryEmbedding: width ", x.dim(2), " does not split into ", heads, " heads");
  }
  const std::int64_t batch = x.dim(0), length = packed ? x.dim(1) : x.dim(2), width = packed ? x.dim(2) / heads : x.dim(3);
  const std::int64_t asked = attributes.get_int("rotary_embedding_dim", 0);
  const std::int64_t rotary = asked == 0 ? width : asked;
  if (rotary < 0 || rotary > width || rotary % 2 != 0) {
    return invalid_argument("RotaryEmbedding: the rotary width must be even and at most ", width, ", found ", rotary);
  }
  const std::int64_t half = rotary / 2;
  const bool interleaved = attributes.get_int("interleaved", 0) != 0;

  // One row of cosines and sines per batch entry and position, or one per position id.
  const bool by_id = context.has_input(3);
  FOVEA_ASSIGN(const Tensor cosines, widen(context, 1));
  FOVEA_ASSIGN(const Tensor sines, widen(context, 2));
  const bool fits = cosines.shape() == sines.shape() && cosines.rank() == (by_id ? 2 : 3) && cosines.dim(cosines.rank() - 1) == half &&
                    (by_id || (cosines.dim(0) == batch && cosines.dim(1) == length));
  if (!fits) {
    return invalid_argument("RotaryEmbedding: caches of shapes ", cosines.shape().to_string(), " and ", sines.shape().to_string(), " do not fit, expected ",
                            by_id ? "positions" : str_cat(batch, "x", length), "x", half);
  }
  if (by_id) {
    const Tensor& ids = context.input(3);
    if (ids.type() != DataType::i64 || !(ids.shape() == Shape{batch, length})) {
      return invalid_argument("RotaryEmbedding: position_ids must be i64 ", batch, "x", length, ", found ", name(ids.type()), " ", ids.shape().to_string());
    }
    for (const std::int64_t id : ids.values<std::int64_t>()) {
      if (id < 0 || id >= cosines.dim(0)) return invalid_argument("RotaryEmbedding: position id ", id, " is outside the cache of ", cosines.dim(0), " positions");
    }
  }

  FOVEA_ASSIGN(Tensor y, x.clone());
  if (x.elements() == 0) return store(context, 0, context.input(0).type(), y);
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t s = 0; s < length; ++s) {
      const std::int64_t row = by_id ? context.input(3).data<std::int64_t>()[b * length + s] : b * length + s;
      const double *cosine = cosines.data<double>() + row * half, *sine = sines.data<double>() + row * half;
      for (std::int64_t h = 0; h < heads; ++h) {
        const std::int64_t at = packed ? ((b * length + s) * heads + h) * width : ((b * heads + h) * length + s) * width;
        const double* in = x.data<double>() + at;
        double* out = y.data<double>() + at;
        for (std::int64_t i = 0; i < half; ++i) {
          const std::int64_t first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : half + i;
          out[first] = cosine[i] * in[first] - sine[i] * in[second];
          out[second] = sine[i] * in[first] + cosine[i] * in[second];
        }
      }
    }
  }
  return store(context, 0, context.input(0).type(), y);
}

}  // namespace fovea::ops
