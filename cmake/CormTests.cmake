# Registers every test with ctest: unit, integration, header, command-line, symbol and corpus tests.

set(CORM_TEST_TIMEOUT 120)
if(CORM_SANITIZE OR CORM_COVERAGE)
  set(CORM_TEST_TIMEOUT 300)
endif()
set(CORM_IN_TEMP_DIR ${CMAKE_SOURCE_DIR}/tests/in-temp-dir)

# corm_add_test(NAME LABEL COMMAND ...): the command runs in an empty directory of its own, which
# is also its TMPDIR; exit status 77 means skipped.
function(corm_add_test name label)
  add_test(NAME ${name} COMMAND ${CORM_IN_TEMP_DIR} ${ARGN})
  set_tests_properties(${name} PROPERTIES
    LABELS ${label} TIMEOUT ${CORM_TEST_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT "${CORM_TEST_ENVIRONMENT}")
endfunction()

# The same test against a real Cassandra: NAME@cassandra, one at a time. The thousands of golden statements take minutes there:
# not where every instruction is watched.
function(corm_add_cassandra_test name)
  if(name STREQUAL "cli.golden" AND (CORM_SANITIZE OR CORM_COVERAGE))
    return()
  endif()
  corm_add_test(${name}@cassandra cassandra ${CMAKE_SOURCE_DIR}/tests/with-cassandra ${ARGN})
  set_tests_properties(${name}@cassandra PROPERTIES
    RESOURCE_LOCK cassandra TIMEOUT 1800 FIXTURES_REQUIRED cassandra)
endfunction()

# What the tests of a run have started is stopped when they are done; what ran before goes on.
function(corm_stop_cassandra)
  add_test(NAME cassandra.stop COMMAND ${CMAKE_SOURCE_DIR}/tools/cassandra stop --owner ${CMAKE_BINARY_DIR})
  set_tests_properties(cassandra.stop PROPERTIES LABELS cassandra FIXTURES_CLEANUP cassandra)
endfunction()

# The same test through `corm serve`: NAME@serve, each with a server of its own.
function(corm_add_serve_test name)
  corm_add_test(${name}@serve serve ${CMAKE_SOURCE_DIR}/tests/with-serve ${ARGN})
endfunction()

# Whether a test opens the door that CORM_TEST_URI names: see src/testing/doors.h.
function(corm_has_doors out source)
  file(STRINGS ${source} uses REGEX "testing__(open|fresh|uri)\\(|open_db(_with)?\\(")
  set(${out} "${uses}" PARENT_SCOPE)
endfunction()

set(CORM_TEST_ENVIRONMENT
  "CORM_SOURCE_DIR=${CMAKE_SOURCE_DIR}"
  "CORM_BINARY_DIR=${CMAKE_BINARY_DIR}"
  "CORM_CASSANDRA_OWNER=${CMAKE_BINARY_DIR}"
  "CORM=${CMAKE_BINARY_DIR}/bin/corm"
  "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp")

# A cmocka program that sees the internals of the folders so far and of src/testing.
function(corm_test_program target source)
  add_executable(${target} ${source})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
  target_compile_definitions(${target} PRIVATE CORM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE
    corm_testing ${CORM_OBJECT_TARGETS} PkgConfig::cmocka Threads::Threads m)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endfunction()

# src/testing as an archive, so that a test links only the members that it uses.
function(corm_testing_library)
  if(TARGET corm_testing)
    return()
  endif()
  corm_find_libraries(cmocka)
  corm_sources(sources src/testing)
  set(kind PUBLIC)
  if(sources)
    add_library(corm_testing STATIC ${sources})
  else()
    add_library(corm_testing INTERFACE)
    set(kind INTERFACE)
  endif()
  corm_library_targets(libraries libuv jansson libcrypto libssl)
  target_include_directories(corm_testing ${kind}
    ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(corm_testing ${kind} PkgConfig::cmocka ${libraries})
endfunction()

# src/FOLDER/**/x_test.c becomes the program FOLDER_x_test and the test FOLDER.x, and FOLDER.x@cassandra and
# FOLDER.x@serve when it knows doors.
function(corm_folder_tests folder)
  corm_testing_library()
  add_custom_target(${folder}_tests)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*_test.c)
  foreach(source ${sources})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/src/${folder} ${source})
    string(REGEX REPLACE "_test\\.c$" "" path ${path})
    string(REPLACE "/" "_" target ${folder}/${path}_test)
    string(REPLACE "/" "." name ${folder}/${path})
    corm_test_program(${target} ${source})
    add_dependencies(${folder}_tests ${target})
    corm_add_test(${name} ${folder} $<TARGET_FILE:${target}>)
    if(name MATCHES "_cassandra$")
      set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED cassandra)
    endif()
    corm_has_doors(doors ${source})
    if(doors)
      corm_add_cassandra_test(${name} $<TARGET_FILE:${target}>)
      corm_add_serve_test(${name} $<TARGET_FILE:${target}>)
    endif()
  endforeach()
