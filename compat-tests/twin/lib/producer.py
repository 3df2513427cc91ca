# SPDX-License-Identifier: Apache-2.0
"""A transactional producer, request by request. Every answer is its error's name, or what stands beside NONE.

    p = Producer(t, "id")           # asks for its coordinator, once the topic of the transactions is there
    p.init()                        # InitProducerId; p.id and p.epoch are set
    p.add(topic); p.produce(topic, b"v"); p.end(True)
    v2 = Producer(t, "id", v2=True) # of transaction version 2: no add, end brings the next epoch

Where the real broker may say CONCURRENT_TRANSACTIONS for as long as markers are on their way, `settled` asks again."""
import time

import records

ABORT, COMMIT = False, True
TRANSACTIONAL = 1 << 4


def settled(call, *args, **options):
    """The first answer that is not CONCURRENT_TRANSACTIONS."""
    deadline = time.monotonic() + 30
    while True:
        answer = call(*args, **options)
        if answer != "CONCURRENT_TRANSACTIONS":
            return answer
        assert time.monotonic() < deadline, "it never ends"
        time.sleep(0.02)


class Producer:
    def __init__(self, t, transactional_id, v2=False):
        self.t, self.name, self.v2 = t, transactional_id, v2
        self.link = t.connect()
        self.id, self.epoch, self.sequences = -1, -1, {}
        self._find()

    def _find(self):
        deadline = time.monotonic() + 60
        while True:
            found = self.link.call("FindCoordinator", 4, KeyType=1, CoordinatorKeys=[self.name])["Coordinators"][0]
            if found["ErrorCode"] == 0:
                state = self.describe()
                if state["ErrorCode"] in (0, 105):
                    return
            assert time.monotonic() < deadline, found
            time.sleep(0.02)

    def error(self, code):
        return self.t.error(code)

    def _version(self, wanted, of_version_2, before):
        return wanted if wanted is not None else of_version_2 if self.v2 else before

    def init(self, version=5, timeout_ms=60000, producer_id=-1, epoch=-1, keep=True):
        while True: # the real broker's first block of producer ids may be on its way
            answer = self.link.call("InitProducerId", version, TransactionalId=self.name,
                                    TransactionTimeoutMs=timeout_ms, ProducerId=producer_id, ProducerEpoch=epoch)
            if self.error(answer["ErrorCode"]) != "COORDINATOR_LOAD_IN_PROGRESS":
                break
            time.sleep(0.02)
        if answer["ErrorCode"] == 0 and keep:
            self.id, self.epoch, self.sequences = answer["ProducerId"], answer["ProducerEpoch"], {}
        return self.error(answer["ErrorCode"])

    def add(self, *topics, version=3, producer_id=None, epoch=None, partitions=(0,)):
        """The error of every partition, one name when all have the same."""
        answer = self.link.call(
            "AddPartitionsToTxn", version, V3AndBelowTransactionalId=self.name,
            V3AndBelowProducerId=self.id if producer_id is None else producer_id,
            V3AndBelowProducerEpoch=self.epoch if epoch is None else epoch,
            V3AndBelowTopics=[{"Name": name, "Partitions": list(partitions)} for name in topics])
        return self._same({(r["Name"], p["PartitionIndex"]): self.error(p["PartitionErrorCode"])
                           for r in answer["ResultsByTopicV3AndBelow"] for p in r["ResultsByPartition"]})

    def ask(self, *topics, verify=True, version=5, producer_id=None, epoch=None, partitions=(0,), name=None):
        """As a broker does for a producer."""
        answer = self.link.call("AddPartitionsToTxn", version, Transactions=[{
            "TransactionalId": self.name if name is None else name,
            "ProducerId": self.id if producer_id is None else producer_id,
            "ProducerEpoch": self.epoch if epoch is None else epoch, "VerifyOnly": verify,
            "Topics": [{"Name": topic, "Partitions": list(partitions)} for topic in topics]}])
        assert answer["ErrorCode"] == 0, answer
        return self._same({(r["Name"], p["PartitionIndex"]): self.error(p["PartitionErrorCode"])
                           for r in answer["ResultsByTransaction"][0]["TopicResults"]
                           for p in r["ResultsByPartition"]})

    @staticmethod
    def _same(errors):
        return next(iter(errors.values())) if len(set(errors.values())) == 1 else errors

    def add_offsets(self, group, version=3, producer_id=None, epoch=None):
        answer = self.link.call("AddOffsetsToTxn", version, TransactionalId=self.name, GroupId=group,
                                ProducerId=self.id if producer_id is None else producer_id,
                                ProducerEpoch=self.epoch if epoch is None else epoch)
        return self.error(answer["ErrorCode"])

    def commit_offsets(self, group, offsets, version=None, member="", generation=-1, producer_id=None, epoch=None,
                       metadata="", instance=None):
        """offsets: {(topic, partition): offset}"""
        topics = {}
        for (topic, partition), offset in offsets.items():
            topics.setdefault(topic, []).append({"PartitionIndex": partition, "CommittedOffset": offset,
                                                 "CommittedLeaderEpoch": -1, "CommittedMetadata": metadata})
        answer = self.link.call("TxnOffsetCommit", self._version(version, 5, 3), TransactionalId=self.name,
                                GroupId=group, ProducerId=self.id if producer_id is None else producer_id,
                                ProducerEpoch=self.epoch if epoch is None else epoch, GenerationId=generation,
                                MemberId=member, GroupInstanceId=instance,
                                Topics=[{"Name": n, "Partitions": p} for n, p in topics.items()])
        return self._same({(r["Name"], p["PartitionIndex"]): self.error(p["ErrorCode"])
                           for r in answer["Topics"] for p in r["Partitions"]})

    def batch(self, topic, *values, partition=0, producer_id=None, epoch=None, sequence=None, attributes=TRANSACTIONAL):
        at = self.sequences.get((topic, partition), 0) if sequence is None else sequence
        return records.batch(values, producer_id=self.id if producer_id is None else producer_id,
                             producer_epoch=self.epoch if epoch is None else epoch, base_sequence=at,
                             attributes=attributes, base_timestamp=int(time.time() * 1000))

    def produce(self, topic, *values, partition=0, version=None, name=None, whole=False, **fields):
        version = self._version(version, 12, 10)
        data = self.batch(topic, *values, partition=partition, **fields)
        answer = self.link.call("Produce", version, Acks=-1, TimeoutMs=10000,
                                TransactionalId=self.name if name is None else name,
                                TopicData=[{"Name": topic, "PartitionData": [{"Index": partition, "Records": data}]}])
        part = answer["Responses"][0]["PartitionResponses"][0]
        if part["ErrorCode"] == 0 and "sequence" not in fields:
            key = (topic, partition)
            self.sequences[key] = self.sequences.get(key, 0) + len(values)
        return part if whole else self.error(part["ErrorCode"])

    def end(self, commit, version=None, producer_id=None, epoch=None, keep=True):
        version = self._version(version, 5, 4)
        answer = self.link.call("EndTxn", version, TransactionalId=self.name, Committed=commit,
                                ProducerId=self.id if producer_id is None else producer_id,
                                ProducerEpoch=self.epoch if epoch is None else epoch)
        if version >= 5 and answer["ErrorCode"] == 0 and keep:
            if (self.id, self.epoch) != (answer["ProducerId"], answer["ProducerEpoch"]):
                self.sequences = {}
            self.id, self.epoch = answer["ProducerId"], answer["ProducerEpoch"]
        elif version >= 5 and answer["ErrorCode"] != 0:
            assert (answer["ProducerId"], answer["ProducerEpoch"]) == (-1, -1), answer
        return self.error(answer["ErrorCode"])

    def describe(self):
        return self.link.call("DescribeTransactions", 0, TransactionalIds=[self.name])["TransactionStates"][0]

    def state(self):
        return self.describe()["TransactionState"]

    def reach(self, state):
        """Waits until the transaction is there."""
        deadline = time.monotonic() + 30
        while self.state() != state:
            assert time.monotonic() < deadline, self.describe()
            time.sleep(0.02)


