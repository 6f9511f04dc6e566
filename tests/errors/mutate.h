// SPDX-License-Identifier: Apache-2.0
// Damage to files as it happens (cut, flipped, overwritten) and as an attacker does it (numbers at their limits,
// parts moved and repeated). A mutant is found again by its number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace fovea::test {

using Bytes = std::vector<std::byte>;

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  /// One to four changes to `bytes` within [begin, end).
  Bytes mutate(Bytes bytes, std::size_t begin, std::size_t end) {
    for (std::uint64_t count = 1 + random_() % 4; count > 0 && end > begin; --count) change(bytes, begin, end);
    return bytes;
  }
  Bytes mutate(Bytes bytes) {
    const std::size_t size = bytes.size();
    return mutate(std::move(bytes), 0, size);
  }
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }

 private:
  void change(Bytes& bytes, std::size_t begin, std::size_t& end) {
    const std::size_t at = begin + below(end - begin), left = end - at;
    switch (below(8)) {
      case 0: case 1: bytes[at] ^= std::byte{static_cast<unsigned char>(1u << below(8))}; break;
      case 2: bytes[at] = std::byte{static_cast<unsigned char>(random_())}; break;
      case 3: case 4: {  // a number that often breaks arithmetic, in 1, 2, 4 or 8 bytes
        constexpr std::uint64_t kNumbers[] = {0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~std::uint64_t{0}};
        const std::uint64_t number = kNumbers[below(std::size(kNumbers))];
        std::memcpy(bytes.data() + at, &number, std::min<std::size_t>(left, std::size_t{1} << below(4)));
        break;
      }
      case 5: {  // a varint of 64 bits, as protobuf writes large and negative numbers
        const std::size_t count = std::min<std::size_t>(left, 10);
        for (std::size_t i = 0; i < count; ++i) bytes[at + i] = i + 1 < count ? std::byte{0xff} : std::byte{1};
        break;
      }
      case 6: {  // a part copied over another one
        const std::size_t from = begin + below(end - begin), count = std::min({left, end - from, std::size_t{1} + below(32)});
        std::memmove(bytes.data() + at, bytes.data() + from, count);
        break;
      }
      default: {  // cut or doubled; what follows moves
        const std::size_t count = std::min<std::size_t>(left, 1 + below(16));
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        if (below(2) == 0) {
          bytes.erase(place, place + static_cast<std::ptrdiff_t>(count));
          end -= count;
        } else {
          const Bytes part(place, place + static_cast<std::ptrdiff_t>(count));
          bytes.insert(place, part.begin(), part.end());
          end += count;
        }
      }
    }
  }

  std::mt19937_64 random_;
};

}  // namespace fovea::test
