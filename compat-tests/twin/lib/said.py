# SPDX-License-Identifier: Apache-2.0
"""Answers in full, compared with those of the real broker, which are kept beside the script.

    s = Said(t, __file__, "case")       # said/SCRIPT-case.txt
    s.call_it(GROUP=group, A=member.id) # what is new in every run gets a name
    s("first heartbeat", answer)        # any value
    s.end()                             # compares line by line

The file is written anew when TWIN_RECORD is set, and only from what the real broker says."""
import os
import re

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Said:
    def __init__(self, t, script, case):
        folder, name = os.path.split(os.path.abspath(script))
        self.path = os.path.join(folder, "said", "%s-%s.txt" % (os.path.splitext(name)[0], case))
        self.t, self.names, self.lines = t, {}, []
        host, port = t.bootstrap.rsplit(":", 1)
        self.port = int(port)

    def call_it(self, **names):
        self.names.update((value, name) for name, value in names.items() if value)

    def _longest_first(self):
        return sorted(self.names.items(), key=lambda item: -len(item[0]))

    def plain(self, value, key=None):
        """With names in place of what is new in every run."""
        if isinstance(value, dict):
            return {k: self.plain(v, k) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            plain = [self.plain(v) for v in value]
            return sorted(plain, key=repr) if key in ("Members", "TopicPartitions") else plain
        if key == "Port" and value == self.port:
            return "PORT"
        if isinstance(value, bytes):
            for long, name in self._longest_first():
                value = value.replace(long if isinstance(long, bytes) else long.encode(), name.encode())
            return value
        if isinstance(value, str):
            for long, name in self._longest_first():
                if isinstance(long, str):
                    value = value.replace(long, name)
            return UUID.sub("UUID", value)
        return value

    def __call__(self, what, value):
        value = self.plain(value)
        if not isinstance(value, dict):
            self.lines.append("%s: %r" % (what, value))
            return
        self.lines.append("%s:" % what)
        self.lines += ["    %s: %r" % item for item in value.items()]

    def end(self):
        if os.environ.get("TWIN_RECORD") and self.t.kind == "kafka":
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with open(self.path, "w") as out:
                out.write("\n".join(self.lines) + "\n")
            return
        with open(self.path) as kept:
            wanted = kept.read().splitlines()
        place = ""
        for i in range(max(len(wanted), len(self.lines))):
            want, got = [lines[i] if i < len(lines) else None for lines in (wanted, self.lines)]
            if want is not None and not want.startswith(" "):
                place = want.rstrip(":")
            assert want == got, "%s, line %d: wanted %s, got %s" % (place, i + 1, want, got)
