// SPDX-License-Identifier: Apache-2.0
// Weights in other files: only inside the model's folder, only within the file.
#include "support.h"

namespace fovea::testing {
namespace {

std::string model_with(const std::string& location, const std::string& more = {}) {
  return parse("ir_version: 10 opset_import { version: 26 } graph { " + output("w") +
               "initializer { name: 'w' dims: 2 data_type: 1 data_location: EXTERNAL external_data { key: 'location' value: '" + location + "' } " + more + " } }")
      .SerializeAsString();
}
std::string entry(const std::string& key, const std::string& value) { return "external_data { key: '" + key + "' value: '" + value + "' } "; }

TEST(ExternalData, ReadAtAnOffset) {
  const TemporaryFolder folder;
  std::string bytes(72, '\0');
  bytes[66] = '\x80';
  bytes[67] = '\x3f';  // 1.0f at byte 64
  folder.write("weights.bin", bytes);
  for (const std::string offset : {"64", "60"}) {  // mapped in place, and copied because it is not aligned
    const auto model = import_onnx(folder.write("net.onnx", model_with("weights.bin", entry("offset", offset) + entry("length", "8"))));
    ASSERT_TRUE(model.ok()) << model.status().to_string();
    const Tensor& w = model->graph().value(model->graph().outputs[0]).constant;
    EXPECT_EQ(w.data<float>()[offset == "64" ? 0 : 1], 1.0f);
  }
}

TEST(ExternalDataError, PathsOutOfTheFolder) {
  const TemporaryFolder outside, folder;
  outside.write("secret.bin", "12345678");
  std::filesystem::create_symlink(outside / "secret.bin", folder / "link.bin");
  std::filesystem::create_directory_symlink(outside.path(), folder / "dir");
  std::filesystem::create_directory(folder / "plain");
  const auto status = [&](const std::string& location) { return import_onnx(folder.write("net.onnx", model_with(location))).status(); };
  EXPECT_ERROR(status("../" + outside.path().filename().string() + "/secret.bin"), InvalidModel, "inside the model's folder");
  EXPECT_ERROR(status((outside / "secret.bin").string()), InvalidModel, "inside the model's folder");
  EXPECT_ERROR(status("plain/../../x"), InvalidModel, "inside the model's folder");
  EXPECT_ERROR(status("link.bin"), InvalidModel, "leaves the model's folder");
  EXPECT_ERROR(status("dir/secret.bin"), InvalidModel, "leaves the model's folder");
  EXPECT_ERROR(status("plain"), InvalidModel, "not a regular file");
  EXPECT_ERROR(status("missing.bin"), NotFound, "missing.bin");
  EXPECT_ERROR(status(""), InvalidModel, "file name");
}

TEST(ExternalDataError, RangesBeyondTheFile) {
  const TemporaryFolder folder;
  folder.write("weights.bin", "12345678");
  const auto status = [&](const std::string& more) { return import_onnx(folder.write("net.onnx", model_with("weights.bin", more))).status(); };
  EXPECT_ERROR(status(entry("offset", "4")), InvalidModel, "the file has 8");
  EXPECT_ERROR(status(entry("offset", "9223372036854775807")), InvalidModel, "the file has 8");
  EXPECT_ERROR(status(entry("offset", "-1")), InvalidModel, "offset");
  EXPECT_ERROR(status(entry("offset", "1x")), InvalidModel, "offset");
  EXPECT_ERROR(status(entry("length", "4")), InvalidModel, "needs 8 bytes");
}

TEST(ExternalDataError, ModelGivenAsBytes) {
  const std::string bytes = model_with("weights.bin");
  EXPECT_ERROR(import_onnx(as_bytes(bytes)).status(), InvalidModel, "import it from its file");
}

}  // namespace
}  // namespace fovea::testing
