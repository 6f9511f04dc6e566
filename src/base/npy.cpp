// SPDX-License-Identifier: Apache-2.0
#include "base/npy.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <cstring>

#include "base/checked_math.h"
#include "base/file.h"

namespace fovea {

static_assert(std::endian::native == std::endian::little);

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 1 << 16;

struct Header {
  char kind = 0;             // f i u b c U S
  std::size_t item = 0;      // bytes, for text code points or bytes
  bool big_endian = false, fortran_order = false;
  Shape shape;
};

/// Reads the header: a Python dictionary with exactly the keys descr, fortran_order and shape.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Result<Header> parse() {
    Header header;
    int seen = 0;
    if (!take('{')) return error("expected '{'");
    while (!take('}')) {
      FOVEA_ASSIGN(const std::string_view key, quoted());
      if (!take(':')) return error("expected ':'");
      const int bit = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
      if (bit == 0 || (seen & bit) != 0) return error("unknown or repeated key");
      seen |= bit;
      if (bit == 1) FOVEA_RETURN_IF_ERROR(read_type(header));
      if (bit == 2) FOVEA_RETURN_IF_ERROR(read_order(header));
      if (bit == 4) FOVEA_RETURN_IF_ERROR(read_shape(header));
      if (!take(',') && peek() != '}') return error("expected ',' or '}'");
    }
    if (seen != 7) return error("descr, fortran_order or shape is missing");
    if (peek() != '\0') return error("text after the dictionary");
    return header;
  }

 private:
  Status read_type(Header& header) {
    if (peek() == '[') return unsupported("npy: structured types are not supported");
    FOVEA_ASSIGN(std::string_view type, quoted());
    if (!type.empty() && std::string_view("<>|=").find(type[0]) != std::string_view::npos) {
      header.big_endian = type[0] == '>';
      type.remove_prefix(1);
    }
    if (type.empty()) return error("empty type");
    header.kind = type[0];
    const auto [end, code] = std::from_chars(type.data() + 1, type.data() + type.size(), header.item);
    if (std::string_view("fiubcUS").find(header.kind) == std::string_view::npos || code != std::errc() || end != type.data() + type.size()) {
      return unsupported("npy: element type '", type.substr(0, 32), "' is not supported");
    }
    return {};
  }

  Status read_order(Header& header) {
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      skip_space();
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      header.fortran_order = value;
      return {};
    }
    return error("fortran_order must be True or False");
  }

  Status read_shape(Header& header) {
    if (!take('(')) return error("expected '('");
    while (!take(')')) {
      skip_space();
      std::int64_t extent = 0;
      const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
      if (code != std::errc() || extent < 0) return error("expected an extent");
      if (header.shape.rank() == kMaxRank) return unsupported("npy: at most ", kMaxRank, " dimensions are supported");
      header.shape.push_back(extent);
      at_ = static_cast<std::size_t>(end - text_.data());
      if (!take(',') && peek() != ')') return error("expected ',' or ')'");
    }
    return {};
  }

  Result<std::string_view> quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return error("expected a quoted word");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return error("unterminated word");
    const std::string_view word = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return word;
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  Status error(const char* what) const { return invalid_model("npy: header, character ", at_, ": ", what); }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<DataType> type_of(const Header& header) {
  struct Row {
    char kind;
    std::size_t item;
    DataType type;
  };
  static constexpr Row kRows[] = {{'f', 2, DataType::f16}, {'f', 4, DataType::f32}, {'f', 8, DataType::f64}, {'i', 1, DataType::i8},
                                  {'i', 2, DataType::i16}, {'i', 4, DataType::i32}, {'i', 8, DataType::i64}, {'u', 1, DataType::u8},
                                  {'u', 2, DataType::u16}, {'u', 4, DataType::u32}, {'u', 8, DataType::u64}, {'b', 1, DataType::boolean},
                                  {'c', 8, DataType::c64}, {'c', 16, DataType::c128}};
  for (const Row& row : kRows) {
    if (row.kind == header.kind && row.item == header.item) return row.type;
  }
  if (header.kind == 'U' || header.kind == 'S') return DataType::string;
  return unsupported("npy: element type '", header.kind, header.item, "' is not supported");
}

