// SPDX-License-Identifier: Apache-2.0
// One spelling for what has several, so that the other passes need to know only one:
//   Sum(x, y, ...)                          => Add(Add(x, y), ...)
//   Add(c, x), Mul(c, x)                    => Add(x, c), Mul(x, c)            (constants right)
//   Sub(x, c)                               => Add(x, -c)                      (floats)
//   Div(x, c)                               => Mul(x, 1/c)                     (only if every c is a power of two)
//   Min(Max(x, a), b), Max(Min(x, b), a)    => Clip(x, a, b)                   (scalars, a <= b)
//   Clip(x, 0), Max(x, 0)                   => Relu(x)                         (floats)
//   PRelu(x, one slope)                     => LeakyRelu(x)
//   ReduceMean over all of H, W, kept       => GlobalAveragePool
//   CastLike(x, y)                          => Cast(x)                         (the type of y is known)
//   Gather(x, scalar) along axis 0          => Reshape(Slice(x))
//   Flatten, Squeeze, Unsqueeze             => Reshape                         (at most one extent unknown)
// Must not fire on integer division, unsigned subtraction, Clip with bounds that are not constants, PRelu with a slope
// per channel.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> canonicalize_operators(ir::Graph& graph);

}  // namespace fovea::passes
