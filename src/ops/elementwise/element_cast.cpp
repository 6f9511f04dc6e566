// SPDX-License-Identifier: Apache-2.0
// Every conversion goes through one of three exact intermediates (double, i64, u64) in cache-sized pieces,
// so there are about a hundred small loops instead of one for each pair of types.
#include "ops/elementwise/element_cast.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <vector>

namespace fovea::ops {

namespace {

template <class T> inline constexpr bool kIsSubByte = std::is_same_v<T, Int4> || std::is_same_v<T, UInt4> || std::is_same_v<T, Int2> || std::is_same_v<T, UInt2>;
template <class T> inline constexpr bool kIsWholeNumber = std::is_integral_v<T> || kIsSubByte<T> || std::is_same_v<T, Bool>;
/// double for floats, u64 for u64, else i64.
template <class T>
using Middle = std::conditional_t<!kIsWholeNumber<T>, double, std::conditional_t<std::is_same_v<T, std::uint64_t>, std::uint64_t, std::int64_t>>;

template <class T>
Middle<T> load(const T& element) {
  if constexpr (std::is_same_v<T, Bool>) return element.value != 0;
  else if constexpr (kIsSubByte<T>) return element.value;
  else if constexpr (std::is_arithmetic_v<T>) return static_cast<Middle<T>>(element);
  else return static_cast<double>(static_cast<float>(element));
}

template <class T, class M>
T store(M value, const CastOptions& options) {
  if constexpr (std::is_same_v<T, Bool>) {
    return Bool{static_cast<std::uint8_t>(value != M(0))};
  } else if constexpr (kIsSubByte<T>) {
    constexpr int kBits = std::is_same_v<T, Int4> || std::is_same_v<T, UInt4> ? 4 : 2;
    int low = 0;
    if constexpr (std::is_same_v<M, double>) low = float_to_integer<std::uint8_t>(value);
    else low = static_cast<int>(value & 15);
    low &= (1 << kBits) - 1;
    if constexpr (std::is_same_v<T, UInt4> || std::is_same_v<T, UInt2>) return T{static_cast<std::uint8_t>(low)};
    else return T{static_cast<std::int8_t>(low >= 1 << (kBits - 1) ? low - (1 << kBits) : low)};
  } else if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_same_v<M, double>) return float_to_integer<T>(value);
    else return static_cast<T>(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(value);
  } else if constexpr (kIsHalf<T>) {
    return T(round_to_odd(static_cast<double>(value)));
  } else if constexpr (std::is_same_v<T, F8E8M0>) {
    return T(static_cast<double>(value), options.saturate, options.e8m0_round);
  } else {
    return T(static_cast<double>(value), options.saturate);
  }
}

constexpr std::int64_t kPiece = 1024;

/// Calls f(values, offset, count) with pieces of the source as doubles, i64s or u64s.
template <class S, class F>
void for_each_piece(const S* source, std::int64_t count, F f) {
  Middle<S> piece[kPiece];
  for (std::int64_t start = 0; start < count; start += kPiece) {
    const std::int64_t n = std::min(kPiece, count - start);
    for (std::int64_t i = 0; i < n; ++i) piece[i] = load(source[start + i]);
    f(static_cast<const Middle<S>*>(piece), start, n);
  }
}

/// Three instantiations (by M) of one loop per target type, shared by all source types.
template <class M>
Status store_piece(const M* piece, std::int64_t start, std::int64_t n, Tensor& to, std::string_view where, const CastOptions& options) {
  return dispatch_all_but_complex(to.type(), where, [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, std::string>) {
      T* out = to.data<T>() + start;
      for (std::int64_t i = 0; i < n; ++i) out[i] = store<T>(piece[i], options);
    }
    return {};
  });
}

std::string to_text(double value, bool single) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-INF" : "INF";
  char buffer[400];
  // Shortest text that reads back as the same number, plain unless that would be very long.
  const double magnitude = std::fabs(value);
  const auto format = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e16) ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = single ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value), format).ptr
                          : std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

