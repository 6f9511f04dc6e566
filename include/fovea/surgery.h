// SPDX-License-Identifier: Apache-2.0
// Graph surgery: a user's own edits of a model, ONNX in and ONNX out. Every function leaves its argument alone and
// returns a model that export_onnx() can write; names of tensors survive.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fovea/build.h"
#include "fovea/model.h"

namespace fovea {

struct SimplifyOptions {
  std::map<std::string, Shape> shapes = {};          ///< free extents to fix, by input name
  std::vector<std::string> disabled_passes = {};
};

/// The same network with what is known folded away: constants and shape arithmetic, dead nodes, identities, transposes and
/// reshapes that cancel, BatchNormalization and padding inside convolutions. Uses ONNX's own operators only; quantisation
/// steps stay.
Result<Model> simplify(const Model& model, const SimplifyOptions& options = {});

/// Largest difference of one output of two models, by compare()'s measures.
struct OutputDifference {
  std::string name;
  double max_abs = 0, range = 0;
};

/// Runs both models, as they are, on the same seeded inputs (free extents: 1 on the first axis, 320 elsewhere, or `shapes`).
/// InvalidArgument when their inputs or outputs have other names.
Result<std::vector<OutputDifference>> compare_models(const Model& a, const Model& b, const std::map<std::string, Shape>& shapes = {},
                                                     std::uint64_t seed = 0);

/// The part of the network between tensors: computes `outputs` from `inputs`. InvalidArgument when a name does not exist,
/// and when an output still depends on an input of the whole model: the message then shows the path that remains.
Result<Model> extract(const Model& model, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs);

struct Part {
  std::string name;  ///< "front", then each part's first output
  Model model;
};

/// Cuts the network at tensors. The first part computes them (and the outputs that need none of them); behind the cut
/// each group of outputs that share work becomes a part of its own, with the cut tensors it reads as inputs.
/// `outputs`, when given, take the place of the model's own: what lies behind them is left out.
Result<std::vector<Part>> split(const Model& model, const std::vector<std::string>& at, const std::vector<std::string>& outputs = {});

/// Gives tensors new names, old -> new. InvalidArgument when an old name does not exist or a new one is taken.
Result<Model> rename_tensors(const Model& model, const std::map<std::string, std::string>& names);

/// Makes the inputs' extents the given numbers, everywhere in the model.
Result<Model> fix_shapes(const Model& model, const std::map<std::string, Shape>& shapes);

/// Without these outputs and what only they needed. At least one output must stay.
Result<Model> remove_outputs(const Model& model, const std::vector<std::string>& outputs);

}  // namespace fovea
