// SPDX-License-Identifier: Apache-2.0
// npy and npz: what we write reads back, what NumPy writes reads, what is damaged is refused.
#include "base/npz.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "base/attributes.h"
#include "base/file.h"
#include "base/float_types.h"

namespace fovea {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string file = "\x93NUMPY";
  file += {version, '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  if (version > 1) file += std::string(2, '\0');
  return file + header + data;
}

Result<Tensor> parse(const std::string& file) { return parse_npy(bytes_of(file)); }

template <class T>
std::string raw(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

struct TemporaryFile {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("fovea_npz_test_" + std::to_string(::getpid()));
  ~TemporaryFile() { std::filesystem::remove(path); }
};

TEST(Npy, EveryTypeReadsBack) {
  for (int t = 1; t <= static_cast<int>(DataType::u2); ++t) {
    const auto type = static_cast<DataType>(t);
    if (type == DataType::string) continue;
    Tensor tensor = Tensor::allocate(type, {2, 3}).value();
    for (std::size_t i = 0; i < tensor.bytes(); ++i) tensor.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 2);
    const auto back = parse(format_npy(tensor).value());
    ASSERT_TRUE(back.ok()) << name(type) << ": " << back.status().to_string();
    EXPECT_EQ(back->shape(), tensor.shape());
    EXPECT_EQ(size_of(back->type()), size_of(type)) << name(type);
    EXPECT_EQ(std::memcmp(back->raw(), tensor.raw(), tensor.bytes()), 0) << name(type);
  }
}

TEST(Npy, TextReadsBackAsUnicode) {
  const Tensor tensor = Tensor::from<std::string>(DataType::string, {3}, std::vector<std::string>{"a", "äß€😀", ""});
  const auto back = parse(format_npy(tensor).value());
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  EXPECT_TRUE(equal(AttributeValue(tensor), AttributeValue(*back)));
}

TEST(Npy, ScalarAndEmpty) {
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 0, 2}, Shape{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}) {
    const auto back = parse(format_npy(Tensor::allocate(DataType::i64, shape).value()).value());
    ASSERT_TRUE(back.ok()) << back.status().to_string();
    EXPECT_EQ(back->shape(), shape);
  }
}

