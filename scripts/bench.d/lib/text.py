# SPDX-License-Identifier: Apache-2.0
"""Real text in lines: Debian's package index as this machine has it, and the licences; over and over until it is long enough
(what repeats is 50 MB apart, further than any codec looks back)."""
import glob
import os
import subprocess

import network

LEAST_INDEX_BYTES = 10000000


def lines():
    """All lines, none empty, in bytes that are ASCII."""
    index = subprocess.run(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, check=True).stdout
    if len(index) < LEAST_INDEX_BYTES:  # a new machine has not fetched it yet
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        with network.outside():
            subprocess.run([*root, "apt-get", "-qq", "update"], check=True)
        index = subprocess.run(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, check=True).stdout
    for path in sorted(glob.glob("/usr/share/common-licenses/*")):
        if not os.path.islink(path):
            with open(path, "rb") as text:
                index += text.read()
    return [line for line in index.split(b"\n") if line.strip() and line.isascii()]


def write(path, megabytes):
    """A file of so many; how many lines it has."""
    all_lines, size, count = lines(), 0, 0
    with open(path, "wb") as out:
        while size < megabytes * 1000000:
            for line in all_lines:
                out.write(line + b"\n")
                size += len(line) + 1
                count += 1
                if size >= megabytes * 1000000:
                    break
    return count
