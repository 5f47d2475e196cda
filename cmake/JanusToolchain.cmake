# Finds Python, NumPy, nanobind and the MLIR and LLVM of the xtc wheels, all through the Python interpreter.

if(NOT CMAKE_BUILD_TYPE)
  if(JANUS_INPLACE)
    set(CMAKE_BUILD_TYPE Debug CACHE STRING "Build type" FORCE)
  else()
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
  endif()
endif()

# Never -DNDEBUG: the libraries are built with assertions, and NDEBUG changes the layout of mlir::Pass.
# Passes spend their time in the libraries: more than -O1 makes them no faster and the build longer. The runtime asks
# for more itself.
set(CMAKE_CXX_FLAGS_RELEASE "-O1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1")
set(CMAKE_C_FLAGS_RELEASE "-O1")
set(CMAKE_C_FLAGS_DEBUG "-O1")

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# CMake looks for Python under this name in `python -m venv` trees, under that of the caller in pip builds.
set(Python_FIND_VIRTUALENV FIRST)
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module NumPy)

function(janus_python_package_dir out package)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
            "import importlib.util as u; print(u.find_spec('${package}').submodule_search_locations[0])"
    OUTPUT_VARIABLE dir OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE rc)
  if(NOT rc EQUAL 0)
    message(FATAL_ERROR "The Python package '${package}' is missing; pyproject.toml lists the build requirements.")
  endif()
  set(${out} "${dir}" PARENT_SCOPE)
endfunction()

janus_python_package_dir(JANUS_MLIR_PACKAGE mlir)
janus_python_package_dir(JANUS_LLVM_PACKAGE llvm)
janus_python_package_dir(JANUS_NANOBIND_PACKAGE nanobind)

set(LLVM_DIR "${JANUS_LLVM_PACKAGE}/lib/cmake/llvm")
set(MLIR_DIR "${JANUS_MLIR_PACKAGE}/lib/cmake/mlir")
find_package(MLIR REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)
separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND "${LLVM_DEFINITIONS}")

set(nanobind_ROOT "${JANUS_NANOBIND_PACKAGE}")
find_package(nanobind CONFIG REQUIRED)

# Not libMLIR.so: the Python bindings live on libMLIRPythonCAPI.so, and two MLIRs in one process abort.
set(JANUS_MLIR_LIBRARY_DIR "${JANUS_MLIR_PACKAGE}/_mlir_libs")
set(JANUS_LLVM_LIBRARY_DIR "${JANUS_LLVM_PACKAGE}/lib")
add_library(Janus::MLIR SHARED IMPORTED)
set_target_properties(Janus::MLIR PROPERTIES
  IMPORTED_LOCATION "${JANUS_MLIR_LIBRARY_DIR}/libMLIRPythonCAPI.so")
add_library(Janus::LLVM SHARED IMPORTED)
set_target_properties(Janus::LLVM PROPERTIES
  IMPORTED_LOCATION "${JANUS_LLVM_LIBRARY_DIR}/libLLVM.so")

# TableGen reads its include path from the directory property.
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