TEST(Npy, FortranOrderIsTurned) {
  const auto tensor = parse(npy("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", raw<std::int16_t>({1, 4, 2, 5, 3, 6})));
  ASSERT_TRUE(tensor.ok()) << tensor.status().to_string();
  const auto values = tensor->values<std::int16_t>();
  EXPECT_EQ(std::vector<std::int16_t>(values.begin(), values.end()), (std::vector<std::int16_t>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, BigEndianIsSwapped) {
  const auto tensor = parse(npy("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }", std::string("\0\0\1\2", 4), 2));
  ASSERT_TRUE(tensor.ok()) << tensor.status().to_string();
  EXPECT_EQ(tensor->data<std::int32_t>()[0], 258);
}

TEST(Npy, BytesAreText) {
  const auto tensor = parse(npy("{'descr': '|S3', 'fortran_order': False, 'shape': (2,), }", std::string("ab\0xyz", 6)));
  ASSERT_TRUE(tensor.ok()) << tensor.status().to_string();
  EXPECT_EQ(tensor->data<std::string>()[0], "ab");
  EXPECT_EQ(tensor->data<std::string>()[1], "xyz");
}

TEST(Npy, HostileHeaders) {
  const std::string four = raw<float>({1});
  const std::string cases[] = {
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",                        // too little data
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,4,), }",    // overflows to 0
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1), }",     // rank 11
      "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000,), }",
      "{'descr': '<U4294967295', 'fortran_order': False, 'shape': (1,), }",
      "{'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,)}",
      "{'descr': '<f4",
      "",
  };
  for (const std::string& header : cases) EXPECT_FALSE(parse(npy(header, four)).ok()) << header;
  EXPECT_TRUE(parse(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", four)).ok());
  EXPECT_FALSE(parse(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", four, 9)).ok());
}

NamedTensors sample() {
  return {{"images", Tensor::from<float>(DataType::f32, {2, 2}, std::vector<float>{1, 2, 3, 4})},
          {"sizes", Tensor::from<std::int64_t>(DataType::i64, {2}, std::vector<std::int64_t>{640, 480})},
          {"half", Tensor::from<Half>(DataType::f16, {1}, std::vector<Half>{Half(0.5f)})}};
}

TEST(Npz, ReadsBackAndIsReproducible) {
  const TemporaryFile file;
  ASSERT_TRUE(write_npz(file.path, sample()).ok());
  const std::string first = *read_file(file.path);
  const auto back = read_npz(file.path);
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  ASSERT_EQ(back->size(), 3u);
  for (const auto& [key, tensor] : sample()) EXPECT_TRUE(equal(AttributeValue(tensor), AttributeValue(back->at(key)))) << key;
  ASSERT_TRUE(write_npz(file.path, sample()).ok());
  EXPECT_EQ(first, *read_file(file.path));
}

/// An archive of one deflated entry, as numpy.savez_compressed writes it.
std::string deflated(const std::string& content, std::uint32_t claimed_size) {
  std::string packed(content.size() + 100, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  const auto crc = static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
  std::string file;
  const auto put = [&file](auto... values) { (file.append(reinterpret_cast<const char*>(&values), sizeof values), ...); };
  using u16 = std::uint16_t;
  const auto packed_size = static_cast<std::uint32_t>(packed.size());
  put(0x04034b50u, u16{20}, u16{0}, u16{8}, 0u, crc, packed_size, claimed_size, u16{5}, u16{0});
  file += "x.npy" + packed;
  const auto directory = static_cast<std::uint32_t>(file.size());
  put(0x02014b50u, u16{20}, u16{20}, u16{0}, u16{8}, 0u, crc, packed_size, claimed_size, u16{5}, u16{0}, u16{0}, u16{0}, u16{0}, 0u, 0u);
  file += "x.npy";
  const auto directory_size = static_cast<std::uint32_t>(file.size()) - directory;
  put(0x06054b50u, u16{0}, u16{0}, u16{1}, u16{1}, directory_size, directory, u16{0});
  return file;
}

TEST(Npz, Deflated) {
  const std::string content = format_npy(Tensor::allocate(DataType::f32, {100, 100}).value()).value();
  const auto good = parse_npz(bytes_of(deflated(content, static_cast<std::uint32_t>(content.size()))));
  ASSERT_TRUE(good.ok()) << good.status().to_string();
  EXPECT_EQ(good->at("x").shape(), (Shape{100, 100}));
}

TEST(Npz, BombsAndLiesAreRefused) {
  const std::string content = format_npy(Tensor::allocate(DataType::f32, {1000, 1000}).value()).value();
  const auto size = static_cast<std::uint32_t>(content.size());
  EXPECT_EQ(parse_npz(bytes_of(deflated(content, size)), 1000).status().code(), ErrorCode::InvalidModel);
  for (const std::uint32_t claimed : {0u, 1u, size - 1, size + 1, 0xfffffffeu}) {
    EXPECT_FALSE(parse_npz(bytes_of(deflated(content, claimed))).ok()) << claimed;
  }
}

TEST(Npz, DamageIsAnError) {
  const TemporaryFile file;
  ASSERT_TRUE(write_npz(file.path, sample()).ok());
  const std::string good = *read_file(file.path);
  for (std::size_t size = 0; size < good.size(); ++size) ASSERT_FALSE(parse_npz(bytes_of(good.substr(0, size))).ok()) << size;
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string bad = good;
    for (int change = 0; change <= i % 3; ++change) bad[random() % bad.size()] = static_cast<char>(random());
    static_cast<void>(parse_npz(bytes_of(bad)));
  }
}

}  // namespace
}  // namespace fovea
