// SPDX-License-Identifier: Apache-2.0
// What crosses the border to a plugin: attributes and tensors as plain structs, callbacks as Status.
#pragma once

#include <deque>
#include <vector>

#include "base/check.h"
#include "base/tensor_desc.h"
#include "device/kernel.h"
#include "plugins/description.h"

namespace fovea::plugins {

/// All attributes of an operator in its own order, defaults filled in. Refers to `given` and to the description.
class AttributeList {
 public:
  AttributeList(const Description& description, const Attributes& given);
  AttributeList(const AttributeList&) = delete;
  const fovea_attribute* data() const { return rows_.data(); }
  std::int32_t size() const { return static_cast<std::int32_t>(rows_.size()); }

 private:
  std::vector<fovea_attribute> rows_;
  std::deque<std::vector<const char*>> texts_;  // of lists of strings
};

fovea_tensor plain_tensor(const TensorDesc& desc, const void* data);

/// InvalidModel or Unsupported when an input is of a type that the operator's schema does not list.
Status check_input_types(const Description& description, std::span<const TensorDesc> inputs);
Status check_input_type(const Description& description, int input, ValueType type);

/// The Description behind an operator's name; FOVEA_CHECKs that it is a plugin's.
const Description& description_of(std::string_view op);

/// A fovea_problem with everything it points to. `problem` must outlive it; no data yet but that of constants.
class PlainProblem {
 public:
  PlainProblem(const Description& description, const Problem& problem);
  PlainProblem(const PlainProblem&) = delete;
  fovea_problem& get() { return plain_; }
  void set_data(const void* const* inputs, void* const* outputs);

 private:
  AttributeList attributes_;
  std::vector<fovea_tensor> inputs_, outputs_;
  fovea_problem plain_ = {};
};

/// The answer of a callback as a Status that blames the plugin.
Status to_status(const Description& description, std::string_view what, fovea_code code, fovea_message& why);

/// callback(&why) with its answer as a Status. Exceptions are forbidden there; one that comes all the same ends here.
template <class F>
Status call(const Description& description, std::string_view what, F callback) {
  fovea_message why;
  why.text[0] = '\0';
  fovea_code code = FOVEA_OK;
  try {
    code = callback(&why);
  } catch (...) {
    return unsupported("plugin '", description.plugin, "': ", what, " threw an exception, which the interface forbids");
  }
  return to_status(description, what, code, why);
}

}  // namespace fovea::plugins
