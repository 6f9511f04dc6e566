// SPDX-License-Identifier: Apache-2.0
// TensorReader: TensorProto and SparseTensorProto -> Tensor, in every encoding ONNX has, with exact size checks
// before anything is allocated and one budget for all weights of a model.
#pragma once

#include <filesystem>
#include <map>
#include <optional>

#include "fovea/tensor.h"
#include "onnx/external_data.h"
#include "onnx/message_reader.h"

namespace fovea::onnx {

class TensorReader {
 public:
  TensorReader(std::filesystem::path folder, std::int64_t max_bytes) : external_(std::move(folder)), bytes_left_(max_bytes), limit_(max_bytes) {}

  /// The seed that weights of a light file follow (seed_rule.h). Without it such weights are refused.
  void set_seed(std::uint64_t seed) { seed_ = seed; }

  /// Element type, extents and the number of stored values must agree exactly. ResourceExhausted beyond the budget.
  Result<Tensor> read(const proto::TensorProto& message);
  /// Made dense. Indices must be in range, ascending and unique, as ONNX demands.
  Result<Tensor> read_sparse(const proto::SparseTensorProto& message);
  /// The same, remembered by the message's address: attributes of a function called many times share their bytes.
  Result<Tensor> read_shared(const proto::TensorProto& message);

 private:
  Result<Tensor> allocate(DataType type, const Shape& shape);
  Result<Tensor> read_external(const proto::TensorProto& message, DataType type, const Shape& shape);
  Result<Tensor> make_seeded(const proto::TensorProto& message, DataType type, const Shape& shape);
  Status charge(DataType type, const Shape& shape);

  ExternalData external_;
  std::int64_t bytes_left_, limit_, seeded_bytes_ = 0;
  std::optional<std::uint64_t> seed_;
  std::map<const void*, Tensor> shared_;
};

/// A name from a file for use in a message: quoted, short, printable.
std::string in_quotes(std::string_view name);

}  // namespace fovea::onnx
