# Compiler and linker settings shared by every target.

option(CORM_BENCH "Build the benchmarks" OFF)
option(CORM_FUZZ "Build libFuzzer targets (clang)" OFF)
option(CORM_COVERAGE "Count executed lines" OFF)
option(CORM_WERROR "Make a warning an error" ON)
set(CORM_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()
# NDEBUG is never set: checks stay on in release.
set(CMAKE_C_FLAGS_DEBUG "-g")
# Without unwind tables, a seventh of the library: C has no exceptions to unwind, and a debugger takes .debug_frame.
set(CMAKE_C_FLAGS_RELEASE "-O2 -ffunction-sections -fdata-sections -fstack-protector-strong \
-D_FORTIFY_SOURCE=2 -fno-asynchronous-unwind-tables -fno-unwind-tables")
set(CMAKE_SHARED_LINKER_FLAGS_RELEASE "-Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro,-z,now")
set(CMAKE_EXE_LINKER_FLAGS_RELEASE "-Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro,-z,now")

# Relative relocations in their packed form, where the linker has it (glibc 2.36 and later read it).
include(CheckLinkerFlag)
check_linker_flag(C "-Wl,-z,pack-relative-relocs" CORM_HAS_PACKED_RELOCATIONS)
if(CORM_HAS_PACKED_RELOCATIONS)
  string(APPEND CMAKE_SHARED_LINKER_FLAGS_RELEASE " -Wl,-z,pack-relative-relocs")
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

set(CORM_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
set(CORM_C_WARNINGS ${CORM_WARNINGS} -Wstrict-prototypes)
if(CORM_WERROR)
  list(APPEND CORM_WARNINGS -Werror)
  list(APPEND CORM_C_WARNINGS -Werror)
endif()
add_compile_options(${CORM_C_WARNINGS})
add_compile_definitions(_POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)

if(CORM_SANITIZE)
  add_compile_options(-fsanitize=${CORM_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${CORM_SANITIZE})
endif()
if(CORM_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
if(CORM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# Finds Debian's libraries by the names of their pkg-config files, as targets PkgConfig::<name>.
function(corm_find_libraries)
  cmake_parse_arguments(ARG "OPTIONAL" "" "" ${ARGN})
  foreach(name ${ARG_UNPARSED_ARGUMENTS})
    if(ARG_OPTIONAL)
      pkg_check_modules(${name} QUIET IMPORTED_TARGET GLOBAL ${name})
    else()
      pkg_check_modules(${name} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${name})
    endif()
  endforeach()
endfunction()

# Sets `out` to the targets of those libraries that were found.
function(corm_library_targets out)
  set(targets "")
  foreach(name ${ARGN})
    if(TARGET PkgConfig::${name})
      list(APPEND targets PkgConfig::${name})
    endif()
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()
