// SPDX-License-Identifier: Apache-2.0
// Random calls of every reference kernel: types, shapes, values and attributes that a hostile model could hold.
// Each call must end in a Status, and what a kernel computes must be what its shape rule foretold. A crash prints
// the call; FOVEA_HOSTILE_CALLS sets how many there are per operator (more is worth while under sanitizers), and
// FOVEA_HOSTILE_OP names the only operator to call.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>

#include "base/onnx_data_type.h"
#include "support/op_test.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*)());
#endif

namespace fovea::testing {
namespace {

std::string g_call;  // what runs right now

void say_call() {
  static_cast<void>(!::write(2, "\nwhile calling ", 15));
  static_cast<void>(!::write(2, g_call.data(), g_call.size()));
  static_cast<void>(!::write(2, "\n", 1));
}
void on_signal(int) {
  say_call();
  ::_exit(1);
}

class Generator {
 public:
  explicit Generator(unsigned seed) : engine_(seed) {}

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  T pick(std::initializer_list<T> list) { return list.begin()[below(static_cast<std::int64_t>(list.size()))]; }

  std::int64_t integer() {
    if (chance(4)) {
      return pick<std::int64_t>({std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                                 std::int64_t{1} << 32, -(std::int64_t{1} << 31), 1000000, -1000000});
    }
    return chance(70) ? below(4) : below(17) - 8;
  }
  double number() {
    if (chance(4)) return pick<double>({NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e-300, 0x1p63});
    return chance(30) ? static_cast<double>(integer()) : (static_cast<double>(below(2000)) - 1000) / 250;
  }
  Shape shape() {
    Shape result;
    for (std::int64_t rank = chance(10) ? below(9) : below(5); rank > 0; --rank) result.push_back(chance(6) ? 0 : chance(2) ? 40 : 1 + below(4));
    return result;
  }
  DataType type() { return static_cast<DataType>(1 + below(static_cast<std::int64_t>(DataType::u2))); }
  DataType type_of(ops::TypeSet set) {
    for (int tries = 0; tries < 200; ++tries) {
      const DataType candidate = type();
      if (set & ops::type_bit(candidate)) return candidate;
    }
    return DataType::f32;
  }

  Tensor tensor(DataType type, const Shape& shape) {
    Tensor result = Tensor::allocate(type, shape).value();
    if (type == DataType::c64 || type == DataType::c128) return result;
    const Status status = dispatch_all_but_complex(type, "hostile", [&](auto tag) -> Status {
      using T = typename decltype(tag)::type;
      for (std::int64_t i = 0; i < result.elements(); ++i) {
        T& value = result.data<T>()[i];
        if constexpr (std::is_same_v<T, std::string>) value = pick<const char*>({"", "a", "1.5", "nan", "\xff\xfe", "a,b c", "0x10", "(["});
        else if constexpr (std::is_floating_point_v<T>) value = static_cast<T>(number());
        else if constexpr (kIsHalf<T>) value = T(static_cast<float>(number()));
        else if constexpr (std::is_same_v<T, std::int64_t>) value = integer();
        else if constexpr (std::is_integral_v<T>) value = static_cast<T>(static_cast<std::uint64_t>(integer()));
        else if constexpr (std::is_same_v<T, Bool>) value.value = static_cast<std::uint8_t>(below(2));
        else if constexpr (std::is_same_v<T, Int4>) value.value = static_cast<std::int8_t>(below(16) - 8);
        else if constexpr (std::is_same_v<T, UInt4>) value.value = static_cast<std::uint8_t>(below(16));
        else if constexpr (std::is_same_v<T, Int2>) value.value = static_cast<std::int8_t>(below(4) - 2);
        else if constexpr (std::is_same_v<T, UInt2>) value.value = static_cast<std::uint8_t>(below(4));
        else if constexpr (std::is_same_v<T, F4E2M1>) value = T::from_bits(static_cast<std::uint8_t>(below(16)));
        else value = T::from_bits(static_cast<std::uint8_t>(below(256)));
      }
      return {};
    });
    EXPECT_TRUE(status.ok());
    return result;
  }

  /// A shape that often has something to do with an earlier one.
  Shape related_shape(const std::vector<Datum>& earlier) {
    if (earlier.empty() || chance(35)) return shape();
    const Datum& other = earlier[static_cast<std::size_t>(below(static_cast<std::int64_t>(earlier.size())))];
    if (!other.present()) return shape();
    const Shape& base = other.tensor.shape();
    Shape result;
    switch (below(6)) {
      case 0: return base;
      case 1: return {base.rank()};
      case 2: return base.rank() > 1 ? Shape{base[1]} : shape();
      case 3:
        for (std::int64_t extent : base) result.push_back(chance(30) ? 1 : extent);
        return result;
      case 4:
        for (int i = 1; i < base.rank(); ++i) result.push_back(base[i]);
        return result;
      default: return chance(50) ? Shape{} : Shape{1 + below(5)};
    }
  }

