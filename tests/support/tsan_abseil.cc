// Tells ThreadSanitizer what absl::Notification orders. Debian's Abseil is not instrumented, so
// that tsan would report a race wherever a test waits for one. In the tsan preset only: there the
// linker sends calls of the two functions to these (--wrap). base/mutex.h needs nothing of the
// kind, as it stands on std::mutex.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/notification.h"

namespace davit::test {

using absl::Notification;

// The library's own functions, as the linker calls them.
void RealNotify(Notification*) __asm__("__real__ZN4absl7debian312Notification6NotifyEv");
void RealWait(const Notification*) __asm__(
    "__real__ZNK4absl7debian312Notification19WaitForNotificationEv");

// What is called instead.
void Notify(Notification*) __asm__("__wrap__ZN4absl7debian312Notification6NotifyEv");
void Wait(const Notification*) __asm__(
    "__wrap__ZNK4absl7debian312Notification19WaitForNotificationEv");

void Notify(Notification* notification) {
  __tsan_release(notification);
  RealNotify(notification);
}

void Wait(const Notification* notification) {
  RealWait(notification);
  __tsan_acquire(const_cast<Notification*>(notification));
}

}  // namespace davit::test
