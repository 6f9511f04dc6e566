// SPDX-License-Identifier: Apache-2.0
// Schemas and shape rules of the operators on strings.
#include <algorithm>

#include "ops/elementwise/broadcast.h"
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

constexpr TypeSet kString = types(DataType::string);

Status infer_concat(InferContext& context) {
  context.set_output_element(0, DataType::string);
  const SymbolicShape* shapes[] = {context.input_shape(0), context.input_shape(1)};
  if (!shapes[0] || !shapes[1]) return {};
  FOVEA_ASSIGN(SymbolicShape shape, broadcast_shapes("StringConcat", shapes));
  context.set_output_shape(0, std::move(shape));
  return {};
}

Status infer_normalizer(InferContext& context) {
  context.set_output_element(0, DataType::string);
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  if (input->empty() || input->size() > 2) return invalid_argument("expected shape [C] or [1, C], found rank ", input->size());
  SymbolicShape output = *input;
  if (!context.attributes().get_strings("stopwords").empty()) output.back() = context.fresh_symbol("words");
  context.set_output_shape(0, std::move(output));
  return {};
}

Status infer_split(InferContext& context) {
  context.set_output_element(0, DataType::string);
  context.set_output_element(1, DataType::i64);
  const SymbolicShape* input = context.input_shape(0);
  if (!input) return {};
  context.set_output_shape(1, *input);
  SymbolicShape output = *input;
  output.push_back(context.fresh_symbol("parts"));
  context.set_output_shape(0, std::move(output));
  return {};
}

Status infer_match(InferContext& context) {
  context.set_output_element(0, DataType::boolean);
  if (const SymbolicShape* input = context.input_shape(0)) context.set_output_shape(0, *input);
  return {};
}

Status infer_tf_idf(InferContext& context) {
  context.set_output_element(0, DataType::f32);
  const SymbolicShape* input = context.input_shape(0);
  const auto indexes = context.attributes().get_ints("ngram_indexes");
  if (!input || indexes.empty()) return {};
  if (input->empty() || input->size() > 2) return invalid_argument("expected shape [C] or [N, C], found rank ", input->size());
  const std::int64_t last = *std::max_element(indexes.begin(), indexes.end());
  if (last < 0 || last >= std::int64_t{1} << 40) return invalid_argument("ngram_indexes reach ", last);
  SymbolicShape output = *input;
  output.back() = Dim(last + 1);
  context.set_output_shape(0, std::move(output));
  return {};
}

}  // namespace

OperatorSchema string_concat_schema() {
  return {.name = "StringConcat", .since = 20, .min_inputs = 2, .max_inputs = 2, .types = kString, .infer = infer_concat,
          .summary = "joins strings pair by pair"};
}

OperatorSchema string_normalizer_schema() {
  return {.name = "StringNormalizer",
          .since = 10,
          .types = kString,
          .attributes = {{"case_change_action", AttributeType::String, false, "NONE", {"NONE", "LOWER", "UPPER"}},
                         {"is_case_sensitive", AttributeType::Int, false, "0"},
                         {"locale", AttributeType::String, false, "none: the mapping does not depend on it"},
                         {"stopwords", AttributeType::Strings, false, "none"}},
          .infer = infer_normalizer,
          .traits = kDataDependent,
          .summary = "drops stop words and changes case"};
}

OperatorSchema string_split_schema() {
  return {.name = "StringSplit",
          .since = 20,
          .min_outputs = 2,
          .max_outputs = 2,
          .types = kString,
          .attributes = {{"delimiter", AttributeType::String, false, "white space"}, {"maxsplit", AttributeType::Int, false, "no limit"}},
          .infer = infer_split,
          .traits = kDataDependent,
          .summary = "cuts strings at a delimiter"};
}

OperatorSchema regex_full_match_schema() {
  return {.name = "RegexFullMatch", .since = 20, .types = kString, .attributes = {{"pattern", AttributeType::String, true}},
          .infer = infer_match, .summary = "whether strings match a regular expression (RE2 syntax) as a whole"};
}

OperatorSchema tf_idf_vectorizer_schema() {
  return {.name = "TfIdfVectorizer",
          .since = 9,
          .types = types(DataType::string, DataType::i32, DataType::i64),
          .attributes = {{"max_gram_length", AttributeType::Int, true},
                         {"max_skip_count", AttributeType::Int, true},
                         {"min_gram_length", AttributeType::Int, true},
                         {"mode", AttributeType::String, true, {}, {"TF", "IDF", "TFIDF"}},
                         {"ngram_counts", AttributeType::Ints, true},
                         {"ngram_indexes", AttributeType::Ints, true},
                         {"pool_int64s", AttributeType::Ints, false, "none"},
                         {"pool_strings", AttributeType::Strings, false, "none"},
                         {"weights", AttributeType::Floats, false, "all 1"}},
          .infer = infer_tf_idf,
          .summary = "counts n-grams of a vocabulary"};
}

}  // namespace fovea::ops
