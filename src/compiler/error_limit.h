// SPDX-License-Identifier: Apache-2.0
// How far a kernel's result may be from the reference: derived from the type and the length of the sums in it.
#pragma once

#include <cstdint>

#include "device/kernel.h"

namespace fovea::compiler {

/// Terms added up for one output element: ic/g*kh*kw of a convolution, k of a matrix product, the pooled or
/// normalised extent; for what is not known better, input elements per output element.
std::int64_t reduction_length(const Problem& problem);

/// Largest accepted |kernel - reference| relative to max |reference|. A sum of K products rounded at each step is off
/// by at most K*u*sum|a*b| (Higham 2002, 3.1); u is the unit roundoff of the type. 32 more roundings are
/// granted for scaling, bias and the activation, whose vector forms are good to a few units each.
double error_limit(DataType type, std::int64_t reduction);

}  // namespace fovea::compiler
