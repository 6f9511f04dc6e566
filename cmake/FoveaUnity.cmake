# SPDX-License-Identifier: Apache-2.0
# fovea_unity(TARGET): sources of one folder are compiled several at a time, because most of the time of a small source
# goes into the same headers. On with FOVEA_UNITY_BUILD (preset release and the sanitized tree); the preset dev compiles
# each source by itself, so that every source still has to include what it uses.
# Only neighbours meet, so names in the anonymous namespaces of one folder must differ: an error shows up where it was made.
set(FOVEA_UNITY_SIZE 6 CACHE STRING "Sources of a folder compiled at a time in a unity build")

function(fovea_unity target)
  if(NOT FOVEA_UNITY_BUILD)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  get_target_property(base ${target} SOURCE_DIR)
  foreach(source ${sources})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${base} NORMALIZE OUTPUT_VARIABLE path)
    if(NOT path MATCHES "\\.cpp$" OR NOT EXISTS ${path})
      continue()
    endif()
    # Highway's sources include themselves once per instruction set: they stand alone.
    file(STRINGS ${path} includes_itself REGEX "HWY_TARGET_INCLUDE" LIMIT_COUNT 1)
    if(includes_itself)
      continue()
    endif()
    cmake_path(GET path PARENT_PATH folder)
    file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${folder})
    string(MAKE_C_IDENTIFIER ${folder} folder)
    math(EXPR batch "0${count_${folder}} / ${FOVEA_UNITY_SIZE}")
    math(EXPR count_${folder} "0${count_${folder}} + 1")
    set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${folder}_${batch})
  endforeach()
endfunction()
