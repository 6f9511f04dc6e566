// SPDX-License-Identifier: Apache-2.0
// RNN, GRU, LSTM: one sequence after the other, in f64. What lies behind a sequence's length is 0 in Y; the final
// state is that after its last step (the initial one for an empty sequence).
#include <algorithm>

#include "base/element_types.h"
#include "ops/rnn/rnn_params.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

using Vector = std::vector<double>;

/// The weights of one direction; biases and peepholes are null when absent.
template <class T>
struct Direction {
  const T *w, *r, *b, *p;
  const Activation* activations;
};

template <class T>
struct Cell {
  const RnnParams& params;
  RnnExtents extents;
  int gates;
  Direction<T> weights;

  double bounded(double x) const { return std::clamp(x, -params.clip, params.clip); }
  /// W[row] * x + the bias of W.
  double from_input(std::int64_t row, const T* x) const {
    double sum = weights.b ? static_cast<double>(weights.b[row]) : 0;
    for (std::int64_t i = 0; i < extents.input; ++i) sum += static_cast<double>(weights.w[row * extents.input + i]) * static_cast<double>(x[i]);
    return sum;
  }
  /// R[row] * h + the bias of R.
  double from_state(std::int64_t row, const Vector& h) const {
    double sum = weights.b ? static_cast<double>(weights.b[gates * extents.hidden + row]) : 0;
    for (std::int64_t i = 0; i < extents.hidden; ++i) sum += static_cast<double>(weights.r[row * extents.hidden + i]) * h[static_cast<std::size_t>(i)];
    return sum;
  }
  double peephole(std::int64_t row) const { return weights.p ? static_cast<double>(weights.p[row]) : 0; }
};

/// h = f(W x + R h)
template <class T>
void rnn_step(const Cell<T>& cell, const T* x, Vector& h, Vector&) {
  const Vector before = h;
  for (std::size_t j = 0; j < h.size(); ++j) {
    const auto row = static_cast<std::int64_t>(j);
    h[j] = cell.weights.activations[0](cell.bounded(cell.from_input(row, x) + cell.from_state(row, before)));
  }
}

/// z, r = f(W x + R h);  n = g(Wn x + Rn (r h)), or g(Wn x + r (Rn h)) when linear before reset;  h = (1 - z) n + z h
template <class T>
void gru_step(const Cell<T>& cell, const T* x, Vector& h, Vector&) {
  const std::int64_t hidden = cell.extents.hidden;
  const Activation &f = cell.weights.activations[0], &g = cell.weights.activations[1];
  const Vector before = h;
  Vector reset(h.size()), gated = h;
  for (std::int64_t j = 0; j < hidden; ++j) {
    const double r = f(cell.bounded(cell.from_input(hidden + j, x) + cell.from_state(hidden + j, before)));
    reset[static_cast<std::size_t>(j)] = r;
    gated[static_cast<std::size_t>(j)] *= r;
  }
  for (std::int64_t j = 0; j < hidden; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const double z = f(cell.bounded(cell.from_input(j, x) + cell.from_state(j, before)));
    const double recurrent = cell.params.linear_before_reset ? reset[at] * cell.from_state(2 * hidden + j, before) : cell.from_state(2 * hidden + j, gated);
    const double n = g(cell.bounded(cell.from_input(2 * hidden + j, x) + recurrent));
    h[at] = (1 - z) * n + z * before[at];
  }
}

/// i, f = f(W x + R h + P c);  c = f c + i g(Wc x + Rc h);  o = f(Wo x + Ro h + Po c);  h = o h(c)
/// Clipping bounds what enters the gates, not the cell on its way out.
template <class T>
void lstm_step(const Cell<T>& cell, const T* x, Vector& h, Vector& c) {
  const std::int64_t hidden = cell.extents.hidden;
  const Activation* const act = cell.weights.activations;
  const Vector before = h;
  for (std::int64_t j = 0; j < hidden; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const auto gate = [&](int number) { return cell.from_input(number * hidden + j, x) + cell.from_state(number * hidden + j, before); };
    const double i = act[0](cell.bounded(gate(0) + cell.peephole(j) * c[at]));
    const double f = cell.params.input_forget ? 1 - i : act[0](cell.bounded(gate(2) + cell.peephole(2 * hidden + j) * c[at]));
    c[at] = f * c[at] + i * act[1](cell.bounded(gate(3)));
    const double o = act[0](cell.bounded(gate(1) + cell.peephole(hidden + j) * c[at]));
    h[at] = o * act[2](c[at]);
  }
}

template <class T>
Vector initial_state(const Tensor& state, std::int64_t at, std::int64_t hidden) {
  Vector values(static_cast<std::size_t>(hidden));
  if (state.defined()) std::copy_n(state.data<T>() + at * hidden, hidden, values.begin());
  return values;
}

