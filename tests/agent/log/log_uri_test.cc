#include "agent/log/log_uri.h"

#include <catch2/catch.hpp>

namespace davit::log {
namespace {

TEST_CASE("a log URI names the program and its arguments", "[log]") {
  CHECK(LogUri({"/usr/bin/davit-logger", "/var/lib/davit/logs/t1/web.log", 1000, 3}) ==
        "binary:///usr/bin/"
        "davit-logger?file=%2fvar%2flib%2fdavit%2flogs%2ft1%2fweb.log&max_files=3&max_size=1000");
}

TEST_CASE("special characters of a URI are escaped", "[log]") {
  CHECK(LogUri({"/opt/a b?/logger", "/x&y=z+%#/\xC3\xA9", 1, 1}) ==
        "binary:///opt/a%20b%3f/logger?file=%2fx%26y%3dz%2b%25%23%2f%c3%a9&max_files=1&max_size=1");
}

}  // namespace
}  // namespace davit::log
