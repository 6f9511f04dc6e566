// SPDX-License-Identifier: Apache-2.0
// Bytes -> Plan. Nothing of the file is believed: container and FlatBuffer are verified first, every number is
// checked while it is read, check_plan() checks what the numbers mean together. Memory is budgeted, because a
// FlatBuffer may refer to one table many times.
#include "base/checked_math.h"
#include "engine/check_plan.h"
#include "engine/container.h"
#include "engine/engine_generated.h"
#include "engine/plan_file.h"

namespace fovea::engine {

namespace {

template <class T>
using Vector = flatbuffers::Vector<T>;
using Strings = Vector<flatbuffers::Offset<flatbuffers::String>>;

constexpr std::size_t kMaxDimText = 512;

template <class T>
Status read_enum(std::string_view what, std::uint8_t stored, T last, T& into) {
  if (stored > static_cast<std::uint8_t>(last)) return invalid_model(what, ": unknown value ", int{stored});
  into = static_cast<T>(stored);
  return {};
}

class Reader {
 public:
  Reader(std::span<const std::byte> constants, std::shared_ptr<const void> owner, std::size_t budget)
      : constants_(constants), owner_(std::move(owner)), budget_(budget) {}

  Status read(const fb::Engine& engine, Plan& plan) {
    FOVEA_RETURN_IF_ERROR(read(*engine.plan(), plan, 0));
    FOVEA_RETURN_IF_ERROR(read(engine.device(), plan.device));
    FOVEA_RETURN_IF_ERROR(read(engine.precision(), plan.precision));
    FOVEA_RETURN_IF_ERROR(read(engine.recipe(), plan.recipe));
    FOVEA_RETURN_IF_ERROR(each(engine.symbols(), [&](const fb::Symbol& stored) -> Status {
      std::string name;
      FOVEA_RETURN_IF_ERROR(read(stored.name(), name));
      plan.symbols[name] = {stored.min(), stored.opt(), stored.max()};
      return {};
    }));
    FOVEA_RETURN_IF_ERROR(each(engine.certificate(), [&](const fb::Certificate& stored) -> Status {
      CertificateEntry entry;
      FOVEA_RETURN_IF_ERROR(read(stored.step(), entry.step));
      FOVEA_RETURN_IF_ERROR(read(stored.kernel(), entry.kernel));
      FOVEA_RETURN_IF_ERROR(read(stored.precision(), entry.precision));
      FOVEA_RETURN_IF_ERROR(read(stored.refused(), entry.refused));
      entry.max_abs = stored.max_abs(), entry.rms = stored.rms(), entry.cosine = stored.cosine();
      entry.limit = stored.limit(), entry.range = stored.range();
      entry.compared = stored.compared(), entry.by_terms = stored.by_terms();
      plan.certificate.push_back(std::move(entry));
      return {};
    }));
    FOVEA_RETURN_IF_ERROR(each(engine.decisions(), [&](const fb::Decision& stored) -> Status {
      Decision decision;
      FOVEA_RETURN_IF_ERROR(read(stored.code(), decision.code));
      FOVEA_RETURN_IF_ERROR(read(stored.subject(), decision.subject));
      FOVEA_RETURN_IF_ERROR(read(stored.sentence(), decision.sentence));
      FOVEA_RETURN_IF_ERROR(read(stored.remedy(), decision.remedy));
      plan.decisions.push_back(std::move(decision));
      return {};
    }));
    FOVEA_RETURN_IF_ERROR(each(engine.metadata(), [&](const fb::Metadata& stored) -> Status {
      std::string key;
      FOVEA_RETURN_IF_ERROR(read(stored.key(), key));
      return read(stored.value(), plan.metadata[key]);
    }));
    return each(engine.plugins(), [&](const fb::Plugin& stored) -> Status {
      PluginUse& use = plan.plugins.emplace_back();
      FOVEA_RETURN_IF_ERROR(read(stored.op(), use.op));
      FOVEA_RETURN_IF_ERROR(read(stored.version(), use.version));
      FOVEA_RETURN_IF_ERROR(read(stored.schema_hash(), use.schema_hash));
      return read(stored.plugin(), use.plugin);
    });
  }

 private:
  Status spend(std::size_t bytes) {
    if (bytes > budget_) return invalid_model("engine file: its plan needs far more memory than its size explains");
    budget_ -= bytes;
    return {};
  }

  /// Calls read_one for each table of an optional vector.
  template <class T, class F>
  Status each(const Vector<flatbuffers::Offset<T>>* tables, F read_one) {
    if (!tables) return {};
    for (const T* table : *tables) {
      FOVEA_RETURN_IF_ERROR(spend(256));
      FOVEA_RETURN_IF_ERROR(read_one(*table));
    }
    return {};
  }

