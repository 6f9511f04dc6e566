// SPDX-License-Identifier: Apache-2.0
#include "image/picture_file.h"

#include <cstring>
#include <exception>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/file.h"

namespace fovea::image {

Result<Picture> decode_picture(std::span<const std::byte> bytes, const PictureLimits& limits) {
  FOVEA_ASSIGN(const PictureSize size, picture_size(bytes));
  if (size.width <= 0 || size.height <= 0) return invalid_model(size.format, ": picture of ", size.width, "x", size.height, " pixels");
  if (size.width > limits.max_pixels / size.height) {
    return invalid_model(size.format, ": ", size.width, "x", size.height, " pixels, more than the limit of ", limits.max_pixels);
  }
  try {
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<std::byte*>(bytes.data()));
    cv::Mat bgr = cv::imdecode(raw, cv::IMREAD_COLOR);
    const bool turned = bgr.cols == size.height && bgr.rows == size.width;
    if (bgr.empty() || bgr.type() != CV_8UC3 || !(turned || (bgr.cols == size.width && bgr.rows == size.height))) {
      return invalid_model(size.format, ": the picture is damaged or cut");
    }
    Picture picture(bgr.cols, bgr.rows);
    cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, picture.pixels.data());
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    return picture;
  } catch (const std::exception& error) {
    return invalid_model(size.format, ": cannot be decoded: ", error.what());
  }
}

Result<Picture> read_picture(const std::filesystem::path& file, const PictureLimits& limits) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file));
  if (static_cast<std::int64_t>(mapped->bytes().size()) > limits.max_bytes) {
    return invalid_model(file.string(), ": ", mapped->bytes().size(), " bytes, more than the limit of ", limits.max_bytes);
  }
  auto picture = decode_picture(mapped->bytes(), limits);
  if (!picture.ok()) return std::move(picture).status().with_context(file.string());
  return picture;
}

Result<std::string> encode_png(const Picture& picture) {
  std::vector<std::uint8_t> encoded;
  try {
    const cv::Mat rgb(picture.height, picture.width, CV_8UC3, const_cast<std::uint8_t*>(picture.pixels.data()));
    cv::Mat bgr;
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    if (!cv::imencode(".png", bgr, encoded)) return internal_error("PNG: cannot be encoded");
  } catch (const std::exception& error) {
    return internal_error("PNG: cannot be encoded: ", error.what());
  }
  return std::string(encoded.begin(), encoded.end());
}

Status write_png(const std::filesystem::path& file, const Picture& picture) {
  FOVEA_ASSIGN(const std::string encoded, encode_png(picture));
  return write_file_atomically(file, encoded);
}

}  // namespace fovea::image
