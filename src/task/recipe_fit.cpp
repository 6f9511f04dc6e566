// SPDX-License-Identifier: Apache-2.0
// The input's side of a recipe, and what an engine's outputs become for the recipe's size.
#include "task/recipe_fit.h"

#include <algorithm>

#include "base/dim.h"
#include "engine/plan.h"

namespace fovea::task {

namespace {

std::string quoted_names(std::span<const TensorInfo> network) {
  std::string names;
  for (const TensorInfo& info : network) names += (names.empty() ? "'" : ", '") + info.name + "'";
  return names;
}

bool picture_decides_size(const image::InputSpec& spec) { return spec.fit == image::Fit::Pad || spec.fit == image::Fit::ShorterSide; }

Status wrong_input(const char* key, const std::string& expected, const std::string& found) {
  return invalid_model("recipe: input.", key, ": expected ", expected, ", found ", found);
}

Status fit_size_input(const TensorInfo& info) {
  const std::string key = str_cat("recipe: size_inputs.", info.name);
  const bool number = info.type == DataType::i64 || info.type == DataType::i32 || info.type == DataType::f32;
  if (!number) return invalid_model(key, ": expected an input of type i64, i32 or f32, found ", name(info.type));
  const auto& shape = info.shape;
  const auto is = [&](std::size_t axis, int extent) { return fixed_extent(shape[axis]) == 0 || fixed_extent(shape[axis]) == extent; };
  const bool fits = !info.rank_known || (shape.size() == 1 && is(0, 2)) || (shape.size() == 2 && is(0, 1) && is(1, 2));
  if (fits) return {};
  return invalid_model(key, ": expected an input of 2 or 1x2 numbers, found one of ", shape_of(info).text);
}

/// Symbols of the input's extents that a picture by this recipe makes numbers. InvalidModel where it cannot.
Result<Bindings> bind_input(const image::InputSpec& spec, const TensorInfo& input) {
  Bindings bindings;
  if (!input.rank_known || input.shape.size() != 4) return bindings;
  const bool nchw = spec.order == image::Order::Nchw;
  const std::int64_t channels = spec.channels == image::Channels::Gray ? 1 : 3, height = picture_decides_size(spec) ? 0 : spec.height, width = picture_decides_size(spec) ? 0 : spec.width;
  const std::int64_t made[4] = {1, nchw ? channels : height, nchw ? height : width, nchw ? width : channels};
  for (std::size_t axis = 0; axis < 4; ++axis) {
    const auto dim = Dim::parse(input.shape[axis]);
    if (!dim.ok() || !dim->is_symbol() || made[axis] == 0) continue;
    const auto [it, added] = bindings.emplace(dim->symbol_name(), made[axis]);
    if (!added && it->second != made[axis]) {
      return wrong_input("size", str_cat("equal extents where input '", input.name, "' of ", shape_of(input).text, " has ", it->first), str_cat(it->second, " and ", made[axis]));
    }
  }
  return bindings;
}

/// For each extent the value it has under `bindings`, or what it was.
TensorInfo evaluated(TensorInfo info, const Bindings& bindings) {
  for (std::string& extent : info.shape) {
    const auto dim = Dim::parse(extent);
    if (!dim.ok()) continue;
    if (const auto value = dim->evaluate(bindings); value.ok()) extent = std::to_string(*value);
  }
  return info;
}

OutputShapes shapes_under(const Engine& engine, const Bindings& bindings) {
  OutputShapes shapes;
  for (const TensorInfo& info : engine.outputs()) shapes[info.name] = shape_of(evaluated(info, bindings));
  return shapes;
}

/// The engine may have been built for some sizes only.
Status fit_ranges(const Bindings& bindings, const Plan& plan, const TensorInfo& input) {
  for (const auto& [symbol, value] : bindings) {
    const auto range = plan.symbols.find(symbol);
    if (range == plan.symbols.end() || (value >= range->second.min && value <= range->second.max)) continue;
    return wrong_input("size", str_cat(symbol, " of input '", input.name, "' (", shape_of(input).text, ") from ", range->second.min, " to ", range->second.max),
                       std::to_string(value));
  }
  return {};
}

}  // namespace

int fixed_extent(const std::string& text) {
  const auto dim = Dim::parse(text);
  return dim.ok() && dim->is_constant() && dim->constant() > 0 && dim->constant() <= INT32_MAX ? static_cast<int>(dim->constant()) : 0;
}

Result<const TensorInfo*> find_picture_input(const Recipe& recipe, std::span<const TensorInfo> network) {
  const TensorInfo* found = nullptr;
  int candidates = 0;
  for (const TensorInfo& info : network) {
    if (recipe.input.empty() ? !recipe.size_inputs.contains(info.name) : info.name == recipe.input) found = &info, ++candidates;
  }
  if (candidates == 1) return found;
  if (!recipe.input.empty()) return wrong_input("name", "an input of the network, " + quoted_names(network), "'" + recipe.input + "'");
  return wrong_input("name", "which input takes the picture, one of " + quoted_names(network), "nothing");
}

Result<image::InputSpec> resolve_input(const Recipe& recipe, const TensorInfo& input) {
  image::InputSpec spec = recipe.spec;
  if (spec.type == DataType::undefined) spec.type = input.type;
  const std::string the_input = str_cat("input '", input.name, "' of ", shape_of(input).text);
  if (input.rank_known) {
    if (input.shape.size() != 4) return wrong_input("name", "an input of 4 dimensions for the picture", the_input);
    const bool nchw = spec.order == image::Order::Nchw;
    const int height = fixed_extent(input.shape[nchw ? 2 : 1]), width = fixed_extent(input.shape[nchw ? 3 : 2]);
    const int channels = fixed_extent(input.shape[nchw ? 1 : 3]), wanted = spec.channels == image::Channels::Gray ? 1 : 3;
    if (channels != 0 && channels != wanted) {
      return wrong_input("color", str_cat(channels, " channels for ", the_input), str_cat(wanted, " in layout ", nchw ? "nchw" : "nhwc"));
    }
    if (picture_decides_size(spec)) return spec;
    const auto fits = [](int& mine, int its) {
      if (mine == 0) mine = its;
      return mine != 0 && (its == 0 || mine == its);
    };
    const std::string found = spec.height == 0 ? "nothing" : str_cat('[', spec.height, ", ", spec.width, ']');
    const bool both = fits(spec.height, height) && fits(spec.width, width);
    if (!both) {
      const auto side = [](int extent, const char* open) { return extent == 0 ? std::string(open) : std::to_string(extent); };
      return wrong_input("size", str_cat('[', side(height, "height"), ", ", side(width, "width"), "] for ", the_input), found);
    }
  }
  if (spec.height == 0 || spec.width == 0) return spec;
  if (spec.inner_height > spec.height || spec.inner_width > spec.width) {
    return wrong_input("inner_size", str_cat("a size that fits into [", spec.height, ", ", spec.width, ']'), str_cat('[', spec.inner_height, ", ", spec.inner_width, ']'));
  }
  const int longer = std::max(spec.height, spec.width);
  if (spec.fit == image::Fit::Crop && spec.shorter_side > 0 && spec.shorter_side < longer && !recipe.fill_given) {
    return wrong_input("shorter_side", str_cat("at least ", longer, ", the larger side of what is cut out"), std::to_string(spec.shorter_side))
        .with_hint("where a rim is meant, input.fill says its colour");
  }
  return spec;
}

Status fit_inputs(const Recipe& recipe, std::span<const TensorInfo> network) {
  FOVEA_ASSIGN(const TensorInfo* const input, find_picture_input(recipe, network));
  FOVEA_ASSIGN(const image::InputSpec spec, resolve_input(recipe, *input));
  const bool takes_pictures = spec.type == DataType::f32 || spec.type == DataType::f16 || spec.type == DataType::bf16 || spec.type == DataType::u8;
  if (!takes_pictures) return wrong_input("name", "an input of type f32, f16, bf16 or u8", str_cat("'", input->name, "' of type ", name(spec.type)));
  if (input->rank_known && fixed_extent(input->shape[0]) > 1) {
    return wrong_input("name", "an input that takes one picture", str_cat("'", input->name, "' of ", shape_of(*input).text));
  }
  for (const auto& [size_input, what] : recipe.size_inputs) {
    const auto found = std::find_if(network.begin(), network.end(), [&](const TensorInfo& info) { return info.name == size_input; });
    if (found == network.end()) return invalid_model("recipe: size_inputs: expected inputs of the network, ", quoted_names(network), ", found '", size_input, "'");
    if (&*found == input) return invalid_model("recipe: size_inputs: expected another input than the picture's, found '", size_input, "'");
    FOVEA_RETURN_IF_ERROR(fit_size_input(*found));
  }
  for (const TensorInfo& info : network) {
    if (&info == input || recipe.size_inputs.contains(info.name)) continue;
    return invalid_model("recipe: size_inputs: expected a word on the network's input '", info.name, "', found none")
        .with_hint("size_inputs may give it the picture's or the input's size");
  }
  return {};
}

OutputShapes output_shapes(const Recipe& recipe, const Engine& engine) {
  const std::vector<TensorInfo> network = engine.inputs();
  const auto input = find_picture_input(recipe, network);
  if (!input.ok()) return shapes_under(engine, {});
  const auto spec = resolve_input(recipe, **input);
  const auto bindings = spec.ok() ? bind_input(*spec, **input) : Result<Bindings>(Bindings());
  return shapes_under(engine, bindings.ok() ? *bindings : Bindings());
}

Status fit_engine(const Recipe& recipe, const Engine& engine) {
  const std::vector<TensorInfo> network = engine.inputs();
  FOVEA_RETURN_IF_ERROR(fit_inputs(recipe, network));
  FOVEA_ASSIGN(const TensorInfo* const input, find_picture_input(recipe, network));
  FOVEA_ASSIGN(const image::InputSpec spec, resolve_input(recipe, *input));
  FOVEA_ASSIGN(const Bindings bindings, bind_input(spec, *input));
  FOVEA_RETURN_IF_ERROR(fit_ranges(bindings, engine.plan(), *input));
  const InputSize size = picture_decides_size(spec) ? InputSize{} : InputSize{spec.height, spec.width};
  return fit_outputs(recipe, shapes_under(engine, bindings), size);
}

}  // namespace fovea::task