endfunction()

# tests/**/x_test.c: programs over the whole library.
function(corm_integration_tests)
  corm_testing_library()
  add_custom_target(integration_tests)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*_test.c)
  foreach(source ${sources})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/tests ${source})
    string(REGEX REPLACE "_test\\.c$" "" path ${path})
    string(REPLACE "/" "_" target tests/${path}_test)
    string(REPLACE "/" "." name tests/${path})
    corm_test_program(${target} ${source})
    add_dependencies(integration_tests ${target})
    corm_add_test(${name} integration $<TARGET_FILE:${target}>)
    corm_has_doors(has_doors ${source})
    if(has_doors AND NOT CORM_SANITIZE AND NOT CORM_COVERAGE)
      corm_add_cassandra_test(${name} $<TARGET_FILE:${target}>)
    endif()
  endforeach()
  corm_chaos_test(tests.driver.chaos)
endfunction()

# The test that disturbs three real nodes takes minutes and the whole machine: it runs alone, and only
# in the builds of one compiler that watch nothing.
function(corm_chaos_test name)
  set_tests_properties(${name} PROPERTIES
    LABELS chaos RUN_SERIAL ON TIMEOUT 600 FIXTURES_REQUIRED cassandra)
  if(CORM_SANITIZE OR CORM_COVERAGE OR NOT CMAKE_C_COMPILER_ID STREQUAL GNU)
    set_tests_properties(${name} PROPERTIES DISABLED ON)
  endif()
endfunction()

# Every public header compiles by itself as C11 and C++17, with each compiler that is installed;
# tests/headers/x.c is a user's program that works; tests/headers/refused/x.c must not compile.
function(corm_header_tests)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/corm/*.h)
  foreach(header ${headers})
    get_filename_component(name ${header} NAME_WE)
    corm_add_test(headers.${name} headers
      ${CMAKE_SOURCE_DIR}/tests/headers/compiles-alone ${header} ${CORM_WARNINGS})
  endforeach()
  file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/headers/*.c)
  foreach(program ${programs})
    get_filename_component(name ${program} NAME_WE)
    add_executable(headers_${name} ${program})
    target_link_libraries(headers_${name} PRIVATE corm_shared)
    set_target_properties(headers_${name} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    corm_add_test(headers.program.${name} headers $<TARGET_FILE:headers_${name}>)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/headers/refused/*.c)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    corm_add_test(headers.refused.${name} headers
      ${CMAKE_SOURCE_DIR}/tests/headers/is-refused ${source})
  endforeach()
endfunction()

# tests/clients/NAME/: a program over a client of Cassandra, against `corm serve`; the first build of one may take minutes.
function(corm_client_tests)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/clients/*/*)
  set(names "")
  foreach(source ${sources})
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(name ${folder} NAME)
    list(APPEND names ${name})
  endforeach()
  list(REMOVE_DUPLICATES names)
  foreach(name ${names})
    corm_add_test(clients.${name} clients
      ${CMAKE_SOURCE_DIR}/tests/with-serve ${CMAKE_SOURCE_DIR}/tests/clients/run ${name})
    set_tests_properties(clients.${name} PROPERTIES TIMEOUT 900)
  endforeach()
endfunction()

# packaging/container/Containerfile, built and run: minutes. One build of the command is enough to look at it from outside.
function(corm_container_test)
  if(CORM_SANITIZE OR CORM_COVERAGE)
    return()
  endif()
  corm_add_test(container.image container ${CMAKE_SOURCE_DIR}/tests/container/run)
  set_tests_properties(container.image PROPERTIES TIMEOUT 1800)
endfunction()

