// SPDX-License-Identifier: Apache-2.0
#include "base/attributes.h"

#include <cstring>

namespace fovea {

namespace {

template <class T>
T get_or(const Attributes& attributes, std::string_view name, T fallback) {
  const AttributeValue* value = attributes.find(name);
  const T* typed = value ? std::get_if<T>(value) : nullptr;
  return typed ? *typed : std::move(fallback);
}

bool equal_tensors(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type() || !(a.shape() == b.shape())) return false;
  if (!a.defined()) return true;
  if (a.type() == DataType::string) {
    const auto left = a.values<std::string>(), right = b.values<std::string>();
    return std::equal(left.begin(), left.end(), right.begin());
  }
  return a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

}  // namespace

const AttributeValue* Attributes::find(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? nullptr : &it->second;
}

void Attributes::erase(std::string_view name) {
  const auto it = values_.find(name);
  if (it != values_.end()) values_.erase(it);
}

std::int64_t Attributes::get_int(std::string_view name, std::int64_t fallback) const { return get_or(*this, name, fallback); }
double Attributes::get_float(std::string_view name, double fallback) const { return get_or(*this, name, fallback); }
std::string Attributes::get_string(std::string_view name, std::string_view fallback) const {
  return get_or(*this, name, std::string(fallback));
}
std::vector<std::int64_t> Attributes::get_ints(std::string_view name, std::vector<std::int64_t> fallback) const {
  return get_or(*this, name, std::move(fallback));
}
std::vector<double> Attributes::get_floats(std::string_view name, std::vector<double> fallback) const {
  return get_or(*this, name, std::move(fallback));
}
std::vector<std::string> Attributes::get_strings(std::string_view name) const {
  return get_or(*this, name, std::vector<std::string>());
}
Tensor Attributes::get_tensor(std::string_view name) const { return get_or(*this, name, Tensor()); }

bool equal(const AttributeValue& a, const AttributeValue& b) {
  if (a.index() != b.index()) return false;
  if (const Tensor* tensor = std::get_if<Tensor>(&a)) return equal_tensors(*tensor, std::get<Tensor>(b));
  return std::visit(
      [&](const auto& left) {
        using T = std::decay_t<decltype(left)>;
        if constexpr (std::is_same_v<T, Tensor>) {
          return false;
        } else {
          return left == std::get<T>(b);
        }
      },
      a);
}

bool equal(const Attributes& a, const Attributes& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && equal(x.second, y.second); });
}

}  // namespace fovea
