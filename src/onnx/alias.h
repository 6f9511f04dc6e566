// SPDX-License-Identifier: Apache-2.0
// Alias: the name and form that a framework's exporter gives to an operator that is known here by another. One row
// in aliases.def each, one source per family in aliases/. A node is checked against the alias's own form first, so
// that errors speak of the attributes that stand in the file; then `translate` leaves the operator's newest form.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/upgrade.h"
#include "ops/schema.h"

namespace fovea::onnx {

struct Renaming {
  std::string_view attribute;             ///< the operator's
  std::vector<std::string_view> in_file;  ///< those of the alias that it is made of, or its synonyms
};

struct Alias {
  ops::OperatorSchema form;                    ///< name = op type without domain; arity, attributes, types. No shape rule
  std::vector<std::string_view> domains = {};  ///< where it counts, "" = ONNX's own; empty list: in every domain
  std::string_view op;                         ///< the operator that it becomes, for tables and messages
  Status (*translate)(Upgrade&) = nullptr;     ///< node.op has been set to `op`; the rest is as in the file
  std::vector<Renaming> renamed = {};          ///< so that what is wrong with an attribute's value is said of the file's

  bool counts_in(std::string_view domain) const;
};

/// An alias whose attributes and inputs are those of `op` under another name.
Alias same_form(std::string_view name, std::string_view op, std::vector<std::string_view> domains = {});

/// All rows of aliases.def.
std::span<const Alias> all_aliases();
/// The alias for a node's operator ("mmcv::MMCVRoiAlign", "grid_sampler"), or null. A model of TensorRT's may give every
/// node the attributes plugin_version and plugin_namespace: they count for nothing.
const Alias* find_alias(std::string_view op);
/// Where `op`'s op type would be known: "mmcv, mmdeploy"; empty when nowhere.
std::string known_domains(std::string_view op);
/// Brings the node to its operator's newest form.
Status translate_alias(const Alias& alias, Upgrade& upgrade);

/// For translations: renames an attribute if it is there.
void rename_attribute(ir::Node& node, std::string_view from, std::string_view to);
/// For translations: the node's inputs in another order; -1 leaves one out. Missing trailing inputs are dropped.
void reorder_inputs(ir::Node& node, std::span<const int> order);

}  // namespace fovea::onnx
