#ifndef DAVIT_BASE_NOTIFY_H_
#define DAVIT_BASE_NOTIFY_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace davit {

// Notifies systemd (sd_notify(3)). Does nothing if systemd did not start this process. Thread-safe.
void NotifyReady(absl::string_view status);
void NotifyStatus(absl::string_view status);
void NotifyStopping();
void NotifyWatchdog();
// How often to call NotifyWatchdog(): half of WatchdogSec. InfiniteDuration: no watchdog.
absl::Duration WatchdogPeriod();

}  // namespace davit

#endif  // DAVIT_BASE_NOTIFY_H_
