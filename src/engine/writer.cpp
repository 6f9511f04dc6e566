// SPDX-License-Identifier: Apache-2.0
// Plan -> bytes. Equal strings and equal buffers are stored once. Everything is written in the plan's own order.
#include <map>

#include "base/file.h"
#include "engine/check_plan.h"
#include "engine/container.h"
#include "engine/engine_generated.h"
#include "engine/plan_file.h"

namespace fovea::engine {

namespace {

using flatbuffers::Offset;
using flatbuffers::String;
template <class T>
using Vector = flatbuffers::Vector<T>;

class Writer {
 public:
  Status write(const Plan& plan) {
    FOVEA_ASSIGN(const auto outer, add_plan(plan));
    std::vector<Offset<fb::Symbol>> symbols;
    for (const auto& [name, range] : plan.symbols) {
      symbols.push_back(fb::CreateSymbol(builder_, add(name), range.min, range.opt, range.max));
    }
    std::vector<Offset<fb::Certificate>> certificate;
    for (const CertificateEntry& entry : plan.certificate) {
      const auto step = add(entry.step), kernel = add(entry.kernel), precision = add(entry.precision), refused = add(entry.refused);
      certificate.push_back(fb::CreateCertificate(builder_, step, kernel, precision, entry.max_abs, entry.rms, entry.cosine,
                                                  entry.limit, entry.range, refused, entry.compared, entry.by_terms));
    }
    std::vector<Offset<fb::Decision>> decisions;
    for (const Decision& decision : plan.decisions) {
      const auto code = add(decision.code), subject = add(decision.subject), sentence = add(decision.sentence);
      decisions.push_back(fb::CreateDecision(builder_, code, subject, sentence, add(decision.remedy)));
    }
    std::vector<Offset<fb::Metadata>> metadata;
    for (const auto& [key, value] : plan.metadata) {
      const auto stored_key = add(key);
      metadata.push_back(fb::CreateMetadata(builder_, stored_key, add(value)));
    }
    std::vector<Offset<fb::Plugin>> plugins;
    for (const PluginUse& use : plan.plugins) {
      const auto op = add(use.op), version = add(use.version), schema_hash = add(use.schema_hash);
      plugins.push_back(fb::CreatePlugin(builder_, op, version, schema_hash, add(use.plugin)));
    }
    // One statement each: the order of a call's arguments is the compiler's choice, the file's bytes are not.
    const auto stored_symbols = builder_.CreateVector(symbols);
    const auto stored_certificate = builder_.CreateVector(certificate);
    const auto stored_decisions = builder_.CreateVector(decisions);
    const auto stored_metadata = builder_.CreateVector(metadata);
    // Left out when there are none: then the file is what it was before there were plugins.
    const auto stored_plugins = plugins.empty() ? Offset<Vector<Offset<fb::Plugin>>>() : builder_.CreateVector(plugins);
    const auto device = add(plan.device), precision = add(plan.precision), recipe = add(plan.recipe);
    builder_.Finish(fb::CreateEngine(builder_, outer, device, precision, stored_symbols, stored_certificate, stored_decisions,
                                     stored_metadata, recipe, stored_plugins),
                    fb::EngineIdentifier());
    return {};
  }

  Container container() const {
    const Section sections[] = {
        {SectionKind::Plan, {std::as_bytes(std::span(builder_.GetBufferPointer(), builder_.GetSize()))}},
        {SectionKind::Constants, blobs_}};
    return make_container(sections);
  }

 private:
  Offset<String> add(const std::string& text) { return builder_.CreateSharedString(text); }
  Offset<Vector<Offset<String>>> add(const std::vector<std::string>& texts) {
    std::vector<Offset<String>> offsets;
    for (const std::string& text : texts) offsets.push_back(add(text));
    return builder_.CreateVector(offsets);
  }

  Result<Offset<String>> add(const Dim& dim) {
    const std::string text = dim.to_string();
    const auto parsed = Dim::parse(text);
    if (!parsed.ok() || !(*parsed == dim)) return internal_error("extent '", text, "' cannot be stored: it does not read back");
    return add(text);
  }

  Offset<fb::Constant> add(const Tensor& tensor) {
    const auto dims = builder_.CreateVector(tensor.shape().to_vector());
    const auto type = static_cast<std::uint8_t>(tensor.type());
    if (tensor.type() == DataType::string) {
      const auto values = tensor.values<std::string>();
      return fb::CreateConstant(builder_, type, dims, 0, 0, add(std::vector<std::string>(values.begin(), values.end())));
    }
    return fb::CreateConstant(builder_, type, dims, add_blob(tensor.raw(), tensor.bytes()), tensor.bytes());
  }

  /// Offset of the bytes in the constants section. Tensors that share a buffer share its place in the file.
  std::uint64_t add_blob(const void* data, std::size_t size) {
    if (size == 0) return 0;
    const auto [it, is_new] = places_.try_emplace({data, size}, blob_bytes_);
    if (is_new) {
      static constexpr std::byte kZeros[kAlignment] = {};
      blobs_.emplace_back(static_cast<const std::byte*>(data), size);
      const std::size_t padding = (kAlignment - size % kAlignment) % kAlignment;
      blobs_.push_back(std::span(kZeros).first(padding));
      blob_bytes_ += size + padding;
    }
    return it->second;
  }