def switch_verification(t, p, topic, is_on):
    """Whether the broker asks before it takes a batch of a transaction that it does not know; waits until it does so.
    Switched off, p has written b"a" to the topic when this returns."""
    answer = p.link.call("IncrementalAlterConfigs", 1, ValidateOnly=False, Resources=[
        {"ResourceType": 4, "ResourceName": "", "Configs": [
            {"Name": "transaction.partition.verification.enable", "ConfigOperation": 1 if is_on else 0,
             "Value": None if is_on else "false"}]}])["Responses"][0]
    assert answer["ErrorCode"] == 0, answer
    deadline = time.monotonic() + 30
    if is_on:
        q = Producer(t, t.name())
        assert q.init() == "NONE"
        while q.produce(topic, b"never", sequence=0) != "INVALID_TXN_STATE":
            assert time.monotonic() < deadline
            assert q.add(topic) == "NONE" and q.end(ABORT) == "NONE"
            q.reach("CompleteAbort")
            time.sleep(0.02)
        return
    while p.produce(topic, b"a") != "NONE":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def log(link, topic, partition=0, isolation=0):
    """The batches of a partition, and the whole answer."""
    answer = link.call("Fetch", 12, MaxWaitMs=0, MinBytes=0, IsolationLevel=isolation, Topics=[
        {"Topic": topic, "Partitions": [{"Partition": partition, "FetchOffset": 0, "PartitionMaxBytes": 1 << 20}]}])
    part = answer["Responses"][0]["Partitions"][0]
    assert part["ErrorCode"] == 0, part
    return records.batches(part["Records"] or b""), part


def story(link, topic, partition=0):
    """What the partition holds: values, and "commit" or "abort" for markers."""
    out = []
    for batch in log(link, topic, partition)[0]:
        for record in batch.records:
            out.append(("abort", "commit")[record[2][3]] if batch.attributes & 32 else record[3].decode())
    return out


def committed(link, topic, partition=0):
    """What a consumer of read_committed keeps."""
    batches, part = log(link, topic, partition, isolation=1)
    aborted = sorted(part["AbortedTransactions"] or [], key=lambda a: a["FirstOffset"])
    out, gone = [], set()
    for batch in batches:
        while aborted and aborted[0]["FirstOffset"] <= batch.last_offset:
            gone.add(aborted.pop(0)["ProducerId"])
        if batch.attributes & 32:
            if batch.records[0][2][3] == 0:
                gone.discard(batch.producer_id)
        elif not (batch.attributes & 16 and batch.producer_id in gone):
            out += [r[3].decode() for r in batch.records]
    return out
