// For the tsan preset only, found before protobuf's header of this name: under __SANITIZE_THREAD__
// that gives MapFieldBase two more members, which Debian's libprotobuf does not have, and every
// message with a map is read at wrong offsets.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#pragma push_macro("__SANITIZE_THREAD__")
#undef __SANITIZE_THREAD__
#include_next <google/protobuf/map_field.h>
#pragma pop_macro("__SANITIZE_THREAD__")