  std::string text(const ops::AttributeSpec& spec) {
    if (!spec.allowed.empty()) return std::string(spec.allowed[static_cast<std::size_t>(below(static_cast<std::int64_t>(spec.allowed.size())))]);
    if (spec.name == "equation") {
      return pick<const char*>({"ij,jk->ik", "ii", "ii->i", "...ij,...jk->...ik", "i,i", "ab,bc", "->", "i->ii", "a...->...", "ij->", "...,...", "zz...->z", "i,j->ij", ",", "i-"});
    }
    return pick<const char*>({"", "linear", "DCR", "floor", "bilinear", "zeros", "a+", "([", "add", "NOTSET", "SAME_UPPER", "VALID"});
  }
  AttributeValue attribute(const ops::AttributeSpec& spec) {
    using Type = ops::AttributeType;
    const auto list = [&](auto make) {
      std::vector<decltype(make())> values(static_cast<std::size_t>(below(6)));
      for (auto& value : values) value = make();
      return values;
    };
    switch (spec.type) {
      case Type::Int: return spec.name == "to" || spec.name.find("dtype") != std::string_view::npos ? below(28) : integer();
      case Type::Float: return number();
      case Type::String: return text(spec);
      case Type::Ints: return list([&] { return integer(); });
      case Type::Floats: return list([&] { return number(); });
      case Type::Strings: return list([&] { return text(spec); });
      default: return tensor(type(), shape());
    }
  }

 private:
  std::mt19937_64 engine_;
};

struct Call {
  std::vector<Datum> inputs;
  Attributes attributes;
  int outputs = 1;

  std::string text(std::string_view op, unsigned seed) const {
    std::string result = str_cat(op, " (seed ", seed, ", ", outputs, " outputs):");
    for (const Datum& input : inputs) {
      result += input.present() ? str_cat(" ", name(input.tensor.type()), "[", input.tensor.shape().to_string(), "]") : std::string(" -");
    }
    for (const auto& [key, value] : attributes) {
      result += " " + key;
      if (const auto* number = std::get_if<std::int64_t>(&value)) result += str_cat("=", *number);
      if (const auto* words = std::get_if<std::string>(&value)) result += str_cat("='", *words, "'");
      if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&value)) {
        for (const std::int64_t n : *numbers) result += str_cat(",", n);
      }
    }
    return result;
  }
};

Call make_call(Generator& random, const ops::OperatorSchema& schema) {
  Call call;
  const int most = std::min(schema.max_inputs, schema.min_inputs + 4);
  const int inputs = schema.min_inputs + static_cast<int>(random.below(most - schema.min_inputs + 1));
  for (int i = 0; i < inputs; ++i) {
    if (i >= schema.min_inputs && schema.max_inputs < ops::kVariadic && random.chance(25)) {
      call.inputs.emplace_back();
      continue;
    }
    const bool like_first = i > 0 && random.chance(60) && call.inputs[0].present();
    const DataType type = i == 0 ? random.type_of(schema.types) : like_first ? call.inputs[0].tensor.type()
                          : random.chance(60) ? random.pick({DataType::i64, DataType::f32, DataType::i32, DataType::boolean}) : random.type();
    call.inputs.emplace_back(random.tensor(type, random.related_shape(call.inputs)));
  }
  for (const ops::AttributeSpec& spec : schema.attributes) {
    if (spec.type != ops::AttributeType::Graph && (spec.required || random.chance(40))) call.attributes.set(std::string(spec.name), random.attribute(spec));
  }
  call.outputs = schema.min_outputs + static_cast<int>(random.below(std::min(schema.max_outputs, schema.min_outputs + 4) - schema.min_outputs + 1));
  return call;
}

class HostileInputs : public ::testing::TestWithParam<const ops::OperatorSchema*> {};

TEST_P(HostileInputs, EndInAStatus) {
  const ops::OperatorSchema& schema = *GetParam();
  if (schema.traits & ops::kHasBodies) GTEST_SKIP() << "needs bodies";
  if (const char* only = std::getenv("FOVEA_HOSTILE_OP"); only && schema.name != only) GTEST_SKIP() << "not " << only;
  const char* asked = std::getenv("FOVEA_HOSTILE_CALLS");
  const unsigned calls = asked ? static_cast<unsigned>(std::atoi(asked)) : 200;
  unsigned succeeded = 0;
  for (unsigned seed = 1; seed <= calls; ++seed) {
    Generator random(seed);
    const Call call = make_call(random, schema);
    g_call = call.text(schema.name, seed);
    ::alarm(20);
    try {
      const auto outputs = run_op_datums(schema.name, call.inputs, call.attributes, call.outputs);
      EXPECT_TRUE(outputs.ok() || outputs.status().code() != ErrorCode::Internal) << outputs.status().message() << "\n" << g_call;
      succeeded += outputs.ok();
    } catch (const std::bad_alloc&) {  // the public API turns these into a Status
    } catch (const std::length_error&) {
    }
    if (HasFailure()) break;
  }
  ::alarm(0);
  RecordProperty("succeeded", static_cast<int>(succeeded));
}

std::string test_name(const ::testing::TestParamInfo<const ops::OperatorSchema*>& info) {
  std::string text;
  for (const char c : info.param->name) text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return text;
}

const bool g_ready = [] {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(say_call);
  ::signal(SIGALRM, on_signal);
#else
  for (const int number : {SIGSEGV, SIGFPE, SIGABRT, SIGBUS, SIGALRM}) ::signal(number, on_signal);
  const rlimit limit{std::size_t{3} << 30, std::size_t{3} << 30};
  ::setrlimit(RLIMIT_AS, &limit);
#endif
  return true;
}();

INSTANTIATE_TEST_SUITE_P(AllOperators, HostileInputs,
                         ::testing::ValuesIn(ops::all_schemas().begin(), ops::all_schemas().end()), test_name);

}  // namespace
}  // namespace fovea::testing
