# SPDX-License-Identifier: Apache-2.0
"""What the kernel tells about a running broker."""
import os
import subprocess
import time


def pid_of(one):
    """The broker itself, not the shell or script that became its parent."""
    with open(os.path.join(one.folder, "pid")) as text:
        return int(text.read())


def cpu_seconds(pid):
    """Of all its threads, also those that have ended. /proc counts in hundredths; the clock of a process does not:
    clock_getcpuclockid(3)."""
    return time.clock_gettime(~pid << 3 | 2)


def _status_mb(pid, key):
    with open(f"/proc/{pid}/status") as text:
        return next(int(line.split()[1]) / 1024 for line in text if line.startswith(key + ":"))


def resident_mb(pid):
    return _status_mb(pid, "VmRSS")


def live_mb(pid):
    """What is in use of a JVM's heap after a full collection; of others what is resident. A heap that is taken at the start
    says nothing by its size."""
    if os.path.basename(os.readlink(f"/proc/{pid}/exe")) != "java":
        return resident_mb(pid)
    text = subprocess.run(["jcmd", str(pid), "GC.class_histogram"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(text.strip().splitlines()[-1].split()[2]) / 1048576


def peak_mb(pid):
    """The most that was resident since forget_peak(), or since the start."""
    return _status_mb(pid, "VmHWM")


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as out:
        out.write("5")


def written_mb(pid):
    """What it made dirty in the page cache, or wrote past it: bytes that go to the disk."""
    with open(f"/proc/{pid}/io") as text:
        return next(int(line.split()[1]) / 1e6 for line in text if line.startswith("write_bytes:"))


def switches(pid):
    """Context switches of all its threads."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/status") as text:
                total += sum(int(line.split()[1]) for line in text if "ctxt_switches" in line)
        except (FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            continue
    return total


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
