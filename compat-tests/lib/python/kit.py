# SPDX-License-Identifier: Apache-2.0
"""What the Python suites share: names of this run, the data, assertions, and the lines."""

import os
import sys
import time
import traceback

BOOTSTRAP = os.environ["BOOTSTRAP"]
LIMIT_S = 30

# message.max.bytes 1048588, less a batch header of 61 and 11 of a lone record's own.
LARGEST_VALUE = 1048588 - 61 - 11

TIME_BASE_MS = 1700000000000
# (time asked for, offset wanted) where message i of a hundred has the time TIME_BASE_MS + 1000 i.
TIME_CASES = [(TIME_BASE_MS - 5, 0), (TIME_BASE_MS, 0), (TIME_BASE_MS + 44500, 45),
              (TIME_BASE_MS + 45000, 45), (TIME_BASE_MS + 99000, 99)]
TIME_AFTER_MS = TIME_BASE_MS + 99001

HEADERS = [("first", b"one"), ("binary", b"\0\1\xff"), ("empty", b""), ("null", None),
           ("first", b"again"), ("\u00fcnicode", b"x")]

# Nulls are not empty.
KEYS_VALUES = [(None, b"v"), (b"k", None), (None, None), (b"", b""), (b"k", b"v")]


def name(what):
    return "%s-%s" % (os.environ["RUN_ID"], what)


def value(i, pad):
    """Message i's value: compresses well, differs from its neighbours'."""
    return b"%d." % i + bytes(97 + (i + p // 8) % 26 for p in range(pad))


def large(size):
    return bytes((i * 31 + i // 251) & 255 for i in range(size))


def same(want, got, what):
    if want != got:
        raise AssertionError("%s: wanted %s, got %s" % (what, brief(want), brief(got)))


def brief(thing):
    text = repr(thing)
    return text if len(text) <= 200 else text[:200] + "..."


def becomes(want, ask, what):
    """Asks until the answer is the wanted one. A write is answered when the metadata log has it;
    a broker's reads show it once the broker has replayed that, a moment later."""
    end = time.monotonic() + LIMIT_S
    got = ask()
    while got != want and time.monotonic() < end:
        time.sleep(0.01)
        got = ask()
    same(want, got, what)


def run(tests):
    """Runs (name, function) pairs, or the one that an argument names; a line each."""
    for test, function in tests:
        if len(sys.argv) > 1 and sys.argv[1] != test:
            continue
        begin = time.monotonic()
        try:
            function()
            line = "ok " + test
        except Exception as error:  # noqa: BLE001 - whatever it was, the test has failed
            traceback.print_exc(file=sys.stdout)
            line = "not ok %s %s: %s" % (test, type(error).__name__,
                                         " ".join(str(error).split()))
        print("# %s: %.1f s\n%s" % (test, time.monotonic() - begin, line), flush=True)
