# SPDX-License-Identifier: Apache-2.0
"""Clusters that began with older levels, by the flags of the format command, and are raised while they run."""
import os
import shutil
import tempfile
import types

import datakit
import records
import topics
import wire
from compat import broker as brokers
from features import SAFE_DOWNGRADE, UPGRADE, change, levels, update

FAILED = 95  # INVALID_UPDATE_VERSION
ALL = "The update failed for all features since the following feature had an error: "


class Formatted:
    """A broker of its own, of the kind under test."""

    def __init__(self, t, *arguments, settings=()):
        self.work = tempfile.mkdtemp(prefix="twin-formatted-")
        odradekd = os.path.join(t.broker.folder, "odradekd")
        with open(odradekd) as path:
            self.broker = brokers.Broker.create(os.path.join(self.work, "broker"), t.kind, path.read().strip(),
                                                settings, list(arguments))

    def __enter__(self):
        self.broker.start()
        return self

    def __exit__(self, *_):
        if self.broker.is_alive():
            self.broker.stop()
        shutil.rmtree(self.work)

    def connect(self):
        return wire.Connection(self.broker.bootstrap)


def write(c, name):
    topic = types.SimpleNamespace(name=name)
    datakit.same("NONE", datakit.produce_error(c, 12, topic, records.batch((b"a",))))


def case_an_old_release_is_raised(t):
    with Formatted(t, "--standalone", "--release-version", "3.7-IV0") as f:
        c = f.connect()
        datakit.same({"metadata.version": 15, "kraft.version": 1}, levels(c)[0])
        write(c, topics.create(c, "old", 2))
        answer = update(c, ("eligible.leader.replicas.version", 1))
        datakit.same((FAILED, ALL + "Invalid update version 1 for feature eligible.leader.replicas.version. "
                      "eligible.leader.replicas.version could not be set to 1 because it depends on metadata.version "
                      "level 23"), (answer["ErrorCode"], answer["ErrorMessage"]))
        answer = update(c, ("metadata.version", 14, SAFE_DOWNGRADE))
        datakit.same((FAILED, ALL + "Unsupported metadata.version downgrade from 15 to 14. Refusing to perform the "
                      "requested downgrade because it might delete metadata information."),
                     (answer["ErrorCode"], answer["ErrorMessage"]))
        change(c, "metadata.version", 21)
        change(c, "metadata.version", 18)
        change(c, "share.version", 1)
        assert update(c, ("eligible.leader.replicas.version", 1), ("metadata.version", 29))["ErrorCode"] == 0
        change(c, "eligible.leader.replicas.version", 1)
        change(c, "metadata.version", 30)
        change(c, "transaction.version", 2)
        wanted = {"metadata.version": 30, "kraft.version": 1, "eligible.leader.replicas.version": 1,
                  "share.version": 1, "transaction.version": 2}
        datakit.same(wanted, levels(c)[0])
        write(c, topics.create(c, "new", 2))
        for end in (f.broker.stop, f.broker.kill9):
            end()
            f.broker.start()
            c = f.connect()
            datakit.same(wanted, levels(c)[0])
            for name in ("old", "new"):
                write(c, topics.await_led(c, name, 2))


def case_features_of_the_format(t):
    with Formatted(t, "--standalone", "--feature", "group.version=0", "--feature", "transaction.version=1") as f:
        c = f.connect()
        datakit.same({"metadata.version": 30, "kraft.version": 1, "eligible.leader.replicas.version": 1,
                      "share.version": 1, "streams.version": 1, "transaction.version": 1}, levels(c)[0])
        change(c, "group.version", 1)
        f.broker.kill9()
        f.broker.start()
        datakit.same(1, levels(f.connect())[0]["group.version"])


def case_static_voters_are_recorded(t):
    f = Formatted(t, "--feature", "kraft.version=0", settings=["controller.quorum.voters=1@127.0.0.1:{controller}"])
    with f:
        c = f.connect()
        assert levels(c)[0].get("kraft.version", 0) == 0, levels(c)
        answer = update(c, ("kraft.version", 1), validate_only=True)
        assert answer["ErrorCode"] == 0, answer
        assert levels(c)[0].get("kraft.version", 0) == 0, levels(c)
        change(c, "kraft.version", 1)
        answer = update(c, ("kraft.version", 0, SAFE_DOWNGRADE))
        datakit.same((FAILED, ALL + "Invalid update version 0 for feature kraft.version. Can't downgrade the version of "
                      "this feature."), (answer["ErrorCode"], answer["ErrorMessage"]))
        assert update(c, ("kraft.version", 1, UPGRADE))["ErrorCode"] == 0
        for end in (f.broker.stop, f.broker.kill9):
            end()
            f.broker.start()
            c = f.connect()
            datakit.same(1, levels(c)[0].get("kraft.version"))
