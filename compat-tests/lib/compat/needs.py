# SPDX-License-Identifier: Apache-2.0
"""What a suite needs of the machine, and how Debian brings it.

A `needs` file names one need a line, with the least version where it matters: `go 1.24`."""

import os
import re
import shutil
import subprocess
import threading

# name: (how its version is asked, Debian's packages). Where the question fails, it is lacking.
KNOWN = {
    "apt": ("apt-get --version", []),
    "cargo": ("cargo --version", ["cargo"]),
    "cc": ("cc --version", ["gcc", "libc6-dev"]),
    "cunit": ("pkg-config --modversion cunit", ["libcunit1-dev", "pkg-config"]),
    "go": ("go version", ["golang-go"]),
    "javac": ("javac -version", ["openjdk-17-jdk-headless"]),
    "kcat": ("kcat -V", ["kcat"]),
    "librdkafka": ("pkg-config --modversion rdkafka", ["librdkafka-dev", "pkg-config"]),
    "make": ("make --version", ["make"]),
    "mvn": ("mvn --version", ["maven", "openjdk-17-jdk-headless"]),
    "node": ("node --version", ["nodejs"]),
    "npm": ("npm --version", ["npm"]),
    "python": ("python3 -c 'import ensurepip, venv, sys; print(sys.version)'",
               ["python3", "python3-venv"]),
}

_lock = threading.Lock()
_answers = {}
_apt = {"updated": False}


def lacking(needs, install):
    """Why these needs cannot be met, in words, or None when all are there (now)."""
    with _lock:
        for need in needs:
            name, _, least = need.partition(" ")
            reason = _lacks(name, least)
            if reason and install:
                failure = _install(KNOWN[name][1])
                _answers.pop(name, None)
                reason = _lacks(name, least)
                if reason and failure:
                    reason += " (" + failure + ")"
            if reason:
                return reason
    return None


def versions(needs):
    """One text that changes when a version of what is needed changes."""
    with _lock:
        return "\n".join(_ask(need.partition(" ")[0]) or "" for need in needs)


def _lacks(name, least):
    answer = _ask(name)
    if answer is None:
        return "no %s on this machine" % name
    if not least:
        return None
    found = re.search(r"\d+(\.\d+)+", answer)
    if found and _number(found.group()) >= _number(least):
        return None
    return "%s is %s here, %s is needed" % (name, found.group() if found else "unknown", least)


def _number(version):
    return [int(part) for part in version.split(".")]


def _ask(name):
    if name not in _answers:
        done = subprocess.run(["sh", "-c", KNOWN[name][0]], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        _answers[name] = done.stdout.strip() if done.returncode == 0 else None
    return _answers[name]


def _install(packages):
    """Asks apt-get, as root or by sudo, for packages. Returns None, or why it did not work."""
    if not packages or shutil.which("apt-get") is None:
        return "Debian has no package for it" if not packages else "no apt-get"
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y",
               "--no-install-recommends"]
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            return "neither root nor sudo"
        command = ["sudo", "-n"] + command
    if not _apt["updated"]:
        _apt["updated"] = True
        subprocess.run(command + ["update"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    done = subprocess.run(command + ["install"] + packages, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        return None
    return "apt-get: " + (done.stdout.strip().split("\n") or [""])[-1][:200]
