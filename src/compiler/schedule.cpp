// SPDX-License-Identifier: Apache-2.0
// Orders are compared by walking them with a ledger of what is held. Finding the best order is NP-hard (Sethi, Complete
// register allocation problems, 1975); a few good ones, weighed exactly, are enough for networks, whose branches are few.
#include "compiler/schedule.h"

#include <algorithm>
#include <limits>

namespace fovea::compiler {

namespace {

using Order = std::vector<ir::NodeId>;

/// Memory of the values of a graph, by the value that owns it (a view belongs to its base).
class Ledger {
 public:
  Ledger(const ir::Graph& graph, const Decisions& decisions, const BytesOf& bytes, Observed observed) : graph_(graph), observed_(observed) {
    const auto count = static_cast<std::size_t>(graph.num_values());
    owner_.resize(count);
    bytes_.assign(count, 0);
    uses_.assign(count, 0);
    for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
      ir::ValueId owner = id;
      for (auto view = decisions.views.find(owner); view != decisions.views.end(); view = decisions.views.find(owner)) owner = view->second.base;
      owner_[index_of(id)] = owner;
    }
    for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
      if (owner_[index_of(id)] == id && !graph.value(id).is_constant()) bytes_[index_of(id)] = bytes(id);
    }
    rooms_ = bytes_;
    for (const auto& elsewhere : {graph.inputs, graph.outputs}) {
      for (ir::ValueId id : elsewhere) bytes_[index_of(owner_[index_of(id)])] = 0;
    }
    for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
      if (graph.alive(id) && !decisions.elided.contains(id)) touch(id, [&](std::size_t owner) { ++uses_[owner]; });
    }
    held_.assign(count, 0);
  }

  /// Bytes that running the node adds at once, and those left when it is done.
  struct Effect {
    std::int64_t during = 0, after = 0;
  };
  Effect effect_of(ir::NodeId id) {
    Effect effect;
    touched_.clear();
    touch(id, [&](std::size_t owner) {
      touched_.push_back(owner);
      if (!held_[owner] && std::count(touched_.begin(), touched_.end(), owner) == 1) effect.during += bytes_[owner];
    });
    effect.after = effect.during;
    std::sort(touched_.begin(), touched_.end());
    for (auto at = touched_.begin(); at != touched_.end();) {
      const auto end = std::upper_bound(at, touched_.end(), *at);
      if (uses_[*at] == end - at) effect.after -= bytes_[*at];
      at = end;
    }
    if (observed_ == Observed::Yes) {
      for (ir::ValueId v : graph_.node(id).outputs) effect.during += v == ir::kNone ? 0 : rooms_[index_of(v)];
    }
    return effect;
  }

  /// Bytes of the node's outputs.
  std::int64_t made_by(ir::NodeId id) const {
    std::int64_t made = 0;
    for (ir::ValueId v : graph_.node(id).outputs) made += v == ir::kNone ? 0 : bytes_[index_of(v)];
    return made;
  }

  void run(ir::NodeId id) {
    const Effect effect = effect_of(id);
    cost_.peak = std::max(cost_.peak, now_ + effect.during);
    now_ += effect.after;
    cost_.sum += static_cast<double>(now_);
    for (std::size_t owner : touched_) {
      held_[owner] = 1;
      --uses_[owner];
    }
  }

  struct Cost {
    std::int64_t peak = 0;  // most bytes held at once
    double sum = 0;         // of the bytes held after each step
    auto operator<=>(const Cost&) const = default;
  };
  const Cost& cost() const { return cost_; }

 private:
  template <class Visit>
  void touch(ir::NodeId id, Visit&& visit) {
    const ir::Node& node = graph_.node(id);
    for (ir::ValueId v : node.inputs) if (v != ir::kNone) visit(index_of(owner_[index_of(v)]));
    for (ir::ValueId v : node.outputs) if (v != ir::kNone) visit(index_of(owner_[index_of(v)]));
  }

  const ir::Graph& graph_;
  std::vector<ir::ValueId> owner_;
  Observed observed_;
  std::vector<std::int64_t> bytes_, uses_;  // uses: of an owner, still to come
  std::vector<std::int64_t> rooms_;         // bytes of outputs and inputs of the graph too
  std::vector<char> held_;
  std::vector<std::size_t> touched_;
  std::int64_t now_ = 0;
  Cost cost_;
};

/// Producers of what a node reads, one for each input that has one.
template <class Visit>
void for_each_producer(const ir::Graph& graph, ir::NodeId id, Visit&& visit) {
  for (ir::ValueId input : graph.node(id).inputs) {
    if (input != ir::kNone && graph.value(input).producer != ir::kNone) visit(graph.value(input).producer);
  }
}

