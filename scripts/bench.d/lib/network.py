# SPDX-License-Identifier: Apache-2.0
"""Brokers and clients have a network of their own: a namespace with loopback and the congestion control that Linux comes
with. One that paces what is sent (BBR) makes timers of the kernel cost a broker over loopback more than all that it does.
Without the right to make a namespace they use the machine's network; the table's head says which it was."""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
CONTROL = "/proc/sys/net/ipv4/tcp_congestion_control"
ALLOWED = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"
WANTED = "cubic"
_libc = ctypes.CDLL(None, use_errno=True)
_machines = None  # its namespace, once we have left it
_own = None


def enter():
    """For this process and those it starts."""
    global _machines, _own
    machines = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    if _libc.unshare(CLONE_NEWNET) != 0:
        os.close(machines)
        return
    _machines, _own = machines, os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    with socket.socket() as link:
        fcntl.ioctl(link, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    with contextlib.suppress(OSError), _allowed():
        _write(CONTROL, WANTED)


def _write(path, text):
    with open(path, "w") as out:
        out.write(text)


@contextlib.contextmanager
def _allowed():
    """A namespace may only choose what the machine allows to everybody: WANTED is among that for a moment."""
    with outside(), open(ALLOWED) as text:
        before = text.read().strip()
        if WANTED not in before.split():
            _write(ALLOWED, before + " " + WANTED)
    try:
        yield
    finally:
        with outside():
            _write(ALLOWED, before)


@contextlib.contextmanager
def outside():
    """In the machine's network, for what has to be brought from elsewhere."""
    if _machines is not None:
        _libc.setns(_machines, CLONE_NEWNET)
    try:
        yield
    finally:
        if _own is not None:
            _libc.setns(_own, CLONE_NEWNET)


def described():
    with open(CONTROL) as text:
        return ("its own" if _own is not None else "the machine's") + " network, " + text.read().strip()
