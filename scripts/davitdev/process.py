"""Programs that outlive the shell that starts them, and are found again without ever hitting another's pid."""

import os
import signal

from davitdev.waiting import Timeout, wait_for


def _fields(pid):
    """Fields of /proc/PID/stat from the third (the state) on, or None when there is no process (or only a zombie is left)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The command's name may hold blanks and brackets; what follows the last bracket is regular (proc(5)).
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields


def start_time(pid):
    """Start of process `pid` in clock ticks since boot, or None when there is none (or only a zombie is left).

    The pair (pid, start time) names a process for ever: a recycled pid has a later start.
    """
    fields = _fields(pid)
    return fields and int(fields[19])


def oldest_first(pids):
    """Those of the processes that are there, parents before children. Pids say nothing about age: they wrap around."""
    ages = []
    for pid in pids:
        fields = _fields(pid)
        if fields:
            ages.append((int(fields[19]), int(fields[1]) in pids, pid))
    return [pid for _, _, pid in sorted(ages)]


def is_alive(process):
    """True while the process described by {"pid", "start"} is running."""
    return bool(process) and start_time(process["pid"]) == process["start"]


def start_detached(command, log_path):
    """Starts `command` in its own session, input from /dev/null, output appended to `log_path`.

    Returns {"pid", "start"}, which stop() and is_alive() take, and which may be kept in a file.
    """
    # Not subprocess.Popen: it expects to see the end of its children, and these shall outlive us.
    append = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    pid = os.posix_spawnp(command[0], command, os.environ, setsid=True, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log_path, append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2)])
    return {"pid": pid, "start": start_time(pid) or 0}


def _reap(pid):
    """Collects `pid` if it is a child of ours, so that it does not stay as a zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def kill(process, number):
    """Sends a signal. Nothing happens when the process is gone or its pid has another owner by now."""
    if not is_alive(process):
        return
    try:
        # A pidfd closes the gap between looking and shooting.
        descriptor = os.pidfd_open(process["pid"])
    except ProcessLookupError:
        return
    try:
        if is_alive(process):
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def is_gone(process):
    _reap(process["pid"])
    return not is_alive(process)


def stop(process, seconds=10):
    """SIGTERM, and SIGKILL after `seconds`. Returns when it is gone."""
    if not process:
        return
    kill(process, signal.SIGTERM)
    kill(process, signal.SIGCONT)  # a stopped process does not see SIGTERM
    try:
        wait_for(f"process {process['pid']} to end", lambda: is_gone(process), seconds, patience=1)
    except Timeout:
        kill(process, signal.SIGKILL)
        wait_for(f"process {process['pid']} to die", lambda: is_gone(process), 10)


def all_processes():
    """Yields {"pid", "start", "name", "arguments"} of every process, kernel threads excepted."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                arguments = [part.decode(errors="replace") for part in file.read().split(b"\0")[:-1]]
        except OSError:
            continue
        start = start_time(entry)
        if arguments and start is not None:
            yield {"pid": int(entry), "start": start, "name": os.path.basename(arguments[0]), "arguments": arguments}
