# SPDX-License-Identifier: Apache-2.0
"""Java programs that are brought by Maven, as a pom pins them."""
import os
import subprocess

import network
from bench import TOP


def classpath(pom):
    """Resolved once for one content of `pom`."""
    folder = os.path.join(TOP, "build", "bench", os.path.relpath(pom, TOP).replace("/", "-"))
    path, seen = os.path.join(folder, "classpath"), os.path.join(folder, "pom.xml")
    os.makedirs(folder, exist_ok=True)
    with open(pom) as text:
        wanted = text.read()
    if not os.path.exists(path) or open(seen).read() != wanted:
        with network.outside():
            subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:build-classpath", "-Dmdep.outputFile=" + path],
                           check=True)
        with open(seen, "w") as out:
            out.write(wanted)
    with open(path) as text:
        return text.read().strip()


class Jvm:
    """A program that runs until it is ended."""

    def __init__(self, pom, log, *command):
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                ["java", "-Xmx512m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classpath(pom),
                 *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def check(self):
        """Raises when it has ended by itself."""
        if self.process.poll() is not None:
            with open(self.log, errors="replace") as text:
                raise RuntimeError("a Java program ended: " + text.read()[-3000:])

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
