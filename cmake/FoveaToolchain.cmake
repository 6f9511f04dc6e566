# SPDX-License-Identifier: Apache-2.0
# Compiler and linker settings that every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# -O2: -O3 grows the templates of the reference kernels for nothing; hot loops are Highway or oneDNN.
# Under sanitizers -O1: a third less to compile, and the tests there run against the clock.
if(FOVEA_ENABLE_ASAN)
  set(CMAKE_CXX_FLAGS_RELEASE "-O1")
else()
  set(CMAKE_CXX_FLAGS_RELEASE "-O2")
endif()

find_program(FOVEA_CCACHE ccache)
if(FOVEA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FOVEA_CCACHE})
endif()

add_library(fovea_flags INTERFACE)
target_compile_options(fovea_flags INTERFACE -Wall -Wextra -Wshadow=local -Wnon-virtual-dtor)
if(FOVEA_WARNINGS_AS_ERRORS)
  target_compile_options(fovea_flags INTERFACE -Werror)
endif()
if(FOVEA_ENABLE_ASAN)
  # UBSan's checks of every pointer double the time to compile with gcc and find little that AddressSanitizer does not.
  target_compile_options(fovea_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
    -fno-sanitize=alignment,null,nonnull-attribute,object-size,pointer-overflow,returns-nonnull-attribute,vptr)
  target_link_options(fovea_flags INTERFACE -fsanitize=address,undefined)
endif()
if(FOVEA_BUILD_FUZZERS)
  target_compile_options(fovea_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(fovea_flags INTERFACE -fsanitize=address,undefined)
endif()
find_program(FOVEA_MOLD mold)
if(FOVEA_MOLD)
  target_link_options(fovea_flags INTERFACE -fuse-ld=mold)
endif()
