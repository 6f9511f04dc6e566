# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` writes, in five components, each installable alone (`cmake --install build --component runtime`):
#   runtime   libfovea_runtime.a, its headers, the package file: what a robot carries
#   compiler  libfovea_compiler.a and the headers of import and build
#   task      libfovea_task.a and its header: pictures in, answers out (needs OpenCV)
#   command   bin/fovea
#   plugin    the headers with which operators are written outside of this tree; no library, needs nothing
# Consumers: find_package(fovea REQUIRED COMPONENTS runtime) or (... compiler task), targets fovea::runtime, fovea::compiler,
# fovea::task; for a plugin find_package(fovea REQUIRED COMPONENTS plugin), target fovea::plugin.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/fovea)

set(runtime_headers engine.h load_plugin.h model.h plugin.h session.h status.h tensor.h)
set(compiler_headers build.h fovea.h surgery.h)

function(fovea_install_library component)
  set_target_properties(fovea_${component} PROPERTIES EXPORT_NAME ${component})
  install(TARGETS fovea_${component} EXPORT fovea-${component} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component})
  list(TRANSFORM ARGN PREPEND ${PROJECT_SOURCE_DIR}/include/fovea/)
  install(FILES ${ARGN} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fovea COMPONENT ${component})
  install(EXPORT fovea-${component} FILE fovea-${component}.cmake NAMESPACE fovea:: DESTINATION ${package_dir} COMPONENT ${component})
endfunction()

fovea_install_library(runtime ${runtime_headers})
fovea_install_library(plugin plugin.h plugin.hpp)
if(FOVEA_BUILD_COMPILER)
  fovea_install_library(compiler ${compiler_headers})
endif()
if(FOVEA_BUILD_CLI)
  fovea_install_library(task task.h)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/FindOpenCV.cmake DESTINATION ${package_dir} COMPONENT task)
  install(TARGETS fovea_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/fovea-config.cmake.in ${PROJECT_BINARY_DIR}/fovea-config.cmake
                              INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fovea-config-version.cmake COMPATIBILITY SameMinorVersion)
foreach(component runtime plugin)
  install(FILES ${PROJECT_BINARY_DIR}/fovea-config.cmake ${PROJECT_BINARY_DIR}/fovea-config-version.cmake
                ${PROJECT_SOURCE_DIR}/cmake/FindOneDNN.cmake
          DESTINATION ${package_dir} COMPONENT ${component})
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
