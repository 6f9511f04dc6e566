// SPDX-License-Identifier: Apache-2.0
// Where the values of an instance lie: what shares memory, what lives when, and the arena that follows from it.
#include <algorithm>
#include <cstdlib>

#include "device/kernel.h"
#include "runtime/instance.h"
#include "runtime/memory_plan.h"

namespace fovea {

namespace {

constexpr std::size_t kAlignment = 64;  // one cache line, one AVX-512 vector

}  // namespace

/// An output takes the memory of an input that dies in its step, where the kernel allows it: the input's root then
/// stands for both.
void Instance::share_in_place() {
  std::vector<int> first(plan_.values.size(), -1), last(plan_.values.size(), -1);
  const int count = static_cast<int>(plan_.steps.size());
  const auto touch = [&](int v, int at) {
    if (v < 0) return;
    const std::size_t root = index_of(roots_[index_of(v)]);
    if (first[root] < 0) first[root] = at;
    last[root] = at;
  };
  for (int s = 0; s < count; ++s) {
    for (int v : plan_.steps[index_of(s)].inputs) touch(v, s);
    for (int v : plan_.steps[index_of(s)].outputs) touch(v, s);
  }
  for (int v : plan_.outputs) touch(v, count);
  for (int v : plan_.inputs) touch(v, count);  // the caller's memory is only read
  for (int s = 0; s < count; ++s) {
    const PreparedStep& prepared = steps_[index_of(s)];
    if (prepared.kind != PreparedStep::Kind::Tuned) continue;
    const PlanStep& step = *prepared.step;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      for (std::size_t o = 0; o < step.outputs.size(); ++o) {
        const int v = step.inputs[i], w = step.outputs[o];
        if (v < 0 || w < 0 || !prepared.maker->may_run_in_place(static_cast<int>(i), static_cast<int>(o))) continue;
        const int root = roots_[index_of(v)];
        const bool alone = std::count_if(step.inputs.begin(), step.inputs.end(), [&](int x) { return x >= 0 && roots_[index_of(x)] == root; }) == 1;
        const bool whole = desc(v) == desc(w) && desc(v).is_dense() && desc(root).bytes() == desc(v).bytes() && places_[index_of(v)].offset == 0;
        if (!alone || !whole || plan_.values[index_of(root)].constant >= 0 || last[index_of(root)] != s) continue;
        if (roots_[index_of(w)] != w || first[index_of(w)] != s) continue;
        for (int& other : roots_) {
          if (other == w) other = root;
        }
        last[index_of(root)] = last[index_of(w)];
      }
    }
  }
}

void Instance::find_strips() {
  if (plan_.strips.empty()) return;
  std::vector<std::vector<int>> users(plan_.values.size());
  for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
    for (int v : plan_.steps[s].inputs) if (v >= 0) users[index_of(v)].push_back(static_cast<int>(s));
  }
  for (const PlanStrips& together : plan_.strips) {
    bool ready = true;
    for (int s = together.first; s <= together.last; ++s) {
      const PreparedStep& prepared = steps_[index_of(s)];
      ready = ready && prepared.kind == PreparedStep::Kind::Reference && prepared.before.empty() && prepared.after.empty();
    }
    if (!ready) continue;
    std::vector<char> outside(plan_.values.size(), 0);
    for (std::size_t v = 0; v < plan_.values.size(); ++v) {
      outside[v] = plan_.values[v].view || roots_[v] != static_cast<int>(v) || users[v].empty() ||
                   std::any_of(users[v].begin(), users[v].end(), [&](int s) { return s < together.first || s > together.last; });
    }
    for (int v : plan_.outputs) outside[index_of(v)] = 1;
    strips_.emplace_back(plan_, together, descs_, outside);
  }
}

const Strips* Instance::strips_from(int first) const {
  const auto at = std::lower_bound(strips_.begin(), strips_.end(), first, [](const Strips& strips, int step) { return strips.first() < step; });
  return at != strips_.end() && at->first() == first ? &*at : nullptr;
}