# Random statements, always the same, on a real Cassandra and on `corm serve`: a minute each on a machine that has nothing else to do.
function(corm_differential_test kind count)
  if(CORM_SANITIZE OR CORM_COVERAGE)
    return()
  endif()
  corm_add_test(differential.${kind} cassandra
    ${CMAKE_SOURCE_DIR}/tests/with-cassandra ${CMAKE_SOURCE_DIR}/tests/differential/run ${kind} ${count})
  set_tests_properties(differential.${kind} PROPERTIES
    RESOURCE_LOCK cassandra TIMEOUT 600 FIXTURES_REQUIRED cassandra)
endfunction()

# tests/cli/NAME.sh against NAME.stdout, NAME.stderr and NAME.exit; an import of many records;
# a project of `corm init`.
function(corm_command_tests)
  if(NOT TARGET corm)
    return()
  endif()
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/cli/*.sh)
  foreach(script ${scripts})
    get_filename_component(name ${script} NAME_WE)
    corm_add_test(cli.golden.${name} cli ${CMAKE_SOURCE_DIR}/tests/cli/run ${name})
    file(STRINGS ${script} uses REGEX "\\$STORE")
    if(uses)
      corm_add_cassandra_test(cli.golden.${name} ${CMAKE_SOURCE_DIR}/tests/cli/run ${name})
      corm_add_serve_test(cli.golden.${name} ${CMAKE_SOURCE_DIR}/tests/cli/run ${name})
    endif()
  endforeach()
  corm_generate_tests()
  corm_add_test(cli.systemd cli ${CMAKE_SOURCE_DIR}/tests/systemd/run)
  corm_client_tests()
  corm_container_test()
  corm_differential_test(scripts 60)
  corm_differential_test(invalid 40)
  # Fewer records where every instruction is watched.
  set(records "")
  if(CORM_SANITIZE OR CORM_COVERAGE)
    set(records 4000)
  else()
    corm_add_test(cli.init cli ${CMAKE_SOURCE_DIR}/tests/init/init.sh)
  endif()
  corm_add_test(import.apt_index import ${CMAKE_SOURCE_DIR}/tests/import/apt_index.sh ${records})
endfunction()

# What `corm generate` makes, built by the compiler of this build and run; what is checked in of it is fresh.
function(corm_generate_tests)
  set(flags "")
  if(CORM_SANITIZE)
    set(flags "-g -fsanitize=${CORM_SANITIZE} -fno-sanitize-recover=all")
  endif()
  set(run ${CMAKE_COMMAND} -E env "CORM_CC=${CMAKE_C_COMPILER}" "CORM_CFLAGS=${flags}"
    ${CMAKE_SOURCE_DIR}/tests/generate/run)
  corm_add_test(cli.generate cli ${run})
  corm_add_cassandra_test(cli.generate ${run})
  corm_add_serve_test(cli.generate ${run})
  set(example ${CMAKE_SOURCE_DIR}/examples/generate)
  corm_add_test(cli.generate.example cli $<TARGET_FILE:corm> generate --schema ${example}/schema.cql
    ${example}/queries.cql --name blog --output ${example} --check)
endfunction()

# fuzz/x_fuzz.c is a libFuzzer program with CORM_FUZZ; otherwise it replays fuzz/corpus/x.
function(corm_fuzzers)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/fuzz/*_fuzz.c)
  if(NOT CORM_FUZZ AND NOT BUILD_TESTING)
    return()
  endif()
  foreach(source ${sources})
    get_filename_component(target ${source} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" name ${target})
    if(CORM_FUZZ)
      add_executable(${target} ${source})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
      add_executable(${target} ${source} ${CMAKE_SOURCE_DIR}/fuzz/replay.c)
      corm_add_test(fuzz.${name} fuzz
        $<TARGET_FILE:${target}> ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
    endif()
    target_include_directories(${target} PRIVATE
      ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/fuzz)
    target_link_libraries(${target} PRIVATE corm_cli ${CORM_OBJECT_TARGETS})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  endforeach()
endfunction()

function(corm_tests)
  corm_stop_cassandra()
  corm_integration_tests()
  corm_header_tests()
  corm_command_tests()
  if(NOT CORM_SANITIZE AND NOT CORM_COVERAGE)
    corm_add_test(library.exports library
      ${CMAKE_SOURCE_DIR}/tests/exports
      $<TARGET_FILE:corm_shared> $<TARGET_FILE:corm_fake>)
  endif()
endfunction()
