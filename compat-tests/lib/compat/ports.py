# SPDX-License-Identifier: Apache-2.0
"""Free loopback ports.

They are taken from below the kernel's range for outgoing connections (32768 on), so that no
client's socket can take one between its choice and the broker's bind. COMPAT_PORTS=LOW-HIGH
narrows the range."""

import os
import random
import socket
import threading

_given = set()
_lock = threading.Lock()


def pick(count):
    """Returns `count` ports which nothing listens on and which this process gave to nobody."""
    low, high = (int(n) for n in os.environ.get("COMPAT_PORTS", "20000-29999").split("-"))
    ports = list(range(low, high + 1))
    random.shuffle(ports)
    found = []
    with _lock:
        for port in ports:
            if len(found) == count:
                break
            if port not in _given and _is_free(port):
                found.append(port)
                _given.add(port)
    if len(found) < count:
        raise RuntimeError("no %d free ports in %d-%d" % (count, low, high))
    return found


def _is_free(port):
    with socket.socket() as probe:
        # As brokers do, so that a connection in TIME_WAIT does not make a port look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
