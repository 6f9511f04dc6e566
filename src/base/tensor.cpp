// SPDX-License-Identifier: Apache-2.0
// Bodies of Shape and Tensor; the only place where tensor memory is allocated.
#include "fovea/tensor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/checked_math.h"

namespace fovea {

namespace {

struct TypeRow {
  std::string_view name;
  std::size_t bytes;
  char kind;  // f float, i signed, u unsigned, o other
};

// In the order of DataType.
constexpr TypeRow kTypes[] = {
    {"undefined", 0, 'o'}, {"f32", 4, 'f'}, {"f16", 2, 'f'}, {"bf16", 2, 'f'}, {"f64", 8, 'f'},
    {"i8", 1, 'i'}, {"u8", 1, 'u'}, {"i16", 2, 'i'}, {"u16", 2, 'u'}, {"i32", 4, 'i'}, {"u32", 4, 'u'},
    {"i64", 8, 'i'}, {"u64", 8, 'u'}, {"bool", 1, 'o'}, {"string", sizeof(std::string), 'o'},
    {"c64", 8, 'o'}, {"c128", 16, 'o'}, {"f8e4m3fn", 1, 'f'}, {"f8e4m3fnuz", 1, 'f'}, {"f8e5m2", 1, 'f'},
    {"f8e5m2fnuz", 1, 'f'}, {"f8e8m0", 1, 'f'}, {"f4e2m1", 1, 'f'}, {"i4", 1, 'i'}, {"u4", 1, 'u'},
    {"i2", 1, 'i'}, {"u2", 1, 'u'}};

const TypeRow& row(DataType type) { return kTypes[static_cast<std::size_t>(type)]; }

}  // namespace

std::string_view name(DataType type) { return row(type).name; }
std::size_t size_of(DataType type) { return row(type).bytes; }
bool is_floating(DataType type) { return row(type).kind == 'f'; }
bool is_integer(DataType type) { return row(type).kind == 'i' || row(type).kind == 'u'; }
bool is_signed(DataType type) { return row(type).kind == 'f' || row(type).kind == 'i'; }

Shape::Shape(std::span<const std::int64_t> dims) {
  for (std::int64_t extent : dims) push_back(extent);
}

void Shape::push_back(std::int64_t extent) {
  if (rank_ == kMaxRank) throw_error(unsupported("shape: at most ", kMaxRank, " dimensions are supported"));
  dims_[static_cast<std::size_t>(rank_++)] = extent;
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (std::int64_t extent : *this) product *= extent;
  return product;
}

std::string Shape::to_string() const {
  if (rank_ == 0) return "scalar";
  std::string text;
  for (int axis = 0; axis < rank_; ++axis) text += (axis ? "x" : "") + std::to_string((*this)[axis]);
  return text;
}

bool Shape::operator==(const Shape& other) const {
  return rank_ == other.rank_ && std::equal(begin(), end(), other.begin());
}

Result<Tensor> Tensor::allocate(DataType type, const Shape& shape) {
  if (type == DataType::undefined) return invalid_argument("tensor: element type is undefined");
  std::int64_t bytes = static_cast<std::int64_t>(size_of(type));
  for (std::int64_t extent : shape) {
    if (extent < 0) return invalid_argument("tensor: negative extent in shape ", shape.to_string());
    if (!checked_mul(bytes, extent, bytes)) {
      return invalid_argument("tensor: shape ", shape.to_string(), " does not fit in memory");
    }
  }
  Tensor tensor;
  tensor.type_ = type;
  tensor.shape_ = shape;
  if (type == DataType::string) {
    auto strings = std::make_shared<std::vector<std::string>>(static_cast<std::size_t>(shape.elements()));
    tensor.data_ = strings->data();
    tensor.owner_ = std::move(strings);
    return tensor;
  }
  // calloc-like: large blocks come zeroed from the system, so untouched pages cost nothing.
  const std::size_t size = (static_cast<std::size_t>(bytes) + 63) / 64 * 64 + 64;
  void* memory = std::calloc(size, 1);
  if (!memory) return resource_exhausted("tensor: cannot allocate ", bytes, " bytes");
  tensor.owner_ = std::shared_ptr<const void>(memory, [](const void* p) { std::free(const_cast<void*>(p)); });
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  tensor.data_ = reinterpret_cast<void*>((address + 63) / 64 * 64);
  return tensor;
}

Tensor Tensor::borrow(DataType type, const Shape& shape, void* data) { return share(type, shape, data, nullptr); }

Tensor Tensor::share(DataType type, const Shape& shape, void* data, std::shared_ptr<const void> owner) {
  Tensor tensor;
  tensor.type_ = type;
  tensor.shape_ = shape;
  tensor.data_ = data;
  tensor.owner_ = std::move(owner);
  return tensor;
}

Tensor Tensor::reshaped(const Shape& shape) const {
  FOVEA_CHECK(shape.elements() == elements());
  Tensor tensor = *this;
  tensor.shape_ = shape;
  return tensor;
}

Result<Tensor> Tensor::clone() const {
  if (!defined()) return Tensor();
  FOVEA_ASSIGN(Tensor copy, allocate(type_, shape_));
  if (type_ == DataType::string) {
    std::copy_n(data<std::string>(), elements(), copy.data<std::string>());
  } else if (bytes() > 0) {
    std::memcpy(copy.raw(), raw(), bytes());
  }
  return copy;
}

}  // namespace fovea