void append_utf8(std::string& text, std::uint32_t point) {
  if (point >= 0x110000) point = 0xfffd;
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += {static_cast<char>(0xc0 | (point >> 6)), static_cast<char>(0x80 | (point & 63))};
  } else if (point < 0x10000) {
    text += {static_cast<char>(0xe0 | (point >> 12)), static_cast<char>(0x80 | ((point >> 6) & 63)), static_cast<char>(0x80 | (point & 63))};
  } else {
    text += {static_cast<char>(0xf0 | (point >> 18)), static_cast<char>(0x80 | ((point >> 12) & 63)),
             static_cast<char>(0x80 | ((point >> 6) & 63)), static_cast<char>(0x80 | (point & 63))};
  }
}

std::u32string from_utf8(std::string_view text) {
  std::u32string points;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i++]);
    const int more = byte < 0x80 ? 0 : byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
    std::uint32_t point = byte < 0x80 ? byte : more == 0 ? 0xfffdu : byte & (0x3fu >> more);
    for (int k = 0; k < more && i < text.size(); ++k) point = (point << 6) | (static_cast<unsigned char>(text[i++]) & 63u);
    points += static_cast<char32_t>(point);
  }
  return points;
}

/// One element of text; NumPy pads with zeros.
std::string text_at(const std::byte* data, const Header& header) {
  std::string text;
  if (header.kind == 'S') {
    text.assign(reinterpret_cast<const char*>(data), header.item);
    text.erase(text.find_last_not_of('\0') + 1);
    return text;
  }
  std::size_t length = 0;
  std::vector<std::uint32_t> points(header.item);
  std::memcpy(points.data(), data, header.item * 4);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (header.big_endian) points[i] = __builtin_bswap32(points[i]);
    if (points[i] != 0) length = i + 1;
  }
  for (std::size_t i = 0; i < length; ++i) append_utf8(text, points[i]);
  return text;
}

/// Calls f(position in our order, position in the file) for each element.
template <class F>
void for_each_element(const Header& header, F f) {
  const std::int64_t count = header.shape.elements();
  if (!header.fortran_order) {
    for (std::int64_t i = 0; i < count; ++i) f(i, i);
    return;
  }
  const int rank = header.shape.rank();
  Shape index, stride;
  std::int64_t step = 1;
  for (int axis = 0; axis < rank; ++axis) {
    index.push_back(0);
    stride.push_back(step);
    step *= header.shape[axis];
  }
  std::int64_t source = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    f(i, source);
    for (int axis = rank - 1; axis >= 0; --axis) {
      source += stride[axis];
      if (++index[axis] < header.shape[axis]) break;
      source -= stride[axis] * header.shape[axis];
      index[axis] = 0;
    }
  }
}

void swap_bytes(std::byte* data, std::size_t count, std::size_t width) {
  for (std::size_t i = 0; i < count; ++i) std::reverse(data + i * width, data + (i + 1) * width);
}

const char* descr_of(DataType type) {
  switch (type) {
    case DataType::f32: return "<f4";
    case DataType::f16: return "<f2";
    case DataType::f64: return "<f8";
    case DataType::i8: case DataType::i4: case DataType::i2: return "|i1";
    case DataType::i16: return "<i2";
    case DataType::bf16: case DataType::u16: return "<u2";
    case DataType::i32: return "<i4";
    case DataType::u32: return "<u4";
    case DataType::i64: return "<i8";
    case DataType::u64: return "<u8";
    case DataType::boolean: return "|b1";
    case DataType::c64: return "<c8";
    case DataType::c128: return "<c16";
    default: return "|u1";
  }
}

}  // namespace

