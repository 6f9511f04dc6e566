# SPDX-License-Identifier: Apache-2.0
# The three OpenCV libraries Fovea uses. OpenCV's own config file comes with the package of all its modules, which
# pulls in some 300 others; the headers and libraries of the three are enough.
find_path(OpenCV_INCLUDE_DIR opencv2/core.hpp PATH_SUFFIXES opencv4)
set(required OpenCV_INCLUDE_DIR)
foreach(part ${OpenCV_FIND_COMPONENTS})
  find_library(OpenCV_${part}_LIBRARY opencv_${part})
  list(APPEND required OpenCV_${part}_LIBRARY)
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCV REQUIRED_VARS ${required})
foreach(part ${OpenCV_FIND_COMPONENTS})
  if(OpenCV_FOUND AND NOT TARGET OpenCV::${part})
    add_library(OpenCV::${part} UNKNOWN IMPORTED)
    set_target_properties(OpenCV::${part} PROPERTIES IMPORTED_LOCATION ${OpenCV_${part}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${OpenCV_INCLUDE_DIR})
  endif()
endforeach()
