// SPDX-License-Identifier: Apache-2.0
// Description: one operator of a plugin, copied out of the library's table and checked. Nothing behind this file looks at
// the table again; of the library only its callbacks are used from here on.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "fovea/plugin.h"
#include "ops/user_operators.h"

namespace fovea::plugins {

struct Port {
  std::string name;
  ops::TypeSet types = 0;
  bool optional = false, variadic = false;
};

struct AttributeRow {
  std::string name;
  ops::AttributeType type = ops::AttributeType::Int;
  bool required = false;
  AttributeValue fallback;           ///< of `type`; unused when required
  std::string default_text;          ///< for messages; empty when required
  std::vector<std::string> allowed;
};

struct KernelRow {
  std::string name;
  fovea_kernel callbacks = {};       ///< zero where the library's struct is shorter
};

/// A user operator with all that its adapters need. UserOperator::schema refers to the texts in here, so it stays where it is.
struct Description : ops::UserOperator {
  Description() = default;
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  std::string name, summary;
  std::vector<Port> inputs, outputs;
  std::vector<AttributeRow> attributes;
  std::vector<KernelRow> kernels;    ///< best first
  fovea_operator callbacks = {};     ///< infer and reference; its other fields are not to be used

  /// The port that input `i` belongs to; a variadic one stands for all from its place on.
  const Port& input(int i) const { return inputs[std::min(static_cast<std::size_t>(i), inputs.size() - 1)]; }
};

/// What `table` describes, or the first thing in it that makes no sense. Schemas have no rule yet and no reference.
Result<std::vector<std::unique_ptr<Description>>> read_table(const fovea_plugin& table);

/// All that an engine relies on in one text: name, ports, attributes, traits. Its hash is what engines record.
std::string schema_text(const Description& description);
/// "0", "[1,2]", "'linear'": unambiguous, for messages and for schema_text.
std::string value_text(const AttributeValue& value);

}  // namespace fovea::plugins
