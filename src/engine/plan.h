// SPDX-License-Identifier: Apache-2.0
// Plan: the compiler's result and exactly what an engine file holds. Plain data: the writer stores it,
// the reader rebuilds it, the session runs it. Shapes are expressions over the inputs' symbols, so the
// runtime needs no shape functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/attributes.h"
#include "base/datum.h"
#include "base/dim.h"
#include "base/tensor_desc.h"

namespace fovea {

/// A value that occupies part of another value's memory. No bytes are moved.
struct PlanView {
  enum class Kind : std::uint8_t {
    Reshape,  ///< same bytes, other shape; both are dense, and without blocks
    Slice,    ///< extents of `shape` starting at `offset` along `axis` of base (a split's part, a concat's place)
  };
  int base = -1;  ///< value index; bases may be views themselves, never cyclic
  Kind kind = Kind::Reshape;
  int axis = 0;
  Dim offset;
};

struct PlanValue {
  std::string name;
  ValueType type;
  std::optional<SymbolicShape> shape;   ///< absent: found when its step runs (data dependent, sequences)
  Layout layout = Layout::plain;
  int constant = -1;                    ///< index into Plan::constants, or -1
  std::optional<PlanView> view;
};

/// The index of a value that is there, for Plan::values.
inline std::size_t index_of(int value) { return static_cast<std::size_t>(value); }

struct PlanStep {
  std::string name;
  std::string op;
  std::string kernel = "reference";     ///< candidate chosen by the compiler
  Attributes attributes;
  std::vector<int> inputs, outputs;     ///< value indices; -1 for missing
  std::vector<int> bodies;              ///< indices into Plan::bodies
  std::vector<std::string> sources;     ///< names of the model's nodes it stands for
};

/// Steps in a row that run together, a strip of rows at a time: axes 0..axis of all their outputs, which agree there, are
/// walked in pieces, so that what only these steps use never exists whole. Each is an operator on rows (ops/rows.h).
struct PlanStrips {
  int first = 0, last = 0;              ///< steps, both inclusive
  int axis = 0;
};

/// Measured error of one step against the reference, from the reference's own inputs.
struct CertificateEntry {
  std::string step, kernel, precision;
  double max_abs = 0, rms = 0, cosine = 1, limit = 0;
  double range = 0;                     ///< max |reference|
  std::int64_t compared = 0;            ///< elements that were compared: all of the step's outputs, or none
  bool by_terms = false;                ///< each element was held to a limit of its own terms, not of the output's range
  std::string refused;                  ///< candidates that were tried and failed: "name: reason; ..."
};

/// Why something was decided, in a form both people and scripts can read.
struct Decision {
  std::string code;                     ///< e.g. "NOT_FUSED", "KERNEL_REFUSED", "REFERENCE_ONLY"
  std::string subject;                  ///< node or value
  std::string sentence, remedy;
};

struct SymbolRange {
  std::int64_t min = 0, opt = 1, max = INT64_MAX;
};

/// An operator of a plugin that a plan uses. Only exactly this one may run it.
struct PluginUse {
  std::string op;                       ///< "domain::Name"
  std::string version;
  std::string schema_hash;              ///< 64 hexadecimal digits
  std::string plugin;                   ///< name of the plugin, for messages
};

struct Plan {
  std::string name;
  std::vector<PlanValue> values;
  std::vector<PlanStep> steps;          ///< in execution order
  std::vector<int> inputs, outputs;     ///< value indices
  std::vector<Tensor> constants;
  std::vector<Plan> bodies;             ///< of If/Loop/Scan; inputs are formal inputs then captures
  std::vector<PlanStrips> strips;       ///< in order, apart; of plans on reference kernels only, which are never stored

  // Of the outermost plan only.
  std::string device = "cpu", precision = "fp32";
  std::map<std::string, SymbolRange> symbols;
  std::vector<CertificateEntry> certificate;
  std::vector<Decision> decisions;
  std::map<std::string, std::string> metadata;  ///< model name, producer, model hash, ...
  std::string recipe;                   ///< task recipe as JSON text, empty if none
  std::vector<PluginUse> plugins;       ///< sorted by op; all that the steps of this plan and its bodies use
};

}  // namespace fovea
