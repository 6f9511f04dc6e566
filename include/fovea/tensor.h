// SPDX-License-Identifier: Apache-2.0
// Tensor: a typed, shaped piece of a reference-counted buffer, row-major and contiguous.
// Copying a Tensor shares the buffer; clone() copies the bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/status.h"

namespace fovea {

/// Element types. 4-bit and 2-bit types take one byte an element in memory (packed only in files);
/// `string` elements are std::string objects.
enum class DataType : std::uint8_t {
  undefined, f32, f16, bf16, f64, i8, u8, i16, u16, i32, u32, i64, u64, boolean, string, c64, c128,
  f8e4m3fn, f8e4m3fnuz, f8e5m2, f8e5m2fnuz, f8e8m0, f4e2m1, i4, u4, i2, u2,
};

/// "f32", "bool", "f8e4m3fn" ...
std::string_view name(DataType type);
/// Bytes of one element in memory; 0 for undefined.
std::size_t size_of(DataType type);
/// f16 bf16 f32 f64 and the 8-bit and 4-bit floats.
bool is_floating(DataType type);
/// All signed and unsigned integers (not bool).
bool is_integer(DataType type);
bool is_signed(DataType type);

inline constexpr int kMaxRank = 10;

/// Extents of a tensor, outermost first. Fixed capacity, so copying one never allocates.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const std::int64_t> dims);
  explicit Shape(const std::vector<std::int64_t>& dims) : Shape(std::span(dims)) {}

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return dims_[static_cast<std::size_t>(axis)]; }
  std::int64_t& operator[](int axis) { return dims_[static_cast<std::size_t>(axis)]; }
  /// Appends one extent; beyond kMaxRank it throws Error (callers check rank first on user data).
  void push_back(std::int64_t extent);
  const std::int64_t* begin() const { return dims_.data(); }
  const std::int64_t* end() const { return dims_.data() + rank_; }
  std::int64_t* begin() { return dims_.data(); }
  std::int64_t* end() { return dims_.data() + rank_; }
  std::span<const std::int64_t> dims() const { return {dims_.data(), static_cast<std::size_t>(rank_)}; }
  std::vector<std::int64_t> to_vector() const { return {begin(), end()}; }
  /// Product of the extents; 1 for a scalar. Unchecked: shapes are checked where they enter.
  std::int64_t elements() const;
  /// "1x3x224x224"; "scalar" for rank 0.
  std::string to_string() const;
  bool operator==(const Shape& other) const;

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

class Tensor {
 public:
  Tensor() = default;
  /// Allocates zeroed memory aligned to 64 bytes. Fails with ResourceExhausted or, for a negative
  /// extent or an overflow of 63 bits, InvalidArgument.
  static Result<Tensor> allocate(DataType type, const Shape& shape);
  /// Borrows memory of the caller, which must outlive every copy of the tensor.
  static Tensor borrow(DataType type, const Shape& shape, void* data);
  /// Borrows memory kept alive by `owner` (a mapped file, another framework's array).
  static Tensor share(DataType type, const Shape& shape, void* data, std::shared_ptr<const void> owner);
  /// Copies `values` into a new tensor. T must be the C++ type of `type` (float, std::int64_t ...).
  template <class T>
  static Tensor from(DataType type, const Shape& shape, std::span<const T> values);

  bool defined() const { return type_ != DataType::undefined; }
  DataType type() const { return type_; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  std::int64_t dim(int axis) const { return shape_[axis]; }
  std::int64_t elements() const { return shape_.elements(); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(type_); }

  void* raw() { return data_; }
  const void* raw() const { return data_; }
  template <class T> T* data() { return static_cast<T*>(data_); }
  template <class T> const T* data() const { return static_cast<const T*>(data_); }
  template <class T> std::span<const T> values() const {
    return {static_cast<const T*>(data_), static_cast<std::size_t>(elements())};
  }
  template <class T> std::span<T> values() {
    return {static_cast<T*>(data_), static_cast<std::size_t>(elements())};
  }

  /// Same buffer seen with another shape of equally many elements (unchecked).
  Tensor reshaped(const Shape& shape) const;
  /// Deep copy.
  Result<Tensor> clone() const;

 private:
  DataType type_ = DataType::undefined;
  Shape shape_;
  void* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

template <class T>
Tensor Tensor::from(DataType type, const Shape& shape, std::span<const T> values) {
  Tensor tensor = allocate(type, shape).value();
  std::copy(values.begin(), values.end(), tensor.data<T>());
  return tensor;
}

}  // namespace fovea