Status parse(const std::string& text, std::string_view where, double& number, std::int64_t& integer, bool& is_integer_text) {
  std::string_view rest(text);
  while (!rest.empty() && std::isspace(static_cast<unsigned char>(rest.front()))) rest.remove_prefix(1);
  while (!rest.empty() && std::isspace(static_cast<unsigned char>(rest.back()))) rest.remove_suffix(1);
  if (rest.size() > 1 && rest.front() == '+' && rest[1] != '-') rest.remove_prefix(1);
  const char* last = rest.data() + rest.size();
  const auto as_integer = std::from_chars(rest.data(), last, integer);
  is_integer_text = as_integer.ec == std::errc() && as_integer.ptr == last;
  const auto as_number = std::from_chars(rest.data(), last, number);
  if (rest.empty() || as_number.ptr != last || as_number.ec == std::errc::invalid_argument) {
    return invalid_argument(where, ": '", text.substr(0, 60), "' is not a number");
  }
  if (as_number.ec == std::errc::result_out_of_range) {
    number = std::strtod(std::string(rest).c_str(), nullptr);  // infinity or a subnormal
  }
  return {};
}

template <class T>
Status cast_from_text(const Tensor& from, Tensor& to, std::string_view where, const CastOptions& options) {
  for (std::int64_t i = 0; i < from.elements(); ++i) {
    const std::string& text = from.data<std::string>()[i];
    if constexpr (std::is_same_v<T, std::string>) {
      to.data<T>()[i] = text;
    } else {
      double number = 0;
      std::int64_t integer = 0;
      bool is_integer_text = false;
      if (text == "True" || text == "true" || text == "False" || text == "false") {
        to.data<T>()[i] = store<T>(std::int64_t{text.size() == 4}, options);
        continue;
      }
      FOVEA_RETURN_IF_ERROR(parse(text, where, number, integer, is_integer_text));
      if constexpr (kIsWholeNumber<T>) {
        to.data<T>()[i] = is_integer_text ? store<T>(integer, options) : store<T>(std::trunc(number), options);
      } else {
        to.data<T>()[i] = store<T>(number, options);
      }
    }
  }
  return {};
}

template <class S>
void cast_to_text(const Tensor& from, Tensor& to) {
  for (std::int64_t i = 0; i < from.elements(); ++i) {
    const S& element = from.data<S>()[i];
    std::string& text = to.data<std::string>()[i];
    if constexpr (std::is_same_v<S, Bool>) text = element.value ? "True" : "False";
    else if constexpr (kIsWholeNumber<S>) text = std::to_string(load(element));
    else text = to_text(load(element), !std::is_same_v<S, double>);
  }
}

}  // namespace

float round_to_odd(double value) {
  const float nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || !std::isfinite(nearest)) return nearest;
  // Towards zero, then the last bit set: it stands for the lost part.
  std::uint32_t bits = std::bit_cast<std::uint32_t>(nearest);
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(value)) --bits;
  return std::bit_cast<float>(bits | 1u);
}

Status cast_elements(const Tensor& from, Tensor& to, std::string_view where, CastOptions options) {
  const std::int64_t count = from.elements();
  if (from.type() == DataType::string) {
    return dispatch_all_but_complex(to.type(), where, [&](auto tag) {
      return cast_from_text<typename decltype(tag)::type>(from, to, where, options);
    });
  }
  if (from.type() == to.type()) {
    std::copy_n(from.data<std::byte>(), from.bytes(), to.data<std::byte>());
    return {};
  }
  return dispatch_all_but_complex(from.type(), where, [&](auto source_tag) -> Status {
    using S = typename decltype(source_tag)::type;
    if constexpr (std::is_same_v<S, std::string>) {
      return internal_error(where, ": text is handled above");
    } else {
      if (to.type() == DataType::string) return cast_to_text<S>(from, to), Status();
      Status status;
      for_each_piece(from.data<S>(), count, [&](auto* piece, std::int64_t start, std::int64_t n) {
        if (!status.ok()) return;
        status = store_piece(piece, start, n, to, where, options);
      });
      return status;
    }
  });
}

Result<Tensor> cast_tensor(const Tensor& from, DataType type, std::string_view where, CastOptions options) {
  if (from.type() == type) return from;
  FOVEA_ASSIGN(Tensor to, Tensor::allocate(type, from.shape()));
  FOVEA_RETURN_IF_ERROR(cast_elements(from, to, where, options));
  return to;
}

}  // namespace fovea::ops