  Status read(const flatbuffers::String* stored, std::string& into) {
    FOVEA_RETURN_IF_ERROR(spend(sizeof into + stored->size()));
    into.assign(stored->data(), stored->size());
    return {};
  }
  Status read(const Strings* stored, std::vector<std::string>& into) {
    if (!stored) return {};
    for (const auto* text : *stored) FOVEA_RETURN_IF_ERROR(read(text, into.emplace_back()));
    return {};
  }
  template <class T>
  Status read(const Vector<T>* stored, std::vector<T>& into) {
    if (!stored) return {};
    FOVEA_RETURN_IF_ERROR(spend(sizeof(T) * stored->size()));
    into.assign(stored->begin(), stored->end());
    return {};
  }

  Status read(const flatbuffers::String* stored, Dim& into) {
    FOVEA_RETURN_IF_ERROR(spend(sizeof(Dim)));
    if (stored->size() > kMaxDimText) return invalid_model("extent of ", stored->size(), " characters, at most ", kMaxDimText);
    const auto dim = Dim::parse({stored->data(), stored->size()});
    if (!dim.ok()) return invalid_model(dim.status().message());
    into = *dim;
    return {};
  }

  Status read(const fb::Constant& stored, Tensor& into) {
    DataType type = DataType::undefined;
    FOVEA_RETURN_IF_ERROR(read_enum("element type", stored.type(), DataType::u2, type));
    std::vector<std::int64_t> dims;
    FOVEA_RETURN_IF_ERROR(read(stored.dims(), dims));
    if (type == DataType::undefined) return invalid_model("element type is undefined");
    if (dims.size() > kMaxRank) return invalid_model(dims.size(), " dimensions, at most ", kMaxRank);
    const Shape shape(dims);
    auto bytes = checked_elements(dims);
    if (!bytes.ok()) return invalid_model(bytes.status().message());
    if (type == DataType::string) {
      std::vector<std::string> values;
      FOVEA_RETURN_IF_ERROR(read(stored.strings(), values));
      if (static_cast<std::int64_t>(values.size()) != *bytes) {
        return invalid_model("shape ", shape.to_string(), " needs ", *bytes, " strings, found ", values.size());
      }
      FOVEA_ASSIGN(into, Tensor::allocate(type, shape));
      std::move(values.begin(), values.end(), into.data<std::string>());
      return {};
    }
    if (!checked_mul(*bytes, static_cast<std::int64_t>(size_of(type)), *bytes) || static_cast<std::uint64_t>(*bytes) != stored.size()) {
      return invalid_model(name(type), " ", shape.to_string(), " does not fit ", stored.size(), " stored bytes");
    }
    if (stored.offset() % kAlignment != 0) return invalid_model("data at offset ", stored.offset(), ", not a multiple of ", kAlignment);
    if (stored.offset() > constants_.size() || stored.size() > constants_.size() - stored.offset()) {
      return invalid_model(stored.size(), " bytes at offset ", stored.offset(), " reach beyond the constants section (",
                           constants_.size(), " bytes)");
    }
    const std::byte* data = constants_.data() + stored.offset();
    // Tensor has no read-only form; nothing writes to a plan's constants (check_plan sees to it).
    into = Tensor::share(type, shape, const_cast<std::byte*>(data), owner_);
    return {};
  }

  Status read(const fb::Attribute& stored, Attributes& attributes) {
    std::string name;
    FOVEA_RETURN_IF_ERROR(read(stored.name(), name));
    const auto absent = [&] { return invalid_model("attribute '", name, "': its value is missing"); };
    AttributeValue value;
    switch (stored.kind()) {
      case 0: value = stored.i(); break;
      case 1: value = stored.f(); break;
      case 2:
        if (!stored.s()) return absent();
        FOVEA_RETURN_IF_ERROR(read(stored.s(), value.emplace<2>()));
        break;
      case 3: FOVEA_RETURN_IF_ERROR(read(stored.ints(), value.emplace<3>())); break;
      case 4: FOVEA_RETURN_IF_ERROR(read(stored.floats(), value.emplace<4>())); break;
      case 5: FOVEA_RETURN_IF_ERROR(read(stored.strings(), value.emplace<5>())); break;
      case 6:
        if (!stored.tensor()) return absent();
        FOVEA_RETURN_IF_ERROR(read(*stored.tensor(), value.emplace<6>()).with_context(str_cat("attribute '", name, "'")));
        break;
      default: return invalid_model("attribute '", name, "': unknown kind ", int{stored.kind()});
    }
    attributes.set(std::move(name), std::move(value));
    return {};
  }