  Offset<fb::Attribute> add(const std::string& name, const AttributeValue& value) {
    const auto stored_name = add(name);
    Offset<String> text;
    Offset<Vector<std::int64_t>> ints;
    Offset<Vector<double>> floats;
    Offset<Vector<Offset<String>>> strings;
    Offset<fb::Constant> tensor;
    if (const auto* v = std::get_if<std::string>(&value)) text = add(*v);
    if (const auto* v = std::get_if<std::vector<std::int64_t>>(&value)) ints = builder_.CreateVector(*v);
    if (const auto* v = std::get_if<std::vector<double>>(&value)) floats = builder_.CreateVector(*v);
    if (const auto* v = std::get_if<std::vector<std::string>>(&value)) strings = add(*v);
    if (const auto* v = std::get_if<Tensor>(&value)) tensor = add(*v);
    fb::AttributeBuilder table(builder_);
    table.add_name(stored_name);
    table.add_kind(static_cast<std::uint8_t>(value.index()));
    if (const auto* v = std::get_if<std::int64_t>(&value)) table.add_i(*v);
    if (const auto* v = std::get_if<double>(&value)) table.add_f(*v);
    if (!text.IsNull()) table.add_s(text);
    if (!ints.IsNull()) table.add_ints(ints);
    if (!floats.IsNull()) table.add_floats(floats);
    if (!strings.IsNull()) table.add_strings(strings);
    if (!tensor.IsNull()) table.add_tensor(tensor);
    return table.Finish();
  }

  Result<Offset<fb::Value>> add(const PlanValue& value) {
    std::vector<Offset<String>> shape;
    if (value.shape) {
      for (const Dim& dim : *value.shape) {
        FOVEA_ASSIGN(const auto text, add(dim));
        shape.push_back(text);
      }
    }
    Offset<fb::View> view;
    if (value.view) {
      FOVEA_ASSIGN(const auto offset, add(value.view->offset));
      view = fb::CreateView(builder_, value.view->base, static_cast<std::uint8_t>(value.view->kind), value.view->axis, offset);
    }
    const auto name = add(value.name);
    return fb::CreateValue(builder_, name, static_cast<std::uint8_t>(value.type.kind), static_cast<std::uint8_t>(value.type.element),
                           value.shape.has_value(), builder_.CreateVector(shape), static_cast<std::uint8_t>(value.layout),
                           value.constant, view);
  }

  Offset<fb::Step> add(const PlanStep& step) {
    std::vector<Offset<fb::Attribute>> attributes;
    for (const auto& [name, value] : step.attributes) attributes.push_back(add(name, value));
    const auto name = add(step.name), op = add(step.op), kernel = add(step.kernel);
    const auto stored_attributes = builder_.CreateVector(attributes);
    const auto inputs = builder_.CreateVector(step.inputs), outputs = builder_.CreateVector(step.outputs);
    const auto bodies = builder_.CreateVector(step.bodies);
    const auto sources = add(step.sources);
    return fb::CreateStep(builder_, name, op, kernel, stored_attributes, inputs, outputs, bodies, sources);
  }

  Result<Offset<fb::Plan>> add_plan(const Plan& plan) {
    std::vector<Offset<fb::Value>> values;
    for (const PlanValue& value : plan.values) {
      FOVEA_ASSIGN(const auto stored, add(value));
      values.push_back(stored);
    }
    std::vector<Offset<fb::Step>> steps;
    for (const PlanStep& step : plan.steps) steps.push_back(add(step));
    std::vector<Offset<fb::Constant>> constants;
    for (const Tensor& tensor : plan.constants) constants.push_back(add(tensor));
    std::vector<Offset<fb::Plan>> bodies;
    for (const Plan& body : plan.bodies) {
      FOVEA_ASSIGN(const auto stored, add_plan(body));
      bodies.push_back(stored);
    }
    const auto name = add(plan.name);
    const auto stored_values = builder_.CreateVector(values);
    const auto stored_steps = builder_.CreateVector(steps);
    const auto inputs = builder_.CreateVector(plan.inputs), outputs = builder_.CreateVector(plan.outputs);
    const auto stored_constants = builder_.CreateVector(constants);
    return fb::CreatePlan(builder_, name, stored_values, stored_steps, inputs, outputs, stored_constants, builder_.CreateVector(bodies));
  }

  flatbuffers::FlatBufferBuilder builder_;
  std::vector<std::span<const std::byte>> blobs_;
  std::map<std::pair<const void*, std::size_t>, std::uint64_t> places_;
  std::uint64_t blob_bytes_ = 0;
};

Status check_before_writing(const Plan& plan) {
  const Status status = check_plan(plan);
  return status.ok() ? status : internal_error("engine not written, the plan is inconsistent: ", status.message());
}

}  // namespace

Result<std::vector<std::byte>> write_plan(const Plan& plan) {
  FOVEA_RETURN_IF_ERROR(check_before_writing(plan));
  return write_plan_unchecked(plan);
}

Result<std::vector<std::byte>> write_plan_unchecked(const Plan& plan) {
  Writer writer;
  FOVEA_RETURN_IF_ERROR(writer.write(plan));
  std::vector<std::byte> bytes;
  const Container container = writer.container();
  for (const auto piece : container.pieces) bytes.insert(bytes.end(), piece.begin(), piece.end());
  return bytes;
}

Status save_plan(const Plan& plan, const std::filesystem::path& file) {
  FOVEA_RETURN_IF_ERROR(check_before_writing(plan));
  Writer writer;
  FOVEA_RETURN_IF_ERROR(writer.write(plan));
  const Container container = writer.container();
  return write_file_atomically(file, container.pieces);
}

}  // namespace fovea::engine
