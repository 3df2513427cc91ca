# SPDX-License-Identifier: Apache-2.0
"""What a streams group leaves in __consumer_offsets, to the byte: each record's type, its member, its value. Hashes and times
are left out, which begin with the id of a topic or the hour; names have a length of their own, so that lengths stay."""
import re

import datakit
import records
from member import coordinator_is_there, wait_for
from streams_member import Member, info, statuses, subtopology

WANTED = [
    ("Member", "a", "000000026b057477696e0b2f3132372e302e302e31000075300000000002700102689c40000302620232"
                    "00027a02310000"),
    ("Topology", "", "00000000000003023002195401021953000000000000020f636c65616e75702e706f6c69637908636f6d"
                     "7061637400000219520101000231010101010219520000000200000100020101020000000000"),
    ("Epoch", "", "00000000000201011902156e756d2e7374616e6462792e7265706c69636173023000"),
    ("Target", "a", "000001010100"),
    ("TargetEpoch", "", "000000000002010008"),
    ("Current", "a", "000000000002000000000101010101010100"),
    ("Epoch", "", "00000000000302000400000000011902156e756d2e7374616e6462792e7265706c69636173023000"),
    ("Target", "a", "000003023003000000000000000100023103000000000000000100010100"),
    ("TargetEpoch", "", "000000000003010008"),
    ("Current", "a", "000000000003000000020103023003000000000000000101000903000000030000000302310300000000"
                     "00000001010009030000000300000003010101010100"),
    ("Member", "b", "00000000057477696e0b2f3132372e302e302e3100007530000000000271ff0100"),
    ("Epoch", "", "00000000000402000400000000011902156e756d2e7374616e6462792e7265706c69636173023000"),
    ("Target", "a", "00000302300200000000000231020000000000010100"),
    ("Target", "b", "00000302300200000001000231020000000100010100"),
    ("TargetEpoch", "", "000000000004010008"),
    ("Current", "b", "000000000004000000000301010101010100"),
    ("Current", "a", "000000000003000000030203023002000000000100050200000003023102000000000100050200000003"
                     "010103023002000000010100050200000003023102000000010100050200000003010100"),
    ("Current", "b", "000000000004000000040301010101010100"),
    ("Current", "a", "000000000004000000030103023002000000000100050200000003023102000000000100050200000003"
                     "010101010100"),
    ("Current", "b", "000000000004000000040103023002000000010100050200000004023102000000010100050200000004"
                     "010101010100"),
    ("Current", "b", None),
    ("Target", "b", None),
    ("Member", "b", None),
    ("Epoch", "", "00000000000502000400000000011902156e756d2e7374616e6462792e7265706c69636173023000"),
    ("Target", "a", "000003023003000000000000000100023103000000000000000100010100"),
    ("TargetEpoch", "", "000000000005010008"),
    ("Current", "a", "000000000005000000040103023003000000000000000101000903000000030000000502310300000000"
                     "00000001010009030000000300000005010101010100"),
    ("Current", "a", None),
    ("Target", "a", None),
    ("Member", "a", None),
    ("Epoch", "", "00000000000602000400000000011902156e756d2e7374616e6462792e7265706c69636173023000"),
    ("TargetEpoch", "", None),
    ("Epoch", "", None),
    ("Topology", "", None),
]
KINDS = {17: "Epoch", 19: "Member", 20: "TargetEpoch", 21: "Target", 22: "Current", 23: "Topology"}


def name_of(t, letter):
    return (letter + re.sub("[^0-9]", "", t.name())).ljust(24, letter)


def partition_of(c, group):
    value = 0
    for byte in group.encode():
        value = (value * 31 + byte) & 0xffffffff
    count = len(c.call("Metadata", 12, Topics=[{"Name": "__consumer_offsets"}])["Topics"][0]["Partitions"])
    return (value if value < 1 << 31 else (1 << 32) - value) % count


def written(c, group):
    """[(kind, member, value)]"""
    found = []
    answer = datakit.fetch(c, 12, ("__consumer_offsets", [datakit.at(partition_of(c, group))]))
    for batch in records.batches(datakit.only(answer)["Records"]):
        for _, _, key, value in batch.records:
            kind = int.from_bytes(key[:2], "big")
            if kind in KINDS and group.encode() in key:
                found.append((KINDS[kind], key[len(group) + 6:].decode(), value))
    return found


def shown(kind, value, names):
    if value is None:
        return None
    for name, letter in names.items():
        value = value.replace(name.encode(), letter.encode())
    if kind == "Epoch":
        value = value[:6] + value[14:]  # without the hash
    if kind == "TargetEpoch":
        value = value[:9]               # without the time
    return value.hex()


def case_records_are_kafkas(t):
    c = datakit.begin(t)
    group, topic, store, r = (name_of(t, x) for x in "GTSR")
    c.call("CreateTopics", 7, timeoutMs=30000, Topics=[{"Name": topic, "NumPartitions": 2, "ReplicationFactor": 1}])
    coordinator_is_there(t, group)
    names = {group: "G", topic: "T", store: "S", r: "R"}
    sub = [subtopology("0", [topic], changelogs=[info(store, cleanup_policy="compact")], sinks=[r]),
           subtopology("1", repartitions=[info(r, partitions=2)], together=[([], [0])])]
    a = Member(t, group, sub, name="a", process="p", UserEndpoint={"Host": "h", "Port": 40000}, RackId="k",
               ClientTags=[{"Key": "z", "Value": "1"}, {"Key": "b", "Value": "2"}])
    b = Member(t, group, sub, name="b", process="q")
    a.join()
    wait_for(lambda: not statuses(a.beat()), "the topics")
    b.join()
    a.beat()
    b.beat()
    a.beat()
    b.beat()
    b.leave()
    a.beat()
    a.leave()
    c.call("DeleteGroups", 2, GroupsNames=[group])
    got = [(kind, member, shown(kind, value, names)) for kind, member, value in written(c, group)]
    for n, (want, line) in enumerate(zip(WANTED, got)):
        datakit.same(want, line, "record %d" % n)
    datakit.same(len(WANTED), len(got))
