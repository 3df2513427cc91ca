# SPDX-License-Identifier: Apache-2.0
"""On a virtual machine a page of memory that was never used costs its first user a trip to the host, several times what
writing a page costs. A broker that writes into new page cache would pay that, and whoever runs later would not: so it is
paid for all before anything is measured."""
import mmap
import subprocess
import sys

SHARE = 0.7  # of what is available


def available_bytes():
    with open("/proc/meminfo") as text:
        return next(int(line.split()[1]) * 1024 for line in text if line.startswith("MemAvailable:"))


def touch():
    """In a process of its own, so that all is given back."""
    size = int(available_bytes() * SHARE) // mmap.PAGESIZE * mmap.PAGESIZE
    subprocess.run([sys.executable, __file__, str(size)], check=True)


if __name__ == "__main__":
    with mmap.mmap(-1, int(sys.argv[1])) as block:
        zeros = bytes(1 << 20)
        while block.tell() + len(zeros) <= len(block):
            block.write(zeros)
