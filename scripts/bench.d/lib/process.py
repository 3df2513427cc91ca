# SPDX-License-Identifier: Apache-2.0
"""What /proc tells about a running broker."""
import os

TICKS = os.sysconf("SC_CLK_TCK")


def pid_of(one):
    """The broker itself, not the shell or script that became its parent."""
    with open(os.path.join(one.folder, "pid")) as text:
        return int(text.read())


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as text:
        fields = text.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as text:
        return next(int(line.split()[1]) / 1024 for line in text if line.startswith("VmRSS:"))


def switches(pid):
    """Context switches of all its threads."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as text:
            total += sum(int(line.split()[1]) for line in text if "ctxt_switches" in line)
    return total


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