Result<Tensor> parse_npy(std::span<const std::byte> bytes, std::int64_t max_bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < 10 || text.substr(0, 6) != kMagic) return invalid_model("npy: does not start with \\x93NUMPY");
  const int version = static_cast<unsigned char>(text[6]);
  if (version < 1 || version > 3) return unsupported("npy: version ", version, ", expected 1 to 3");
  const std::size_t start = version == 1 ? 10 : 12;
  std::uint32_t length = 0;
  if (text.size() < start) return invalid_model("npy: ends inside its header");
  std::memcpy(&length, text.data() + 8, start - 8);
  if (length > kMaxHeader || text.size() - start < length) return invalid_model("npy: header of ", length, " bytes in a file of ", text.size());
  FOVEA_ASSIGN(Header header, HeaderParser(text.substr(start, length)).parse());
  FOVEA_ASSIGN(const DataType type, type_of(header));
  if (header.kind == 'S' || header.kind == 'U') {
    if (header.item > kMaxHeader) return unsupported("npy: text of ", header.item, " characters an element");
  }
  // What the shape asks for must be what the file holds, and within the limit.
  const std::size_t width = header.kind == 'U' ? header.item * 4 : header.item;
  const auto data = bytes.subspan(start + length);
  const auto count = checked_elements(header.shape.dims());
  std::int64_t needed = 0, allocated = 0;
  if (!count.ok() || !checked_mul(*count, static_cast<std::int64_t>(width), needed) ||
      !checked_mul(*count, static_cast<std::int64_t>(size_of(type)), allocated)) {
    return invalid_model("npy: shape ", header.shape.to_string(), " overflows");
  }
  if (width == 0 && *count > 0) return unsupported("npy: text of 0 characters an element");
  if (needed != static_cast<std::int64_t>(data.size())) {
    return invalid_model("npy: shape ", header.shape.to_string(), " needs ", needed, " bytes, found ", data.size());
  }
  if (allocated > max_bytes) return invalid_model("npy: ", allocated, " bytes, more than the limit of ", max_bytes);
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(type, header.shape));
  if (type == DataType::string) {
    for_each_element(header, [&](std::int64_t to, std::int64_t from) {
      tensor.data<std::string>()[to] = text_at(data.data() + static_cast<std::size_t>(from) * width, header);
    });
    return tensor;
  }
  auto* target = static_cast<std::byte*>(tensor.raw());
  if (header.fortran_order && header.shape.rank() > 1) {
    for_each_element(header, [&](std::int64_t to, std::int64_t from) {
      std::memcpy(target + static_cast<std::size_t>(to) * width, data.data() + static_cast<std::size_t>(from) * width, width);
    });
  } else if (!data.empty()) {
    std::memcpy(target, data.data(), data.size());
  }
  if (header.big_endian) {
    const std::size_t part = header.kind == 'c' ? width / 2 : width;
    swap_bytes(target, tensor.bytes() / part, part);
  }
  if (type == DataType::boolean) {
    for (std::byte& value : tensor.values<std::byte>()) value = std::byte{value != std::byte{0}};
  }
  return tensor;
}

Result<Tensor> read_npy(const std::filesystem::path& file) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file));
  auto tensor = parse_npy(mapped->bytes());
  if (!tensor.ok()) return std::move(tensor).status().with_context(file.string());
  return tensor;
}

Result<std::string> format_npy(const Tensor& tensor) {
  if (!tensor.defined()) return invalid_argument("npy: undefined tensor");
  std::string descr = descr_of(tensor.type());
  std::size_t characters = 1;
  std::vector<std::u32string> texts;
  if (tensor.type() == DataType::string) {
    for (const std::string& value : tensor.values<std::string>()) {
      texts.push_back(from_utf8(value));
      characters = std::max(characters, texts.back().size());
    }
    descr = "<U" + std::to_string(characters);
  }
  std::string shape;
  for (std::int64_t extent : tensor.shape()) shape += std::to_string(extent) + (tensor.rank() == 1 ? "," : ", ");
  if (tensor.rank() > 1) shape.resize(shape.size() - 2);
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string file(kMagic);
  file += {'\x01', '\x00', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  file += header;
  if (tensor.type() != DataType::string) {
    file.append(static_cast<const char*>(tensor.raw()), tensor.bytes());
    return file;
  }
  for (std::u32string& text : texts) {
    text.resize(characters, U'\0');
    file.append(reinterpret_cast<const char*>(text.data()), text.size() * 4);
  }
  return file;
}

Status write_npy(const std::filesystem::path& file, const Tensor& tensor) {
  FOVEA_ASSIGN(const std::string text, format_npy(tensor));
  return write_file_atomically(file, text);
}

}  // namespace fovea
