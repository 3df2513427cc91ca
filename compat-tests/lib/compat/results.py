# SPDX-License-Identifier: Apache-2.0
"""What became of each test: printed as it happens, counted, and kept as a summary and a matrix."""

import os
import threading

PASSED, FAILED, SKIPPED = "ok", "not ok", "skip"


class Results:
    """One run's outcomes. Safe to use from several threads; a line is printed whole."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._lines = []
        self._lock = threading.Lock()

    def add(self, outcome, name, reason=""):
        reason = " ".join(reason.split())[:500]
        with self._lock:
            self._lines.append((outcome, name, reason))
            print(" ".join(part for part in (outcome, name, reason) if part), flush=True)

    def fail(self, name, reason):
        self.add(FAILED, name, reason)

    def finish(self):
        """Writes summary.txt and matrix.txt, prints the last line, returns the exit status."""
        count = {o: sum(1 for line in self._lines if line[0] == o)
                 for o in (PASSED, FAILED, SKIPPED)}
        last = "%d passed, %d failed, %d skipped" % (count[PASSED], count[FAILED], count[SKIPPED])
        with open(os.path.join(self.folder, "summary.txt"), "w") as out:
            for line in self._lines:
                print(*[part for part in line if part], file=out)
            print(last, file=out)
        with open(os.path.join(self.folder, "matrix.txt"), "w") as out:
            out.write(self._matrix())
        print(last, flush=True)
        return 1 if count[FAILED] or not self._lines else 0

    def _matrix(self):
        """A row a test name, a column a suite: + passed, X failed, s skipped, . has no such."""
        cells = {}
        for outcome, name, _ in self._lines:
            suite, _, test = name.partition("/")
            cells[(suite, test)] = {PASSED: "+", FAILED: "X", SKIPPED: "s"}[outcome]
        columns = sorted({suite for suite, _ in cells})
        rows = sorted({test for _, test in cells})
        width = max([len(row) for row in rows] + [4])
        text = "%-*s  %s\n" % (width, "test", "  ".join(columns))
        for row in rows:
            marks = [cells.get((column, row), ".").center(len(column)) for column in columns]
            text += "%-*s  %s\n" % (width, row, "  ".join(marks))
        return text
