// SPDX-License-Identifier: Apache-2.0
// compile(): the road from a graph to a Plan. build() of the public API is this plus an Engine around it.
#pragma once

#include "engine/plan.h"
#include "fovea/build.h"
#include "ir/graph.h"

namespace fovea::compiler {

/// Steps: shape ranges, shape inference, reference outputs, passes, layouts, kernel choice with verification, views,
/// lowering, end-to-end check. Fails with the layer's name when something cannot be made right. `inputs`, one per graph
/// input, replace the samples of the options (they may be sequences or nothing, which samples cannot).
Result<Plan> compile(ir::Graph graph, const BuildOptions& options, const std::vector<Datum>* inputs = nullptr);

/// The graph as it is, every step on its reference kernel: the oracle of `compare`.
Result<Plan> compile_reference(ir::Graph graph);

/// One value per graph input: the sample's tensor where given (type and rank checked), else seeded data of the typical shape.
Result<std::vector<Datum>> make_inputs(const ir::Graph& graph, const std::vector<Shape>& typical,
                                       const std::map<std::string, Tensor>& sample, std::uint64_t seed);

}  // namespace fovea::compiler
