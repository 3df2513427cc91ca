# SPDX-License-Identifier: Apache-2.0
"""On a virtual machine a page of memory that was never used costs its first user a trip to the host, several times what
writing a page costs. A broker that writes into new page cache would pay that, and whoever runs later would not: so it is
paid for all before anything is measured. A guest with free page reporting hands back what is freed within seconds, and each
deleted topic would make the next one pay again: while brokers are measured it hands back nothing."""
import contextlib
import mmap
import subprocess
import sys

SHARE = 0.85  # of what is available
REPORTED_ORDER = "/sys/module/page_reporting/parameters/page_reporting_order"  # the smallest block that is handed back
NEVER_FREE = ("11", "10")  # no block is as large; the largest there is


def available_bytes():
    with open("/proc/meminfo") as text:
        return next(int(line.split()[1]) * 1024 for line in text if line.startswith("MemAvailable:"))


def touch():
    """In a process of its own, so that all is given back."""
    size = int(available_bytes() * SHARE) // mmap.PAGESIZE * mmap.PAGESIZE
    subprocess.run([sys.executable, __file__, str(size)], check=True)


@contextlib.contextmanager
def kept():
    """The host gets nothing back meanwhile, where this machine has such a thing and we may say so."""
    before = None
    with contextlib.suppress(OSError), open(REPORTED_ORDER) as text:
        before = text.read()
    try:
        if before is not None:
            any(_set_order(order) for order in NEVER_FREE)
        yield
    finally:
        if before is not None:
            _set_order(before)


def _set_order(order):
    with contextlib.suppress(OSError), open(REPORTED_ORDER, "w") as out:
        out.write(order)
        out.flush()
        return True
    return False


@contextlib.contextmanager
def dirty_limit(size):
    """The kernel makes writers wait for the disk once so many bytes are not written back; begins to write at half of them."""
    names = ("dirty_bytes", "dirty_background_bytes", "dirty_ratio", "dirty_background_ratio")
    before = {}
    for name in names:
        with open(f"/proc/sys/vm/{name}") as text:
            before[name] = int(text.read())

    def put(values):
        for name, value in values.items():
            if value != 0:  # a limit in bytes is lifted by one as a share, and the other way round
                with open(f"/proc/sys/vm/{name}", "w") as out:
                    out.write(str(value))

    try:
        put({"dirty_bytes": size, "dirty_background_bytes": size // 2})
        yield
    finally:
        put(before)


if __name__ == "__main__":
    with mmap.mmap(-1, int(sys.argv[1])) as block:
        zeros = bytes(1 << 20)
        while block.tell() + len(zeros) <= len(block):
            block.write(zeros)
