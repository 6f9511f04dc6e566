// SPDX-License-Identifier: Apache-2.0
// A library, but no plugin.
extern "C" int some_function() { return 1; }
