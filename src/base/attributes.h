// SPDX-License-Identifier: Apache-2.0
// Attributes: the named constants of a node, as kernels and shape rules see them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fovea/tensor.h"

namespace fovea {

using AttributeValue = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>,
                                    std::vector<std::string>, Tensor>;

class Attributes {
 public:
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  const AttributeValue* find(std::string_view name) const;
  void set(std::string name, AttributeValue value) { values_[std::move(name)] = std::move(value); }
  void erase(std::string_view name);

  // Typed access with the default of the operator's schema. An attribute of another type counts as
  // absent here: types are checked against the schema when a node enters the graph.
  std::int64_t get_int(std::string_view name, std::int64_t fallback = 0) const;
  double get_float(std::string_view name, double fallback = 0) const;
  std::string get_string(std::string_view name, std::string_view fallback = {}) const;
  std::vector<std::int64_t> get_ints(std::string_view name, std::vector<std::int64_t> fallback = {}) const;
  std::vector<double> get_floats(std::string_view name, std::vector<double> fallback = {}) const;
  std::vector<std::string> get_strings(std::string_view name) const;
  /// Undefined tensor when absent.
  Tensor get_tensor(std::string_view name) const;

  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }

 private:
  std::map<std::string, AttributeValue, std::less<>> values_;
};

/// Bitwise equality, tensors by type, shape and bytes.
bool equal(const AttributeValue& a, const AttributeValue& b);
bool equal(const Attributes& a, const Attributes& b);

}  // namespace fovea
