// SPDX-License-Identifier: Apache-2.0
// Libraries and tables that make no sense are refused in one line, and nothing of them is registered.
#include <gtest/gtest.h>

#include <functional>

#include "fovea/load_plugin.h"
#include "fovea/model.h"
#include "ops/schema.h"
#include "plugin/raw_plugin.h"
#include "support/op_test.h"

namespace fovea::test {
namespace {

using testing::fails;

std::string module_file(const std::string& name) { return FOVEA_TEST_PLUGINS "/" + name + ".so"; }

struct BadTable {
  const char* name;
  std::function<void(RawPlugin&)> spoil;
  ErrorCode code;
  const char* phrase;
};

void PrintTo(const BadTable& test, std::ostream* out) { *out << test.name; }

constexpr ErrorCode kInvalid = ErrorCode::InvalidModel, kUnsupported = ErrorCode::Unsupported;

const BadTable kBadTables[] = {
    {"other_abi", [](RawPlugin& p) { p.table.abi = 2; }, kUnsupported, "it speaks plugin ABI 2, this fovea speaks 1"},
    {"table_too_short", [](RawPlugin& p) { p.table.struct_size = 8; }, kInvalid, "struct_size is 8, expected at least 32"},
    {"no_library_name", [](RawPlugin& p) { p.table.name = nullptr; }, kInvalid, "its name is null"},
    {"no_operators", [](RawPlugin& p) { p.table.num_operators = 0; }, kInvalid, "it has no operators"},
    {"negative_count", [](RawPlugin& p) { p.table.num_operators = -1; }, kInvalid, "says it has -1 operators"},
    {"list_is_null", [](RawPlugin& p) { p.table.operators = nullptr; }, kInvalid, "but their list is null"},
    {"operator_is_null", [](RawPlugin& p) { p.table.num_operators = 2; }, kInvalid, "operator 1 is null"},
    {"operator_twice", [](RawPlugin& p) { p.operators[1] = &p.op, p.table.num_operators = 2; }, kInvalid, "operator 'bad::Op' is listed twice"},
    {"operator_too_short", [](RawPlugin& p) { p.op.struct_size = 95; }, kInvalid, "operator: struct_size is 95, expected at least 96"},
    {"name_without_domain", [](RawPlugin& p) { p.op.name = "Op"; }, kInvalid, "its name is 'Op', expected 'domain::Name'"},
    {"name_with_space", [](RawPlugin& p) { p.op.name = "bad::O p"; }, kInvalid, "expected 'domain::Name'"},
    {"name_is_control", [](RawPlugin& p) { p.op.name = "bad::O\np"; }, kInvalid, "holds a control character"},
    {"domain_of_ours", [](RawPlugin& p) { p.op.name = "fovea::conv"; }, kInvalid, "the domain 'fovea' is not a plugin's to use"},
    {"domain_of_onnx", [](RawPlugin& p) { p.op.name = "ai.onnx.ml::Op"; }, kInvalid, "the domain 'ai.onnx.ml' is not a plugin's to use"},
    {"name_of_a_built_in", [](RawPlugin& p) { p.op.name = "mmcv::cummax"; }, kUnsupported, "operator 'mmcv::cummax' exists already: it is built in"},
    {"no_version", [](RawPlugin& p) { p.op.version = nullptr; }, kInvalid, "operator 'bad::Op': its version is null"},
    {"empty_version", [](RawPlugin& p) { p.op.version = ""; }, kInvalid, "its version is empty"},
    {"unknown_operator_flags", [](RawPlugin& p) { p.op.flags = 64; }, kInvalid, "unknown flags 64"},
    {"no_outputs", [](RawPlugin& p) { p.op.num_outputs = 0; }, kInvalid, "has no output that is always there"},
    {"input_takes_nothing", [](RawPlugin& p) { p.input.types = 0; }, kInvalid, "input 0 ('x'): accepts no type"},
    {"input_takes_text", [](RawPlugin& p) { p.input.types = FOVEA_TYPE_BIT(14); }, kInvalid, "does not pass"},
    {"input_takes_unknown", [](RawPlugin& p) { p.input.types = FOVEA_TYPE_BIT(40); }, kInvalid, "unknown"},
    {"variadic_output", [](RawPlugin& p) { p.output.flags = FOVEA_VARIADIC; }, kInvalid, "only the last input can be variadic"},
    {"unknown_attribute_type", [](RawPlugin& p) { p.attribute.fallback.type = 9; }, kInvalid, "attribute 'mode': unknown type 9"},
    {"attribute_name_taken", [](RawPlugin& p) { p.attribute.fallback.name = "captures"; }, kInvalid, "the name is taken"},
    {"default_is_null", [](RawPlugin& p) { p.attribute.fallback.s = nullptr; }, kInvalid, "attribute 'mode': its default is null"},
    {"list_default_is_null",
     [](RawPlugin& p) { p.attribute.fallback.type = FOVEA_INTS, p.attribute.fallback.count = 3; }, kInvalid, "its default has 3 elements, but their list is null"},
    {"default_not_allowed",
     [](RawPlugin& p) {
       static const char* const allowed[] = {"b", "c"};
       p.attribute.allowed = allowed, p.attribute.num_allowed = 2;
     },
     kInvalid, "its default 'a' is none of the allowed values"},
    {"allowed_numbers",
     [](RawPlugin& p) {
       static const char* const allowed[] = {"1"};
       p.attribute.fallback.type = FOVEA_INT, p.attribute.allowed = allowed, p.attribute.num_allowed = 1;
     },
     kInvalid, "only a string can have a list of allowed values"},
    {"no_rule", [](RawPlugin& p) { p.op.infer = nullptr; }, kInvalid, "its callback infer is null"},
    {"no_kernels", [](RawPlugin& p) { p.op.num_kernels = 0; }, kInvalid, "has no kernel for the CPU"},
    {"kernel_is_null", [](RawPlugin& p) { p.op.num_kernels = 2; }, kInvalid, "kernel 1 is null"},
    {"kernel_twice", [](RawPlugin& p) { p.kernels[1] = &p.kernel, p.op.num_kernels = 2; }, kInvalid, "kernel 'copy': the name is taken"},
    {"kernel_named_reference", [](RawPlugin& p) { p.kernel.name = "reference"; }, kInvalid, "kernel 'reference': the name is taken"},
    {"kernel_without_run", [](RawPlugin& p) { p.kernel.run = nullptr; }, kInvalid, "kernel 'copy': its callback run is null"},
    {"kernel_of_unknown_device", [](RawPlugin& p) { p.kernel.device = 7; }, kInvalid, "unknown device 7"},
    {"cuda_alone", [](RawPlugin& p) { p.kernel.device = FOVEA_CUDA; }, kInvalid, "has no kernel for the CPU"},
};

class BadTables : public ::testing::TestWithParam<BadTable> {};

TEST_P(BadTables, AreRefusedAndLeaveNothingBehind) {
  RawPlugin plugin("bad::Op");
  GetParam().spoil(plugin);
  const std::size_t before = ops::all_schemas().size();
  EXPECT_TRUE(fails(register_plugin(plugin.table).status(), GetParam().code, GetParam().phrase));
  EXPECT_EQ(ops::all_schemas().size(), before);
}

INSTANTIATE_TEST_SUITE_P(All, BadTables, ::testing::ValuesIn(kBadTables), [](const auto& test) { return std::string(test.param.name); });

TEST(BadTables, AnOperatorThatExistsIsRefusedTogetherWithItsNeighbours) {
  static RawPlugin first("taken::Op"), second("taken::Op"), other("taken::Other");
  ASSERT_TRUE(register_plugin(first.table).ok());
  second.operators[0] = &other.op;
  second.operators[1] = &second.op;
  second.table.num_operators = 2;
  EXPECT_TRUE(fails(register_plugin(second.table).status(), ErrorCode::Unsupported, "operator 'taken::Op' exists already: it comes from plugin 'raw'"));
  EXPECT_EQ(ops::find_schema("taken::Other"), nullptr);
}

// Names that stand for built-in operators are known to the importer alone, so it is the one to refuse.
TEST(BadTables, NameThatStandsForABuiltInIsRefusedWhenItIsMet) {
  static RawPlugin plugin("torchvision::deform_conv2d");
  ASSERT_TRUE(register_plugin(plugin.table).ok());
  EXPECT_TRUE(fails(import_onnx(FOVEA_TEST_DATA "/models/taken.onnx").status(), ErrorCode::Unsupported,
                    "operator 'torchvision::deform_conv2d' stands for the built-in DeformConv, and plugin 'raw' defines it too"));
}

// A library compiled with a later header of the same ABI: longer structs, whose new fields this Fovea does not know.
TEST(BadTables, LongerStructsAreFine) {
  struct Later {
    fovea_operator op;
    void* new_field;
  };
  static RawPlugin plugin("later::Op");
  static Later later = {plugin.op, &later};
  later.op.struct_size = sizeof later;
  plugin.operators[0] = &later.op;
  EXPECT_TRUE(register_plugin(plugin.table).ok());
  EXPECT_NE(ops::find_schema("later::Op"), nullptr);
}

TEST(BadLibrary, IsToldInOneLine) {
  const std::pair<std::string, const char*> kLibraries[] = {
      {"nowhere.so", "plugin nowhere.so: cannot open: no such file"},
      {FOVEA_TEST_PLUGINS, "cannot open: not a file"},
      {FOVEA_TEST_DATA "/CMakeLists.txt", "not a library that can be loaded: "},
      {module_file("no_entry"), "not a plugin: it exports no function fovea_plugin_entry"},
      {module_file("other_abi"), "it speaks plugin ABI 99, this fovea speaks 1"},
      {module_file("refuses"), "fovea_plugin_entry returned null"},
      {module_file("null_callback"), "operator 'test::NoRule': its callback infer is null"},
  };
  for (const auto& [library, phrase] : kLibraries) {
    const auto loaded = load_plugin(library);
    ASSERT_FALSE(loaded.ok()) << library;
    EXPECT_NE(loaded.status().message().find(phrase), std::string::npos) << loaded.status().message();
    EXPECT_EQ(loaded.status().message().find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace fovea::test
