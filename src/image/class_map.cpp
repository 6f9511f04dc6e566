// SPDX-License-Identifier: Apache-2.0
#include "image/class_map.h"

#include <algorithm>
#include <exception>
#include <opencv2/imgcodecs.hpp>
#include <string_view>

#include "base/file.h"
#include "image/picture_file.h"

namespace fovea::image {

namespace {

/// Levels of the decoded planes; the first of three or four, when the others are equal to it (the fourth is alpha).
template <class Level>
Status take_levels(const cv::Mat& planes, int unit, ClassMap& map) {
  const int channels = planes.channels();
  for (int y = 0; y < planes.rows; ++y) {
    const Level* level = planes.ptr<Level>(y);
    for (int x = 0; x < planes.cols; ++x, level += channels) {
      if (channels >= 3 && (level[0] != level[1] || level[0] != level[2])) {
        return invalid_model("expected a grey picture of class numbers, found colours at x ", x, ", y ", y);
      }
      map.classes.push_back(level[0] / unit);
    }
  }
  return {};
}

Result<ClassMap> decode_class_map(std::span<const std::byte> bytes, const PictureLimits& limits) {
  FOVEA_ASSIGN(const PictureSize size, picture_size(bytes));
  if (std::string_view(size.format) != "PNG") return invalid_model("expected a PNG file of grey levels, found ", size.format);
  if (size.width <= 0 || size.height <= 0 || size.width > limits.max_pixels / size.height) {
    return invalid_model("PNG: ", size.width, "x", size.height, " pixels, expected 1 to ", limits.max_pixels);
  }
  ClassMap map;
  try {
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<std::byte*>(bytes.data()));
    const cv::Mat planes = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
    if (planes.empty() || planes.cols != size.width || planes.rows != size.height) return invalid_model("PNG: the picture is damaged or cut");
    map.width = planes.cols;
    map.height = planes.rows;
    map.classes.reserve(planes.total());
    // Levels of 1, 2 and 4 bits come stretched to 0..255. IHDR has the depth at byte 24, the kind (0: grey) at byte 25.
    const int depth = std::to_integer<int>(bytes[24]), unit = depth < 8 && bytes[25] == std::byte{0} ? 255 / ((1 << depth) - 1) : 1;
    FOVEA_RETURN_IF_ERROR(planes.depth() == CV_16U ? take_levels<std::uint16_t>(planes, 1, map) : take_levels<std::uint8_t>(planes, unit, map));
  } catch (const std::exception& error) {
    return invalid_model("PNG: cannot be decoded: ", error.what());
  }
  return map;
}

template <class Level>
std::vector<std::uint8_t> encode_levels(const ClassMap& map, int type) {
  cv::Mat plane(map.height, map.width, type);
  auto from = map.classes.begin();
  for (int y = 0; y < map.height; ++y, from += map.width) {
    std::transform(from, from + map.width, plane.ptr<Level>(y), [](std::int32_t id) { return static_cast<Level>(id); });
  }
  std::vector<std::uint8_t> encoded;
  if (!cv::imencode(".png", plane, encoded)) encoded.clear();
  return encoded;
}

}  // namespace

Result<std::string> encode_class_map(const ClassMap& map, std::int64_t count) {
  const auto [low, high] = std::minmax_element(map.classes.begin(), map.classes.end());
  if (low == map.classes.end()) return invalid_argument("PNG: empty map of classes");
  if (*high > 65535 || *low < -32768) return invalid_argument("PNG: class ", *high > 65535 ? *high : *low, " has no grey level; expected at most 65535");
  try {
    const bool wide = count > 256 || *high > 255 || *low < -128;
    const std::vector<std::uint8_t> encoded = wide ? encode_levels<std::uint16_t>(map, CV_16UC1) : encode_levels<std::uint8_t>(map, CV_8UC1);
    if (!encoded.empty()) return std::string(encoded.begin(), encoded.end());
  } catch (const std::exception& error) {
    return internal_error("PNG: cannot be encoded: ", error.what());
  }
  return internal_error("PNG: cannot be encoded");
}

Result<ClassMap> read_class_map(const std::filesystem::path& file, const PictureLimits& limits) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file));
  if (static_cast<std::int64_t>(mapped->bytes().size()) > limits.max_bytes) {
    return invalid_model(file.string(), ": ", mapped->bytes().size(), " bytes, more than the limit of ", limits.max_bytes);
  }
  auto map = decode_class_map(mapped->bytes(), limits);
  if (!map.ok()) return std::move(map).status().with_context(file.string());
  return map;
}

}  // namespace fovea::image