/// Constants, inputs, and the outputs that are produced where the caller wants them.
void Instance::place_outside_arena() {
  for (std::size_t v = 0; v < plan_.values.size(); ++v) {
    if (plan_.values[v].constant >= 0) places_[v] = {Place::Kind::Constant, plan_.values[v].constant, 0};
  }
  for (std::size_t i = 0; i < plan_.inputs.size(); ++i) places_[index_of(plan_.inputs[i])] = {Place::Kind::Input, static_cast<int>(i), 0};
  output_in_place_.assign(plan_.outputs.size(), 0);
  for (std::size_t i = 0; i < plan_.outputs.size(); ++i) {
    const int v = plan_.outputs[i];
    if (!is_static(v)) continue;
    const int root = roots_[index_of(v)];
    Place& place = places_[index_of(root)];
    const bool whole = desc(v).is_plain_dense() && desc(v).bytes() == desc(root).bytes() && places_[index_of(v)].offset == 0 && desc(root).is_plain_dense();
    if (place.kind == Place::Kind::None && whole) {
      place = {Place::Kind::Output, static_cast<int>(i), 0};
      output_in_place_[i] = 1;
    }
  }
}

/// When values are alive, a view's uses counting for its root. Each step has two moments: at 2 s it computes, at 2 s + 1 a
/// reference's plain results go to where they belong, and then whoever observes may look.
struct Instance::Lifetimes {
  struct Span {
    int first = -1, last = -1;
    void add(int from, int to) {
      first = first < 0 ? from : std::min(first, from);
      last = std::max(last, to);
    }
  };
  std::vector<Span> values;      // by root; first < 0: never
  std::vector<int> begin, end;   // of steps; those that run in strips begin and end together
};

Instance::Lifetimes Instance::find_lifetimes(const InstanceOptions& options) const {
  Lifetimes lives;
  lives.values.resize(plan_.values.size());
  const int count = static_cast<int>(plan_.steps.size());
  for (int s = 0; s < count; ++s) {
    lives.begin.push_back(2 * s);
    lives.end.push_back(2 * s + 1);
  }
  std::vector<char> in_strips(plan_.steps.size(), 0);
  for (const Strips& strips : strips_) {
    for (int s = strips.first(); s <= strips.last(); ++s) {
      lives.begin[index_of(s)] = 2 * strips.first();
      lives.end[index_of(s)] = 2 * strips.last() + 1;
      in_strips[index_of(s)] = 1;
    }
  }
  const auto add = [&](int v, int from, int to) { lives.values[index_of(roots_[index_of(v)])].add(from, to); };
  const auto passes = [&](int v) { return std::any_of(strips_.begin(), strips_.end(), [&](const Strips& strips) { return strips.passes(v); }); };
  for (int s = 0; s < count; ++s) {
    const int begin = lives.begin[index_of(s)], end = lives.end[index_of(s)];
    const PreparedStep& prepared = steps_[index_of(s)];
    const bool reference = prepared.kind == PreparedStep::Kind::Reference && !in_strips[index_of(s)];
    for (int v : plan_.steps[index_of(s)].inputs) {
      if (v < 0) continue;
      if (passes(v)) add(v, 2 * s, 2 * s);  // from one step to another of the same strip
      else add(v, begin, reference && !options.observed ? begin : end);
    }
    for (int v : plan_.steps[index_of(s)].outputs) {
      if (v < 0) continue;
      if (passes(v)) add(v, 2 * s, 2 * s);
      else add(v, reference && converts(prepared, v) ? end : begin, end);
    }
  }
  for (int v : plan_.outputs) add(v, 2 * count, 2 * count);
  return lives;
}

/// Outputs that need a room of their own: where a reference's plain results go elsewhere, they leave one.
std::vector<int> Instance::own_rooms(const PreparedStep& prepared, const InstanceOptions& options) const {
  std::vector<int> outputs;
  for (std::size_t o = 0; o < prepared.step->outputs.size() && options.observed; ++o) {
    const int v = prepared.step->outputs[o];
    if (v >= 0 && is_static(v) && !converts(prepared, v)) outputs.push_back(static_cast<int>(o));
  }
  return outputs;
}

