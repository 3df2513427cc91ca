# SPDX-License-Identifier: Apache-2.0
"""Transactions that hang: open in a partition, while no coordinator knows that they are. kafka-transactions finds and
aborts them."""
import os
import subprocess

import records
from producer import COMMIT, TRANSACTIONAL, Producer, committed, log, settled, story, switch_verification

KAFKA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib", "kafka")


def tool(t, *arguments):
    """The words of each line that the tool prints."""
    done = subprocess.run([KAFKA, "tool", "transactions", "--bootstrap-server", t.bootstrap, *arguments],
                          capture_output=True, text=True, timeout=120, check=False,
                          env=dict(os.environ, JAVA_TOOL_OPTIONS="-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"))
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split() for line in done.stdout.splitlines() if line.strip()]


def found(t, *where):
    """(topic, partition, producer id, epoch, coordinator epoch, start offset) of all that hang there."""
    lines = tool(t, "find-hanging", "--max-transaction-timeout", "0", *where)
    assert lines[0][:6] == ["Topic", "Partition", "ProducerId", "ProducerEpoch", "CoordinatorEpoch", "StartOffset"], lines
    return sorted(tuple(line[:1]) + tuple(int(word) for word in line[1:6]) for line in lines[1:])


def stable(link, topic, partition=0):
    return log(link, topic, partition, isolation=1)[1]["LastStableOffset"]


def case_they_are_found_and_aborted(t):
    topic, known = t.topic(3), t.topic()
    # One whose id began nothing; one whose last batch came late; one whose producer has no transactional id at all;
    # and one that its coordinator knows.
    idle, late, fine = (Producer(t, t.name()) for _ in range(3))
    for p in (idle, late, fine):
        assert p.init() == "NONE"
    assert late.add(topic, partitions=(1,)) == "NONE" and late.produce(topic, b"in time", partition=1) == "NONE"
    assert late.end(COMMIT) == "NONE"
    late.reach("CompleteCommit")
    assert fine.add(known) == "NONE" and fine.produce(known, b"a") == "NONE"
    nobody = idle.link.call("InitProducerId", 5, TransactionalId=None, TransactionTimeoutMs=0, ProducerId=-1,
                            ProducerEpoch=-1)
    switch_verification(t, idle, topic, False)
    try:
        assert late.produce(topic, b"late", partition=1) == "NONE"
        batch = records.batch([b"b"], producer_id=nobody["ProducerId"], producer_epoch=0, base_sequence=0,
                              attributes=TRANSACTIONAL, base_timestamp=1000)
        answer = idle.link.call("Produce", 10, Acks=-1, TimeoutMs=10000, TransactionalId="no-such-id", TopicData=[
            {"Name": topic, "PartitionData": [{"Index": 2, "Records": batch}]}])
        assert answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"] == 0, answer
    finally:
        switch_verification(t, idle, t.topic(), True)
    assert (idle.state(), late.state(), fine.state()) == ("Empty", "CompleteCommit", "Ongoing")
    assert [stable(idle.link, topic, i) for i in range(3)] == [0, 2, 0]
    hanging = [(topic, 0, idle.id, 0, -1, 0), (topic, 1, late.id, 0, 0, 2), (topic, 2, nobody["ProducerId"], 0, -1, 0)]
    assert found(t, "--topic", topic) == hanging, found(t, "--topic", topic)
    assert found(t, "--topic", topic, "--partition", "1") == hanging[1:2]
    everywhere = found(t, "--broker-id", "1")
    assert set(hanging) <= set(everywhere) and known not in {h[0] for h in everywhere}, everywhere
    # By where they begin, or by all that is known of them.
    tool(t, "abort", "--topic", topic, "--partition", "0", "--start-offset", "0")
    tool(t, "abort", "--topic", topic, "--partition", "1", "--start-offset", "2")
    tool(t, "abort", "--topic", topic, "--partition", "2", "--producer-id", str(nobody["ProducerId"]),
         "--producer-epoch", "0", "--coordinator-epoch", "0")
    assert [stable(idle.link, topic, i) for i in range(3)] == [2, 4, 2]
    assert found(t, "--topic", topic) == []
    assert [committed(idle.link, topic, i) for i in range(3)] == [[], ["in time"], []]
    assert story(idle.link, topic, 1) == ["in time", "commit", "late", "abort"]
    # Their producers go on.
    assert settled(late.add, topic, partitions=(1,)) == "NONE" and late.produce(topic, b"next", partition=1) == "NONE"
    assert late.end(COMMIT) == fine.end(COMMIT) == "NONE"
    late.reach("CompleteCommit")
    assert committed(late.link, topic, 1) == ["in time", "next"] and committed(fine.link, known) == ["a"]
