// SPDX-License-Identifier: Apache-2.0
// Where exceptions end: every entry of the public API that does real work runs inside guarded(). Memory that runs
// out in a container, and our own bugs, become a Status there like everything else.
#pragma once

#include <exception>
#include <new>

#include "base/check.h"

namespace fovea {

/// f(), which returns a Status or a Result.
template <class F>
auto guarded(F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const Error& error) {
    return error.status();
  } catch (const std::bad_alloc&) {
    return resource_exhausted("out of memory");
  } catch (const std::exception& error) {
    return internal_error(error.what());
  }
}

}  // namespace fovea
