// SPDX-License-Identifier: Apache-2.0
// SequenceMap: outputs[k][i] = body(inputs[0][i], inputs[1][i] or inputs[1] .., captures..)[k]
#include "ops/sequence/sequence_items.h"

namespace fovea::ops {

Status sequence_map_reference(KernelContext& context) {
  const std::int64_t captures = context.attributes().get_int("captures");
  const int declared = context.num_inputs() - static_cast<int>(captures);
  if (captures < 0 || declared < 1) return invalid_argument("captures is ", captures, " of ", context.num_inputs(), " inputs");
  if (!context.bodies()) return internal_error("SequenceMap: no body to run");
  FOVEA_ASSIGN(const auto* first, sequence_items(context, 0));
  for (int k = 1; k < declared; ++k) {
    if (context.datum(k).kind != Datum::Kind::Sequence) continue;
    FOVEA_ASSIGN(const auto* items, sequence_items(context, k));
    if (items->size() != first->size()) return invalid_argument("input ", k, " has ", items->size(), " elements, input 0 ", first->size());
  }
  std::vector<std::vector<Datum>> mapped(static_cast<std::size_t>(context.num_outputs()));
  for (std::size_t i = 0; i < first->size(); ++i) {
    std::vector<Datum> inputs;
    for (int k = 0; k < context.num_inputs(); ++k) {
      const Datum& datum = context.datum(k);
      inputs.push_back(k < declared && datum.kind == Datum::Kind::Sequence ? (*datum.items)[i] : datum);
    }
    auto results = context.bodies()->run(0, std::move(inputs));
    if (!results.ok()) return std::move(results).status().with_context(str_cat("element ", i));
    if (results->size() < mapped.size()) return invalid_argument("the body gives ", results->size(), " outputs; expected ", mapped.size());
    for (std::size_t k = 0; k < mapped.size(); ++k) mapped[k].push_back(std::move((*results)[k]));
  }
  for (int k = 0; k < context.num_outputs(); ++k) {
    auto& items = mapped[static_cast<std::size_t>(k)];
    const DataType element = items.empty() ? context.bodies()->output_type(0, k).element : items[0].tensor.type();
    FOVEA_RETURN_IF_ERROR(set_sequence(context, k, std::move(items), element));
  }
  return {};
}

}  // namespace fovea::ops
