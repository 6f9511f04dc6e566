// SPDX-License-Identifier: Apache-2.0
// TfIdfVectorizer: for each row, how often every n-gram of the vocabulary occurs, its items being 1 to
// max_skip_count + 1 places apart (all gaps equal; a single item is counted once). Column ngram_indexes[id] gets the
// count (TF), the weight if it occurs (IDF), or their product (TFIDF).
#include <algorithm>
#include <map>
#include <string>

#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

struct Settings {
  std::int64_t min_length, max_length, max_skip;
  std::vector<std::int64_t> counts, indexes;
  std::vector<double> weights;
  std::string mode;
};

template <class T>
using Vocabulary = std::map<std::vector<T>, std::size_t>;

// pool holds all 1-grams, then all 2-grams ...; counts[n - 1] says where the n-grams start.
template <class T>
Result<Vocabulary<T>> read_vocabulary(const Settings& settings, const std::vector<T>& pool) {
  Vocabulary<T> vocabulary;
  std::size_t id = 0;
  for (std::size_t n = 1; n <= settings.counts.size(); ++n) {
    const std::int64_t begin = settings.counts[n - 1];
    const std::int64_t end = n < settings.counts.size() ? settings.counts[n] : static_cast<std::int64_t>(pool.size());
    if (begin < 0 || end < begin || end > static_cast<std::int64_t>(pool.size()) || (end - begin) % static_cast<std::int64_t>(n) != 0) {
      return invalid_argument("ngram_counts: ", n, "-grams from ", begin, " to ", end, " do not fit a pool of ", pool.size());
    }
    for (std::int64_t at = begin; at < end; at += static_cast<std::int64_t>(n)) {
      vocabulary.emplace(std::vector<T>(pool.begin() + at, pool.begin() + at + static_cast<std::int64_t>(n)), id++);
    }
  }
  if (id > settings.indexes.size()) return invalid_argument("ngram_indexes has ", settings.indexes.size(), " entries for ", id, " n-grams");
  if (!settings.weights.empty() && settings.weights.size() < id) return invalid_argument("weights has ", settings.weights.size(), " entries for ", id, " n-grams");
  return vocabulary;
}

template <class T>
void count_row(const Settings& settings, const Vocabulary<T>& vocabulary, std::span<const T> row, std::span<std::int64_t> frequency) {
  const auto length = static_cast<std::int64_t>(row.size());
  std::vector<T> gram;
  for (std::int64_t n = settings.min_length; n <= std::min(settings.max_length, length); ++n) {
    for (std::int64_t skip = 0; skip <= (n == 1 ? 0 : settings.max_skip); ++skip) {
      const std::int64_t reach = (n - 1) * (skip + 1);
      if (reach >= length) break;
      for (std::int64_t start = 0; start + reach < length; ++start) {
        gram.clear();
        for (std::int64_t k = 0; k < n; ++k) gram.push_back(row[static_cast<std::size_t>(start + k * (skip + 1))]);
        if (const auto found = vocabulary.find(gram); found != vocabulary.end()) ++frequency[found->second];
      }
    }
  }
}

template <class T, class Element>
Status vectorize(KernelContext& context, const Settings& settings, const std::vector<T>& pool) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const Vocabulary<T> vocabulary, read_vocabulary(settings, pool));
  const std::int64_t columns = settings.indexes.empty() ? 0 : *std::max_element(settings.indexes.begin(), settings.indexes.end()) + 1;
  if (std::any_of(settings.indexes.begin(), settings.indexes.end(), [](std::int64_t index) { return index < 0; })) {
    return invalid_argument("ngram_indexes has a negative entry");
  }
  Shape shape = data.shape();
  const std::int64_t width = shape[shape.rank() - 1], rows = data.rank() == 2 ? data.dim(0) : 1;
  shape[shape.rank() - 1] = columns;
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::f32, shape));
  std::fill_n(output.data<float>(), output.elements(), 0.0f);
  for (std::int64_t r = 0; r < rows; ++r) {
    const Element* from = data.data<Element>() + r * width;
    const std::vector<T> row(from, from + width);
    std::vector<std::int64_t> frequency(settings.indexes.size(), 0);
    count_row<T>(settings, vocabulary, row, frequency);
    for (std::size_t id = 0; id < frequency.size(); ++id) {
      if (frequency[id] == 0) continue;
      const double weight = settings.weights.empty() || settings.mode == "TF" ? 1 : settings.weights[id];
      const double value = settings.mode == "IDF" ? weight : weight * static_cast<double>(frequency[id]);
      output.data<float>()[r * columns + settings.indexes[id]] = static_cast<float>(value);
    }
  }
  return {};
}

}  // namespace

Status tf_idf_vectorizer_reference(KernelContext& context) {
  const Attributes& a = context.attributes();
  const Settings settings{a.get_int("min_gram_length"), a.get_int("max_gram_length"), a.get_int("max_skip_count"), a.get_ints("ngram_counts"),
                          a.get_ints("ngram_indexes"), a.get_floats("weights"), a.get_string("mode")};
  if (settings.min_length < 1 || settings.max_length < settings.min_length || settings.max_skip < 0) {
    return invalid_argument("n-grams of ", settings.min_length, " to ", settings.max_length, " items with up to ", settings.max_skip, " skipped make no sense");
  }
  const Tensor& data = context.input(0);
  if (data.rank() != 1 && data.rank() != 2) return invalid_argument("expected shape [C] or [N, C], found ", data.shape().to_string());
  switch (data.type()) {
    case DataType::string: return vectorize<std::string, std::string>(context, settings, a.get_strings("pool_strings"));
    case DataType::i32: return vectorize<std::int64_t, std::int32_t>(context, settings, a.get_ints("pool_int64s"));
    case DataType::i64: return vectorize<std::int64_t, std::int64_t>(context, settings, a.get_ints("pool_int64s"));
    default: return unsupported("element type ", name(data.type()));
  }
}

}  // namespace fovea::ops
