// SPDX-License-Identifier: Apache-2.0
#include "fovea/model.h"

#include "ir/graph.h"

namespace fovea {

namespace {

std::vector<TensorInfo> describe(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::vector<TensorInfo> infos;
  for (const ir::ValueId id : ids) {
    const ir::Value& value = graph.value(id);
    TensorInfo info;
    info.name = value.name;
    info.type = value.type.element;
    info.rank_known = value.shape.has_value();
    if (value.shape) {
      for (const Dim& dim : *value.shape) info.shape.push_back(dim.to_string());
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace

Model::Model(ir::Graph&& graph) : graph_(std::make_shared<const ir::Graph>(std::move(graph))) {}

std::vector<TensorInfo> Model::inputs() const { return describe(*graph_, graph_->inputs); }
std::vector<TensorInfo> Model::outputs() const { return describe(*graph_, graph_->outputs); }

}  // namespace fovea
