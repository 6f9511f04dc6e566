// SPDX-License-Identifier: Apache-2.0
// Parts of a program that a table replaces: a byte computed from one other byte, constants, and constant inputs such as a
// slope per channel. 256 results for each set of constants; exact, because the program itself fills the table.
#pragma once

#include <span>
#include <vector>

#include "fovea/tensor.h"
#include "ops/fused/pointwise_loops.h"
#include "ops/fused/pointwise_program.h"

namespace fovea::cpu {

/// A value that a table can give.
struct TablePart {
  int source = -1;                 ///< the byte it is computed from; -1: no table
  int instructions = 0;            ///< between the two
  std::vector<int> parameters;     ///< numbers of constant inputs; all the same in every run of 256
  PointwiseProgram program;        ///< input 0 is the source, input 1 + k parameter k
};

/// Per instruction the largest part that ends there. Parameters must vary along at most one axis, all along the same.
std::vector<TablePart> find_table_parts(const PointwiseProgram& program, std::span<const Tensor> constants, const PointwiseLoops& loops);

/// How many tables a part needs: the extent of its parameters.
std::int64_t count_tables(const TablePart& part, std::span<const Tensor> constants);

/// y[r, c] = tables[r * row_stride + c * column_stride][x[r, c]], one table 256 bytes.
void look_up(const std::uint8_t* x, std::uint8_t* y, const std::uint8_t* tables, std::int64_t rows, std::int64_t columns, std::int64_t row_stride,
             std::int64_t column_stride);

}  // namespace fovea::cpu
