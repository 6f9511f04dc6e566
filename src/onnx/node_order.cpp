// SPDX-License-Identifier: Apache-2.0
#include "onnx/node_order.h"

#include <functional>
#include <queue>
#include <set>
#include <string_view>
#include <unordered_map>

#include "onnx/tensor_reader.h"

namespace fovea::onnx {

namespace {

using Use = std::function<void(std::string_view)>;

void for_each_use(const proto::NodeProto& node, const Use& use);

// Names that a body takes from outside: used in it, not made in it.
void for_each_outer_use(const proto::GraphProto& body, const Use& use) {
  std::set<std::string_view> local;
  for (const auto& input : body.input()) local.insert(input.name());
  for (const auto& initializer : body.initializer()) local.insert(initializer.name());
  for (const auto& initializer : body.sparse_initializer()) local.insert(initializer.values().name());
  for (const auto& node : body.node()) local.insert(node.output().begin(), node.output().end());
  const Use outer = [&](std::string_view name) {
    if (!local.contains(name)) use(name);
  };
  for (const auto& node : body.node()) for_each_use(node, outer);
  for (const auto& output : body.output()) outer(output.name());
}

void for_each_use(const proto::NodeProto& node, const Use& use) {
  for (const auto& input : node.input()) use(input);
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) for_each_outer_use(attribute.g(), use);
  }
}

}  // namespace

Result<std::vector<int>> execution_order(const NodeList& nodes) {
  const int count = nodes.size();
  std::unordered_map<std::string_view, int> producer;
  for (int i = 0; i < count; ++i) {
    for (const auto& output : nodes[i].output()) {
      if (!output.empty()) producer.emplace(output, i);
    }
  }
  std::vector<int> waits(static_cast<std::size_t>(count), 0);
  std::vector<std::vector<int>> readers(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    for_each_use(nodes[i], [&](std::string_view name) {
      const auto made = producer.find(name);
      if (made == producer.end()) return;
      ++waits[static_cast<std::size_t>(i)];
      readers[static_cast<std::size_t>(made->second)].push_back(i);
    });
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < count; ++i) {
    if (waits[static_cast<std::size_t>(i)] == 0) ready.push(i);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int next = ready.top();
    ready.pop();
    order.push_back(next);
    for (const int reader : readers[static_cast<std::size_t>(next)]) {
      if (--waits[static_cast<std::size_t>(reader)] == 0) ready.push(reader);
    }
  }
  for (int i = 0; static_cast<int>(order.size()) < count && i < count; ++i) {
    if (waits[static_cast<std::size_t>(i)] == 0) continue;
    return invalid_model("node ", in_quotes(nodes[i].name()), " (", nodes[i].op_type(), ") is part of a cycle, or behind one");
  }
  return order;
}

}  // namespace fovea::onnx
