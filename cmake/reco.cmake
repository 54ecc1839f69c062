# Warnings, sanitizers and the shapes of a room and of a test, in one place.

add_library(reco_flags INTERFACE)
target_include_directories(reco_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(reco_flags INTERFACE _GNU_SOURCE)
target_compile_options(reco_flags INTERFACE -Wall -Wextra -Wpedantic $<$<BOOL:${RECO_WERROR}>:-Werror>
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla>
  -fno-semantic-interposition)
if(RECO_SANITIZE)
  target_compile_options(reco_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(reco_flags INTERFACE -fsanitize=address,undefined)
endif()

# reco_room(name libraries...): every .c of the folder as the static library reco_<name>.
function(reco_room name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${name}/*.c")
  add_library(reco_${name} STATIC ${sources})
  target_link_libraries(reco_${name} PUBLIC ${ARGN} reco_flags)
endfunction()

# reco_room_tests(room libraries...): every test_*.c of tests/<room> as a cmocka program and a ctest test <room>.<name>; the target
# <room>_tests builds them all.
function(reco_room_tests room)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${room}/test_*.c")
  add_custom_target(${room}_tests)
  foreach(source IN LISTS sources)
    get_filename_component(base "${source}" NAME_WE)
    string(REGEX REPLACE "^test_" "" name "${base}")
    add_executable(${room}_${base} "${source}")
    target_link_libraries(${room}_${base} PRIVATE ${ARGN} ${CMOCKA_LIBRARY})
    target_compile_definitions(${room}_${base} PRIVATE
      RECO_SOURCE_DIR="${CMAKE_SOURCE_DIR}" RECO_BINARY_DIR="${CMAKE_BINARY_DIR}")
    add_dependencies(${room}_tests ${room}_${base})
    add_test(NAME ${room}.${name} COMMAND ${room}_${base} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties(${room}.${name} PROPERTIES LABELS "${room}" SKIP_RETURN_CODE 77 TIMEOUT 600)
  endforeach()
endfunction()

# reco_protobuf(target file.proto): the messages of the file as C, for the target alone.
function(reco_protobuf target file)
  pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
  find_program(PROTOC_C protoc-c REQUIRED)
  get_filename_component(name "${file}" NAME_WE)
  get_filename_component(dir "${CMAKE_SOURCE_DIR}/${file}" DIRECTORY)
  set(out "${CMAKE_BINARY_DIR}/protobuf")
  file(MAKE_DIRECTORY "${out}")
  add_custom_command(OUTPUT "${out}/${name}.pb-c.c" "${out}/${name}.pb-c.h"
    COMMAND "${PROTOC_C}" "--proto_path=${dir}" "--c_out=${out}" "${CMAKE_SOURCE_DIR}/${file}"
    DEPENDS "${CMAKE_SOURCE_DIR}/${file}" VERBATIM)
  target_sources(${target} PRIVATE "${out}/${name}.pb-c.c" "${out}/${name}.pb-c.h")
  set_source_files_properties("${out}/${name}.pb-c.c" PROPERTIES COMPILE_OPTIONS -w)
  target_include_directories(${target} PRIVATE "${out}")
  target_link_libraries(${target} PRIVATE PkgConfig::PROTOBUF_C)
endfunction()
