# Helpers with which each directory describes itself.

set(JANUS_NATIVE_INSTALL_DIR "janus_mlir/_native")
set(JANUS_NATIVE_SOURCE_DIR "${CMAKE_SOURCE_DIR}/${JANUS_NATIVE_INSTALL_DIR}")

# Adds the directories that exist.
function(janus_add_subdirectories)
  foreach(dir IN LISTS ARGN)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${dir}/CMakeLists.txt")
      add_subdirectory(${dir})
    endif()
  endforeach()
endfunction()

# Compile options of everything that includes MLIR's C++ headers.
function(janus_configure_mlir_target target)
  target_compile_definitions(${target} PRIVATE ${LLVM_DEFINITIONS_LIST})
  target_compile_options(${target} PRIVATE -fno-rtti -fno-exceptions -fvisibility=hidden
    -fvisibility-inlines-hidden -Wall -Wextra -Wno-unused-parameter -Wno-comment -Wno-dangling-reference)
  if(JANUS_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  target_include_directories(${target} PRIVATE
    "${CMAKE_SOURCE_DIR}/dialects" "${CMAKE_BINARY_DIR}/dialects" "${CMAKE_SOURCE_DIR}/csrc")
endfunction()

# Says where a shared object of the package lies, in the build and once installed, and how it finds the others.
function(janus_place_native target)
  if(JANUS_INPLACE)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${JANUS_NATIVE_SOURCE_DIR}")
  else()
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
  endif()
  set_target_properties(${target} PROPERTIES
    BUILD_RPATH "$ORIGIN;${JANUS_MLIR_LIBRARY_DIR};${JANUS_LLVM_LIBRARY_DIR}"
    INSTALL_RPATH "$ORIGIN;$ORIGIN/../../mlir/_mlir_libs;$ORIGIN/../../llvm/lib")
  install(TARGETS ${target} LIBRARY DESTINATION "${JANUS_NATIVE_INSTALL_DIR}")
endfunction()

# janus_add_sources(A.cpp B.cpp [ALONE C.cpp]): adds this directory's files to libJanus. With JANUS_UNITY several
# of them are compiled as one, since what most of a file's time goes into is the templates of MLIR that all use;
# the files after ALONE, long enough by themselves, are not.
function(janus_add_sources)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "ALONE")
  set(number 0)
  foreach(source IN LISTS arg_UNPARSED_ARGUMENTS arg_ALONE)
    target_sources(Janus PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
    if(JANUS_UNITY AND NOT source IN_LIST arg_ALONE)
      file(RELATIVE_PATH directory "${CMAKE_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
      string(MAKE_C_IDENTIFIER "${directory}" directory)
      math(EXPR group "${number} / 5")
      math(EXPR number "${number} + 1")
      set_source_files_properties("${CMAKE_CURRENT_SOURCE_DIR}/${source}" TARGET_DIRECTORY Janus
        PROPERTIES UNITY_GROUP "${directory}_${group}")
    endif()
  endforeach()
endfunction()

# janus_finish_tablegen(<name>): a custom target for the files in TABLEGEN_OUTPUT, which libJanus waits for.
function(janus_finish_tablegen)
  string(MAKE_C_IDENTIFIER "tablegen-${CMAKE_CURRENT_SOURCE_DIR}-${ARGV0}" id)
  string(SHA1 id "${id}")
  string(SUBSTRING "${id}" 0 12 id)
  add_custom_target(JanusTableGen-${ARGV0}-${id} DEPENDS ${TABLEGEN_OUTPUT})
  add_dependencies(Janus JanusTableGen-${ARGV0}-${id})
endfunction()

# janus_add_dialect(<Stem> <dialect>): from <Stem>Ops.td here, which includes the rest of the dialect, generates
# <Stem>{Dialect,Ops,Attrs,Types,Enums}.{h,cpp}.inc, and with the target `docs` the reference
# docs/dialects/<dialect>.md.
function(janus_add_dialect stem dialect)
  set(LLVM_TARGET_DEFINITIONS ${stem}Ops.td)
  set(TABLEGEN_OUTPUT)
  mlir_tablegen(${stem}Dialect.h.inc -gen-dialect-decls -dialect=${dialect} EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Dialect.cpp.inc -gen-dialect-defs -dialect=${dialect} EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Ops.h.inc -gen-op-decls EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Ops.cpp.inc -gen-op-defs EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${dialect}
                EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${dialect}
                EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Types.h.inc -gen-typedef-decls -typedefs-dialect=${dialect}
                EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${dialect}
                EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Enums.h.inc -gen-enum-decls EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  mlir_tablegen(${stem}Enums.cpp.inc -gen-enum-defs EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  janus_finish_tablegen(${stem}Dialect)

  set(TABLEGEN_OUTPUT)
  mlir_tablegen(${dialect}.md -gen-dialect-doc -dialect=${dialect} EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  _janus_add_docs(${dialect}.md dialects/${dialect}.md)
endfunction()

# janus_add_passes(<Group>): from Passes.td here generates Passes.h.inc. Passes.h, written by hand beside it,
# includes that under GEN_PASS_DECL and GEN_PASS_REGISTRATION in namespace mlir::janus; janus-opt and the Python
# extension then call register<Group>Passes().
function(janus_add_passes group)
  set(LLVM_TARGET_DEFINITIONS Passes.td)
  set(TABLEGEN_OUTPUT)
  mlir_tablegen(Passes.h.inc -gen-pass-decls -name ${group} EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  janus_finish_tablegen(${group}Passes)

  set(TABLEGEN_OUTPUT)
  mlir_tablegen(${group}Passes.md -gen-pass-doc EXTRA_INCLUDES "${CMAKE_SOURCE_DIR}/dialects")
  _janus_add_docs(${group}Passes.md passes/${group}.md)
  _janus_header_of(header Passes.h)
  set_property(GLOBAL APPEND PROPERTY JANUS_REGISTRATION_HEADERS "${header}")
  set_property(GLOBAL APPEND PROPERTY JANUS_PASS_REGISTRATIONS "mlir::janus::register${group}Passes()")
endfunction()

# janus_add_extension(<Header.h> <function>): calls mlir::janus::<function>(DialectRegistry &), declared in
# Header.h here, for every context: the place for external interface models.
function(janus_add_extension header function)
  _janus_header_of(path ${header})
  set_property(GLOBAL APPEND PROPERTY JANUS_REGISTRATION_HEADERS "${path}")
  set_property(GLOBAL APPEND PROPERTY JANUS_EXTENSION_REGISTRATIONS "mlir::janus::${function}(registry)")
endfunction()

function(_janus_header_of out header)
  file(RELATIVE_PATH path "${CMAKE_SOURCE_DIR}/dialects" "${CMAKE_CURRENT_SOURCE_DIR}/${header}")
  set(${out} "${path}" PARENT_SCOPE)
endfunction()

function(janus_generate_registrations)
  get_property(headers GLOBAL PROPERTY JANUS_REGISTRATION_HEADERS)
  get_property(passes GLOBAL PROPERTY JANUS_PASS_REGISTRATIONS)
  get_property(extensions GLOBAL PROPERTY JANUS_EXTENSION_REGISTRATIONS)
  list(REMOVE_DUPLICATES headers)
  set(text "// Generated by JanusBuild.cmake from the CMakeLists.txt of each directory.\n")
  foreach(header IN LISTS headers)
    string(APPEND text "#include \"${header}\"\n")
  endforeach()
  string(APPEND text "#include \"Pipelines/RegisterAll.h\"\n\n")
  string(APPEND text "void mlir::janus::detail::registerGeneratedPasses() {\n")
  foreach(call IN LISTS passes)
    string(APPEND text "  ${call};\n")
  endforeach()
  string(APPEND text "}\n\nvoid mlir::janus::detail::registerGeneratedExtensions(mlir::DialectRegistry &registry) {\n")
  string(APPEND text "  (void)registry;\n")
  foreach(call IN LISTS extensions)
    string(APPEND text "  ${call};\n")
  endforeach()
  string(APPEND text "}\n")
  set(file "${CMAKE_BINARY_DIR}/dialects/Pipelines/Registrations.cpp")
  file(CONFIGURE OUTPUT "${file}" CONTENT "${text}" @ONLY)
  target_sources(Janus PRIVATE "${file}")
endfunction()

# Collects a generated page: the target `docs` copies it into docs/, and `docs-check` fails where the copy is stale.
function(_janus_add_docs generated destination)
  set(page "${CMAKE_CURRENT_BINARY_DIR}/${generated}")
  set(target "${CMAKE_SOURCE_DIR}/docs/${destination}")
  string(MAKE_C_IDENTIFIER "docs-${destination}" name)
  add_custom_target(${name}
    COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${page}" "${target}"
    DEPENDS "${page}" VERBATIM)
  add_custom_target(${name}-check
    COMMAND "${CMAKE_COMMAND}" -E compare_files "${page}" "${target}"
    DEPENDS "${page}" COMMENT "Comparing docs/${destination} (after a failure: make docs)" VERBATIM)
  if(NOT TARGET docs)
    add_custom_target(docs)
    add_custom_target(docs-check)
  endif()
  add_dependencies(docs ${name})
  add_dependencies(docs-check ${name}-check)
endfunction()

# janus_add_python_module(<name> A.cpp ...): a plain CPython extension of janus_mlir._native (NumPy's C API, no
# MLIR), with C++17, exceptions and RTTI as the compiler has them.
function(janus_add_python_module name)
  Python_add_library(${name} MODULE WITH_SOABI ${ARGN})
  target_link_libraries(${name} PRIVATE Python::NumPy)
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/csrc")
  target_compile_options(${name} PRIVATE -O2 -fvisibility=hidden -Wall -Wextra -Wno-missing-field-initializers
    -Wno-cast-function-type)
  janus_place_native(${name})
endfunction()
