# SPDX-License-Identifier: Apache-2.0
"""heartbeats a second of members that are stable: consumer, share and streams groups"""
import frames
import streams_member
import wire
from figures import cost
from streams_group import Names

GROUP = "groups"
CONNECTIONS, DEPTH, SECONDS, GROUPS = 20, 4, 4, 20
ERROR_AT = 4 + 1 + 4
SHAPES = {"heartbeats-consumer": "ConsumerGroupHeartbeat", "heartbeats-share": "ShareGroupHeartbeat",
          "heartbeats-streams": "StreamsGroupHeartbeat"}
FIRST = {"ConsumerGroupHeartbeat": {"RebalanceTimeoutMs": 60000, "TopicPartitions": []},
         "ShareGroupHeartbeat": {}}
VERSION = {"ConsumerGroupHeartbeat": 1, "ShareGroupHeartbeat": 1, "StreamsGroupHeartbeat": 0}


def streams_beats(bootstrap, topic, groups):
    """Members of streams groups that have their task; the heartbeats that they go on with."""
    members = [streams_member.Member(Names(bootstrap), group, [streams_member.subtopology("0", [topic])]) for group in groups]
    for member in members:  # all at once: a group's first assignment waits for a while
        member.join()
    for member in members:
        member.beat_until({"0": [0]})
        member.link.close()
    return [{"GroupId": m.group, "MemberId": m.name, "MemberEpoch": m.epoch, "EndpointInformationEpoch": 0,
             "ShutdownApplication": False} for m in members]


def settled(link, api, topic, group):
    """Joins a group of one, until its epoch and assignment change no more; the heartbeat that it goes on with."""
    body = {"GroupId": group, "MemberId": "AAAAAAAAAAAAAAAAAAAABA", "MemberEpoch": 0, "SubscribedTopicNames": [topic], **FIRST[api]}
    quiet = 0
    while quiet < 3:
        answer = link.call(api, VERSION[api], **body)
        if answer["ErrorCode"] != 0:
            raise RuntimeError(f"{api}: {answer}")
        quiet = quiet + 1 if answer["Assignment"] is None and answer["MemberEpoch"] == body["MemberEpoch"] else 0
        body = {"GroupId": group, "MemberId": body["MemberId"], "MemberEpoch": answer["MemberEpoch"]}
        if api == "ConsumerGroupHeartbeat" and answer["Assignment"] is not None:
            body["TopicPartitions"] = answer["Assignment"]["TopicPartitions"]
    return body


def make_beats(bootstrap, api, topic, groups):
    if api == "StreamsGroupHeartbeat":
        return streams_beats(bootstrap, topic, groups)
    with wire.Connection(bootstrap) as link:
        return [settled(link, api, topic, group) for group in groups]


def run(bench):
    for name, api in bench.shapes(SHAPES):
        for i, kind in bench.turns(count_calls=True):
            one = bench.warm(kind)
            topic, groups = f"{name}-{i}", [f"{name}-{i}-{g}" for g in range(GROUPS)]
            bench.topic(one, topic)
            frames.await_coordinators(one.bootstrap, groups)
            beats = [(ERROR_AT, api, VERSION[api], beat) for beat in make_beats(one.bootstrap, api, topic, groups)]
            figures = bench.measured(one, "raw", one.bootstrap, bench.requests(beats), CONNECTIONS, DEPTH, SECONDS)
            bench.note(name, kind, heartbeats_per_second=figures["requests_per_second"], p99_ms=figures["p99_ms"],
                       **cost(figures, "requests"))
            bench.drop_topic(one, topic)