template <class T>
void store(const Vector& values, T* dst) {
  if (!dst) return;
  for (std::size_t i = 0; i < values.size(); ++i) dst[i] = static_cast<T>(values[i]);
}

enum Input { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kP, kNumInputs };

template <class Run>
Status recurrent(KernelContext& context, const Run& run) {
  const RnnKind& kind = rnn_kind(context.op());
  FOVEA_ASSIGN(const RnnParams params, RnnParams::parse(kind, context.attributes()));
  Tensor in[kNumInputs];
  for (int i = 0; i < kNumInputs; ++i) {
    if (!context.has_input(i)) continue;
    in[i] = context.input(i);
    if (i == kLengths) continue;
    if (in[i].type() != context.input(kX).type()) return invalid_argument("input ", i, ": expected ", name(context.input(kX).type()), " like X, found ", name(in[i].type()));
    FOVEA_ASSIGN(in[i], widened(in[i]));
  }
  FOVEA_ASSIGN(const RnnExtents extents,
               RnnExtents::check(kind, params, in[kX], in[kW], in[kR], in[kB], in[kLengths], in[kInitialH], in[kInitialC], in[kP]));
  WideOutput outputs[3];
  bool empty = true;
  for (int i = 0; i < std::min(context.num_outputs(), 3); ++i) {
    const Shape shape = i == 0 ? extents.output_shape(params) : extents.state_shape(params);
    FOVEA_ASSIGN(outputs[i], WideOutput::create(context, i, context.input(kX).type(), shape));
    empty = empty && shape.elements() == 0;
  }
  if (empty) return {};
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(in[kX].type(), kind.op, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    run(kind, params, extents, in, outputs, T());
    return {};
  })));
  for (int i = 0; i < std::min(context.num_outputs(), 3); ++i) FOVEA_RETURN_IF_ERROR(outputs[i].finish());
  return {};
}

/// All sequences in all directions; `step` advances the state h (and c) by one input.
template <class T, class Step>
void run_sequences(const RnnKind& kind, const RnnParams& params, const RnnExtents& e, const Tensor* in, WideOutput* outputs, const Step& step) {
  const std::int64_t directions = params.directions(), rows = kind.gates * e.hidden;
  for (std::int64_t d = 0; d < directions; ++d) {
    const auto part = [&](int i, std::int64_t size) { return in[i].defined() ? in[i].data<T>() + d * size : nullptr; };
    const Direction<T> weights{part(kW, rows * e.input), part(kR, rows * e.hidden), part(kB, 2 * rows), part(kP, 3 * e.hidden),
                               params.activations.data() + d * static_cast<std::int64_t>(kind.activations.size())};
    const Cell<T> cell{params, e, kind.gates, weights};
    const bool backward = !params.forward || d == 1;
    for (std::int64_t n = 0; n < e.batch; ++n) {
      const std::int64_t state = params.batch_first ? n * directions + d : d * e.batch + n;
      const std::int64_t length = in[kLengths].defined() ? in[kLengths].data<std::int32_t>()[n] : e.steps;
      Vector h = initial_state<T>(in[kInitialH], state, e.hidden), c = initial_state<T>(in[kInitialC], state, e.hidden);
      const Vector zeros(h.size());
      for (std::int64_t i = 0; i < e.steps; ++i) {
        const std::int64_t t = backward && i < length ? length - 1 - i : i;
        if (i < length) step(cell, in[kX].data<T>() + (params.batch_first ? n * e.steps + t : t * e.batch + n) * e.input, h, c);
        const std::int64_t at = params.batch_first ? (n * e.steps + t) * directions + d : (t * directions + d) * e.batch + n;
        if (T* const y = outputs[0].data<T>()) store(i < length ? h : zeros, y + at * e.hidden);
      }
      if (T* const final_h = outputs[1].data<T>()) store(h, final_h + state * e.hidden);
      if (T* const final_c = outputs[2].data<T>()) store(c, final_c + state * e.hidden);
    }
  }
}

}  // namespace

Status rnn_reference(KernelContext& context) {
  return recurrent(context, [](const auto& kind, const auto& params, const auto& extents, const Tensor* in, WideOutput* out, auto zero) {
    run_sequences<decltype(zero)>(kind, params, extents, in, out, rnn_step<decltype(zero)>);
  });
}

Status gru_reference(KernelContext& context) {
  return recurrent(context, [](const auto& kind, const auto& params, const auto& extents, const Tensor* in, WideOutput* out, auto zero) {
    run_sequences<decltype(zero)>(kind, params, extents, in, out, gru_step<decltype(zero)>);
  });
}

Status lstm_reference(KernelContext& context) {
  return recurrent(context, [](const auto& kind, const auto& params, const auto& extents, const Tensor* in, WideOutput* out, auto zero) {
    run_sequences<decltype(zero)>(kind, params, extents, in, out, lstm_step<decltype(zero)>);
  });
}

}  // namespace fovea::ops