Status Instance::place_values(const InstanceOptions& options) {
  // 1. What the arena holds, and when.
  const Lifetimes lives = find_lifetimes(options);
  std::vector<MemoryBlock> blocks;
  std::vector<std::size_t> owners;
  for (std::size_t v = 0; v < plan_.values.size(); ++v) {
    if (!is_static(static_cast<int>(v)) || roots_[v] != static_cast<int>(v) || places_[v].kind != Place::Kind::None || lives.values[v].first < 0) continue;
    std::size_t bytes = descs_[v].bytes();
    for (const Strips& strips : strips_) {
      if (strips.passes(static_cast<int>(v))) bytes = strips.bytes(descs_[v]);
    }
    // Kernels may read whole vectors past the end of a row: one more vector of slack.
    blocks.push_back({bytes + kAlignment, lives.values[v].first, lives.values[v].last, 0});
    owners.push_back(v);
  }
  const std::size_t values = blocks.size();
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const int computes = lives.begin[s], moves = lives.end[s];
    for (const Conversion& c : steps_[s].before) blocks.push_back({c.to.bytes() + kAlignment, computes, computes, 0});
    for (const Conversion& c : steps_[s].after) blocks.push_back({std::max(c.from.bytes(), c.to.bytes()) + kAlignment, computes, moves, 0});
    for (int o : own_rooms(steps_[s], options)) blocks.push_back({desc(steps_[s].step->outputs[index_of(o)]).bytes() + kAlignment, moves, moves, 0});
  }
  std::size_t scratch = 0;
  for (const PreparedStep& step : steps_) {
    if (step.kernel) scratch = std::max(scratch, step.kernel->scratch_bytes());
  }
  // 2. The arena, scratch at its end.
  FOVEA_ASSIGN(const std::size_t planned, plan_memory(blocks, kAlignment));
  scratch_offset_ = (planned + kAlignment - 1) / kAlignment * kAlignment;
  arena_bytes_ = scratch_offset_ + scratch;
  void* memory = arena_bytes_ == 0 ? nullptr : std::aligned_alloc(kAlignment, (arena_bytes_ + kAlignment - 1) / kAlignment * kAlignment);
  if (arena_bytes_ > 0 && !memory) return resource_exhausted("session: cannot allocate an arena of ", arena_bytes_, " bytes");
  arena_ = {static_cast<char*>(memory), [](char* p) { std::free(p); }};
  for (std::size_t i = 0; i < values; ++i) places_[owners[i]] = {Place::Kind::Arena, 0, blocks[i].offset};
  for (std::size_t v = 0; v < plan_.values.size(); ++v) {
    if (roots_[v] == static_cast<int>(v)) continue;
    const std::size_t offset = places_[v].offset;
    places_[v] = places_[index_of(roots_[v])];
    places_[v].offset += offset;
  }
  std::size_t next = values;
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    PreparedStep& prepared = steps_[s];
    std::size_t before = 0, after = 0;
    for (int v : prepared.step->inputs) {
      if (!converts(prepared, v)) continue;
      prepared.before[before].source = place(v);
      prepared.before[before++].target = {Place::Kind::Arena, 0, blocks[next++].offset};
    }
    if (options.observed) prepared.rooms.resize(prepared.step->outputs.size());
    for (std::size_t o = 0; o < prepared.step->outputs.size(); ++o) {
      const int v = prepared.step->outputs[o];
      if (!converts(prepared, v)) continue;
      const Place plain{Place::Kind::Arena, 0, blocks[next++].offset};
      if (options.observed) prepared.rooms[o] = plain;
      prepared.after[after].source = plain;
      prepared.after[after++].target = place(v);
    }
    for (int o : own_rooms(prepared, options)) prepared.rooms[index_of(o)] = {Place::Kind::Arena, 0, blocks[next++].offset};
  }
  return {};
}

}  // namespace fovea
