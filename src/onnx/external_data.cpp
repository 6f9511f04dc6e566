// SPDX-License-Identifier: Apache-2.0
#include "onnx/external_data.h"

#include <algorithm>
#include <system_error>

namespace fovea::onnx {

Result<std::shared_ptr<const MappedFile>> ExternalData::open(const std::string& location) {
  namespace fs = std::filesystem;
  if (const auto known = files_.find(location); known != files_.end()) return known->second;
  if (folder_.empty()) {
    return Status(ErrorCode::InvalidModel, "the model keeps weights in other files, which a model given as bytes cannot have",
                  "import it from its file");
  }
  const fs::path relative(location);
  if (location.empty() || location.find('\0') != std::string::npos) return invalid_model("external data without a usable file name");
  const bool climbs = std::any_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; });
  if (relative.is_absolute() || climbs) {
    return invalid_model("external data '", location, "': expected a path inside the model's folder");
  }
  std::error_code error;
  const fs::path root = fs::canonical(folder_, error);
  if (error) return not_found("folder ", folder_.string(), ": ", error.message());
  const fs::path file = fs::canonical(root / relative, error);
  if (error) return not_found("external data '", location, "': ", error.message());
  const auto [end, _] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (end != root.end()) {
    return Status(ErrorCode::InvalidModel, str_cat("external data '", location, "' is a link that leaves the model's folder"),
                  "copy the file itself into the folder");
  }
  if (!fs::is_regular_file(file, error)) return invalid_model("external data '", location, "' is not a regular file");
  FOVEA_ASSIGN(auto mapped, MappedFile::open(file));
  files_.emplace(location, mapped);
  return mapped;
}

Result<ExternalData::Piece> ExternalData::read(const std::string& location, std::int64_t offset, std::int64_t length) {
  FOVEA_ASSIGN(auto file, open(location));
  const auto size = static_cast<std::int64_t>(file->bytes().size());
  if (offset < 0 || length < 0 || offset > size || length > size - offset) {
    return invalid_model("external data '", location, "': expected ", length, " bytes at offset ", offset, ", the file has ", size);
  }
  return Piece{file->bytes().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)), file};
}

}  // namespace fovea::onnx
