# Debian 12 packages only (scripts/setup installs them); nothing is vendored or downloaded.
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(Catch2 2 REQUIRED)
find_package(benchmark REQUIRED)
find_package(Boost 1.74 REQUIRED)  # Asio and Beast: headers only
find_package(PkgConfig REQUIRED)
pkg_check_modules(libcgroup REQUIRED IMPORTED_TARGET libcgroup)
pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd)
if(DAVIT_WITH_GRPC)
  find_package(gRPC REQUIRED)
endif()

# ccache when present; its sloppiness is what precompiled headers need.
find_program(DAVIT_CCACHE ccache)
if(DAVIT_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${DAVIT_CCACHE})
endif()
