# SPDX-License-Identifier: Apache-2.0
"""share groups: records fetched and acknowledged a second by one member, 500 and 1 at a time"""
import frames
import wire
from bench import load
from figures import cost

GROUP = "groups"
QUICK = ("share-500",)

# name: records acquired at once, records, records in a batch of the log (1: what is acquired one at a time is one batch)
SHAPES = {"share-500": (500, 2000000, 16384), "share-1": (1, 20000, 1)}
RECORD_BYTES = 100


def run(bench):
    for name, (at_once, records, batch_bytes) in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            one = bench.warm(kind)
            topic, group = f"{name}-{i}", f"{name}-group-{i}"
            bench.topic(one, topic)
            frames.await_coordinators(one.bootstrap, [group])
            with wire.Connection(one.bootstrap) as link:
                answer = link.call("IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
                    {"ResourceType": 32, "ResourceName": group, "Configs": [
                        {"Name": "share.auto.offset.reset", "ConfigOperation": 0, "Value": "earliest"}]}])
                if answer["Responses"][0]["ErrorCode"] != 0:
                    raise RuntimeError(str(answer))
            load("produce", one.bootstrap, topic, 1, (records + 3000) * RECORD_BYTES // 1000000 + 1, RECORD_BYTES, batch_bytes, 1, 5)
            figures = bench.measured(one, "share", one.bootstrap, group, topic, records, at_once)
            bench.note(name, kind, records_per_second=figures["records_per_second"],
                       requests_per_second=figures["requests_per_second"], **cost(figures, "requests", "records"))
            bench.drop_topic(one, topic)