/// Each branch to its end before the next is begun; of the branches that meet in a node first the one that swells most
/// beyond what it leaves, which is best for trees (Liu, An application of generalized tree pebbling to sparse matrix
/// factorization, 1987). Nodes that no output needs come last, as they are in `order`.
Order depth_first(const ir::Graph& graph, const Order& order, const Ledger& ledger) {
  const auto slots = static_cast<std::size_t>(graph.num_node_slots());
  std::vector<std::int64_t> most(slots, 0);        // held at once while the branch that ends in a node is computed
  std::vector<std::vector<ir::NodeId>> branches(slots);
  for (ir::NodeId id : order) {
    auto& producers = branches[index_of(id)];
    for_each_producer(graph, id, [&](ir::NodeId producer) { producers.push_back(producer); });
    std::stable_sort(producers.begin(), producers.end(), [&](ir::NodeId a, ir::NodeId b) {
      return most[index_of(a)] - ledger.made_by(a) > most[index_of(b)] - ledger.made_by(b);
    });
    std::int64_t held = 0;
    for (ir::NodeId producer : producers) {
      most[index_of(id)] = std::max(most[index_of(id)], held + most[index_of(producer)]);
      held += ledger.made_by(producer);
    }
    most[index_of(id)] = std::max(most[index_of(id)], held + ledger.made_by(id));
  }
  Order result;
  std::vector<char> seen(slots, 0);
  std::vector<std::pair<ir::NodeId, bool>> stack;  // true: its producers are done
  const auto visit = [&](ir::NodeId root) {
    stack.push_back({root, false});
    while (!stack.empty()) {
      const auto [id, ready] = stack.back();
      stack.pop_back();
      if (ready) {
        result.push_back(id);
        continue;
      }
      if (seen[index_of(id)]) continue;
      seen[index_of(id)] = 1;
      stack.push_back({id, true});
      const auto& producers = branches[index_of(id)];
      for (auto at = producers.rbegin(); at != producers.rend(); ++at) stack.push_back({*at, false});
    }
  };
  for (ir::ValueId output : graph.outputs) {
    if (graph.value(output).producer != ir::kNone) visit(graph.value(output).producer);
  }
  for (ir::NodeId id : order) visit(id);
  return result;
}

/// Among the nodes whose inputs are there always the one that leaves fewest bytes behind; `order` decides between equals.
Order frugal(const ir::Graph& graph, const Order& order, Ledger ledger, const std::set<ir::NodeId>& elided) {
  std::vector<int> missing(static_cast<std::size_t>(graph.num_node_slots()), 0), rank(missing.size(), 0);
  Order ready;
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[index_of(order[i])] = static_cast<int>(i);
    for_each_producer(graph, order[i], [&](ir::NodeId) { ++missing[index_of(order[i])]; });
    if (missing[index_of(order[i])] == 0) ready.push_back(order[i]);
  }
  Order result;
  while (!ready.empty()) {
    auto best = ready.begin();
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (auto at = ready.begin(); at != ready.end(); ++at) {
      const std::int64_t after = elided.contains(*at) ? std::numeric_limits<std::int64_t>::min() : ledger.effect_of(*at).after;
      if (after < least || (after == least && rank[index_of(*at)] < rank[index_of(*best)])) {
        least = after;
        best = at;
      }
    }
    const ir::NodeId id = *best;
    ready.erase(best);
    result.push_back(id);
    if (!elided.contains(id)) ledger.run(id);
    for (ir::ValueId output : graph.node(id).outputs) {
      if (output == ir::kNone) continue;
      for (ir::NodeId user : graph.users(output)) {
        if (--missing[index_of(user)] == 0) ready.push_back(user);
      }
    }
  }
  return result;
}

Ledger::Cost cost_of(Ledger ledger, const Order& order) {
  for (ir::NodeId id : order) ledger.run(id);
  return ledger.cost();
}

}  // namespace

std::int64_t peak_bytes(const ir::Graph& graph, const Decisions& decisions, const BytesOf& bytes, const Order& order) {
  return cost_of(Ledger(graph, decisions, bytes, Observed::No), order).peak;
}

std::optional<Order> schedule(const ir::Graph& graph, const Decisions& decisions, const BytesOf& bytes, Observed observed) {
  const auto file = graph.try_topological_order();
  if (!file) return std::nullopt;
  const Ledger ledger(graph, decisions, bytes, observed);
  std::optional<Order> best;
  Ledger::Cost least;
  for (Order order : {*file, depth_first(graph, *file, ledger), frugal(graph, *file, ledger, decisions.elided)}) {
    std::erase_if(order, [&](ir::NodeId id) { return decisions.elided.contains(id); });
    if (const Ledger::Cost cost = cost_of(ledger, order); !best || cost < least) {
      least = cost;
      best = std::move(order);
    }
  }
  return best;
}

}  // namespace fovea::compiler
