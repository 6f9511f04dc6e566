// SPDX-License-Identifier: Apache-2.0
// Datum: what can travel along an edge at run time: a tensor, a sequence of datums, or nothing (an
// empty optional). And ValueType, its static counterpart.
#pragma once

#include <memory>
#include <vector>

#include "fovea/tensor.h"

namespace fovea {

struct Datum {
  enum class Kind : std::uint8_t { None, Tensor, Sequence };

  Datum() = default;
  Datum(Tensor t) : kind(t.defined() ? Kind::Tensor : Kind::None), tensor(std::move(t)) {}
  static Datum make_sequence(std::vector<Datum> items, DataType element_type) {
    Datum datum;
    datum.kind = Kind::Sequence;
    datum.element_type = element_type;
    datum.items = std::make_shared<const std::vector<Datum>>(std::move(items));
    return datum;
  }

  bool present() const { return kind != Kind::None; }

  Kind kind = Kind::None;
  Tensor tensor;
  DataType element_type = DataType::undefined;             ///< of a sequence, also of an empty one
  std::shared_ptr<const std::vector<Datum>> items;          ///< of a sequence; shared, never changed
};

/// Static type of a value.
struct ValueType {
  enum class Kind : std::uint8_t { Tensor, Sequence, Optional, OptionalSequence };
  Kind kind = Kind::Tensor;
  DataType element = DataType::undefined;
  bool operator==(const ValueType&) const = default;
};

}  // namespace fovea