  Status read(const fb::Value& stored, PlanValue& value) {
    FOVEA_RETURN_IF_ERROR(read_enum("kind of value", stored.kind(), ValueType::Kind::OptionalSequence, value.type.kind));
    FOVEA_RETURN_IF_ERROR(read_enum("element type", stored.element(), DataType::u2, value.type.element));
    FOVEA_RETURN_IF_ERROR(read_enum("layout", stored.layout(), Layout::nchw16c, value.layout));
    value.constant = stored.constant();
    if (stored.has_shape()) {
      SymbolicShape& shape = value.shape.emplace();
      if (stored.shape() && stored.shape()->size() > kMaxRank) {
        return invalid_model(stored.shape()->size(), " dimensions, at most ", kMaxRank);
      }
      if (stored.shape()) {
        for (const auto* text : *stored.shape()) FOVEA_RETURN_IF_ERROR(read(text, shape.emplace_back()));
      }
    }
    if (const fb::View* view = stored.view()) {
      PlanView& into = value.view.emplace();
      into.base = view->base();
      into.axis = view->axis();
      FOVEA_RETURN_IF_ERROR(read_enum("kind of view", view->kind(), PlanView::Kind::Slice, into.kind));
      FOVEA_RETURN_IF_ERROR(read(view->offset(), into.offset));
    }
    return {};
  }

  Status read(const fb::Step& stored, PlanStep& step) {
    FOVEA_RETURN_IF_ERROR(read(stored.op(), step.op));
    FOVEA_RETURN_IF_ERROR(read(stored.kernel(), step.kernel));
    FOVEA_RETURN_IF_ERROR(each(stored.attributes(), [&](const fb::Attribute& attribute) { return read(attribute, step.attributes); }));
    FOVEA_RETURN_IF_ERROR(read(stored.inputs(), step.inputs));
    FOVEA_RETURN_IF_ERROR(read(stored.outputs(), step.outputs));
    FOVEA_RETURN_IF_ERROR(read(stored.bodies(), step.bodies));
    return read(stored.sources(), step.sources);
  }

  Status read(const fb::Plan& stored, Plan& plan, int depth) {
    if (depth > kMaxBodyDepth) return invalid_model("bodies nested deeper than ", kMaxBodyDepth);
    FOVEA_RETURN_IF_ERROR(read(stored.name(), plan.name));
    FOVEA_RETURN_IF_ERROR(each(stored.constants(), [&](const fb::Constant& constant) {
      return read(constant, plan.constants.emplace_back()).with_context(str_cat("constant ", plan.constants.size() - 1));
    }));
    FOVEA_RETURN_IF_ERROR(each(stored.values(), [&](const fb::Value& value) -> Status {
      PlanValue& into = plan.values.emplace_back();
      FOVEA_RETURN_IF_ERROR(read(value.name(), into.name));
      return read(value, into).with_context(str_cat("value '", into.name, "'"));
    }));
    FOVEA_RETURN_IF_ERROR(each(stored.steps(), [&](const fb::Step& step) -> Status {
      PlanStep& into = plan.steps.emplace_back();
      FOVEA_RETURN_IF_ERROR(read(step.name(), into.name));
      return read(step, into).with_context(str_cat("step '", into.name, "'"));
    }));
    FOVEA_RETURN_IF_ERROR(read(stored.inputs(), plan.inputs));
    FOVEA_RETURN_IF_ERROR(read(stored.outputs(), plan.outputs));
    return each(stored.bodies(), [&](const fb::Plan& body) { return read(body, plan.bodies.emplace_back(), depth + 1); });
  }

  std::span<const std::byte> constants_;
  std::shared_ptr<const void> owner_;
  std::size_t budget_;
};

}  // namespace

Result<std::shared_ptr<const Plan>> read_plan(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  FOVEA_ASSIGN(const auto sections, read_container(bytes));
  if (sections.size() != 2 || sections[0].kind != SectionKind::Plan || sections[1].kind != SectionKind::Constants) {
    return invalid_model("engine file: expected one plan and one constants section");
  }
  const auto stored = sections[0].bytes;
  const auto* data = reinterpret_cast<const std::uint8_t*>(stored.data());
  flatbuffers::Verifier::Options limits;
  limits.max_depth = 64;
  limits.max_tables = 4'000'000;
  // The identifier check reads 8 bytes before the verifier looks at the length.
  if (stored.size() < 16 || stored.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) {
    return invalid_model("engine file: plan section of ", stored.size(), " bytes");
  }
  flatbuffers::Verifier verifier(data, stored.size(), limits);
  if (!fb::VerifyEngineBuffer(verifier)) return invalid_model("engine file: the plan section is not a valid FlatBuffer of its schema");

  const auto plan = std::make_shared<Plan>();
  Reader reader(sections[1].bytes, std::move(owner), (std::size_t{64} << 20) + 32 * stored.size());
  FOVEA_RETURN_IF_ERROR(reader.read(*fb::GetEngine(data), *plan).with_context("engine file"));
  FOVEA_RETURN_IF_ERROR(check_plan(*plan).with_context("engine file"));
  return std::shared_ptr<const Plan>(plan);
}

}  // namespace fovea::engine
