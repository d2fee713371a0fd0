# How every target of ours is made. One davit_library() per module, one davit_test() per test program.

add_library(davit_options INTERFACE)
target_compile_options(davit_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # Part of clang's -Wconversion, and not of gcc's.
  target_compile_options(davit_options INTERFACE -Wno-sign-conversion)
endif()
target_include_directories(davit_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(davit_options INTERFACE DAVIT_VERSION="${PROJECT_VERSION}")
if(DAVIT_SANITIZE)
  target_compile_options(davit_options INTERFACE -fsanitize=${DAVIT_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(davit_options INTERFACE -fsanitize=${DAVIT_SANITIZE})
endif()
if(DAVIT_COVERAGE)
  target_compile_options(davit_options INTERFACE --coverage)
  target_link_options(davit_options INTERFACE --coverage)
endif()

# Two precompiled headers: one of std and Abseil, one that adds gRPC.
if(DAVIT_PCH)
  file(WRITE ${CMAKE_BINARY_DIR}/pch_anchor.cc "")
  add_library(davit_pch_core STATIC ${CMAKE_BINARY_DIR}/pch_anchor.cc)
  target_link_libraries(davit_pch_core PRIVATE davit_options absl::status absl::statusor absl::strings absl::time)
  target_precompile_headers(davit_pch_core PRIVATE
    <algorithm> <functional> <map> <memory> <optional> <string> <utility> <variant> <vector>
    <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/time/time.h>)
  target_compile_options(davit_pch_core PRIVATE -fpch-preprocess)
  if(DAVIT_WITH_GRPC)
    add_library(davit_pch_grpc STATIC ${CMAKE_BINARY_DIR}/pch_anchor.cc)
    target_link_libraries(davit_pch_grpc PRIVATE davit_options gRPC::grpc++ absl::status absl::statusor absl::strings absl::time)
    target_precompile_headers(davit_pch_grpc PRIVATE
      <algorithm> <functional> <map> <memory> <optional> <string> <utility> <variant> <vector>
      <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/time/time.h>
      <grpcpp/grpcpp.h>)
    target_compile_options(davit_pch_grpc PRIVATE -fpch-preprocess)
  endif()
endif()

function(davit_use_pch target grpc)
  if(NOT DAVIT_PCH)
    return()
  endif()
  target_compile_options(${target} PRIVATE -fpch-preprocess)
  if(grpc)
    target_precompile_headers(${target} REUSE_FROM davit_pch_grpc)
  else()
    target_precompile_headers(${target} REUSE_FROM davit_pch_core)
  endif()
endfunction()

# davit_library(agent_task SOURCES a.cc b.cc DEPS base davit_proto [GRPC] [PRIVATE_DEPS containerd_proto])
# One module of the layer table in docs/architecture.md. GRPC: the module's own sources include gRPC headers.
# PRIVATE_DEPS: needed by its sources only. With GRPC they say that the module's headers are free of gRPC, so that
# modules above are compiled without it.
function(davit_library name)
  cmake_parse_arguments(ARG "GRPC" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC davit_options absl::status absl::statusor absl::strings absl::time ${ARG_DEPS})
  target_link_libraries(${name} PRIVATE ${ARG_PRIVATE_DEPS})
  if(ARG_GRPC AND ARG_PRIVATE_DEPS)
    target_link_libraries(${name} PRIVATE gRPC::grpc++)
  elseif(ARG_GRPC)
    target_link_libraries(${name} PUBLIC gRPC::grpc++)
  endif()
  davit_use_pch(${name} ${ARG_GRPC})
endfunction()

# davit_program(davit-agent SOURCES main.cc DEPS ...)
function(davit_program name)
  cmake_parse_arguments(ARG "GRPC" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE davit_options ${ARG_DEPS})
endfunction()

add_library(davit_test_main STATIC ${CMAKE_SOURCE_DIR}/tests/support/main.cc)
target_link_libraries(davit_test_main PUBLIC davit_options Catch2::Catch2)

# davit_test(agent_task_test SOURCES x_test.cc DEPS agent_task [LABELS root] [TIMEOUT 60] [SERIAL] [GRPC])
# Every TEST_CASE becomes one ctest. A case that cannot run here calls Skip(reason) (tests/support/skip.h).
function(davit_test name)
  cmake_parse_arguments(ARG "GRPC;SERIAL" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE davit_test_main ${ARG_DEPS})
  davit_use_pch(${name} ${ARG_GRPC})
  set(properties TIMEOUT ${ARG_TIMEOUT} LABELS ${ARG_LABELS} SKIP_REGULAR_EXPRESSION "DAVIT-SKIPPED: ")
  if(ARG_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  catch_discover_tests(${name} TEST_PREFIX "${name}: " PROPERTIES ${properties} DISCOVERY_MODE PRE_TEST)
endfunction()
include(Catch)
