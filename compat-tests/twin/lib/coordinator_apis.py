# SPDX-License-Identifier: Apache-2.0
"""Every API of the coordinators, to be asked at every version."""
import producer
import topics
import wire
from said import Said

GROUP, TXN, TOPIC, MEMBER = "the-group", "the-transaction", "the-topic", "the-member"
MEMBERS = ("SyncGroup", "Heartbeat", "LeaveGroup", "OffsetCommit", "OffsetFetch", "OffsetDelete", "DeleteGroups",
           "ConsumerGroupHeartbeat", "ConsumerGroupDescribe", "ShareGroupHeartbeat", "ShareGroupDescribe",
           "DescribeShareGroupOffsets", "AlterShareGroupOffsets", "DeleteShareGroupOffsets", "StreamsGroupHeartbeat",
           "StreamsGroupDescribe", "JoinGroup", "TxnOffsetCommit")


def bodies(topic_id, group=GROUP, member=MEMBER, epoch=7, txn=TXN):
    """{API: the request}, with the fields of all versions."""
    who = dict(GroupId=group, MemberId=member)
    offset = dict(PartitionIndex=0, CommittedOffset=5, CommittedMetadata="")
    one = dict(Name=TOPIC, PartitionIndexes=[0])
    of_topic = dict(TopicName=TOPIC, Partitions=[0])
    pid = dict(ProducerId=4711, ProducerEpoch=3)
    tasks = [dict(SubtopologyId="0", Partitions=[0])]
    return {
        "JoinGroup": dict(who, SessionTimeoutMs=30000, RebalanceTimeoutMs=30000, ProtocolType="consumer",
                          Protocols=[dict(Name="range", Metadata=b"")]),
        "SyncGroup": dict(who, GenerationId=epoch, ProtocolType="consumer", ProtocolName="range"),
        "Heartbeat": dict(who, GenerationId=epoch),
        "LeaveGroup": dict(who, Members=[dict(MemberId=member), dict(MemberId="", GroupInstanceId="nobody")]),
        "OffsetCommit": dict(who, GenerationIdOrMemberEpoch=epoch,
                             Topics=[dict(Name=TOPIC, TopicId=topic_id, Partitions=[offset])]),
        "OffsetFetch": dict(GroupId=group, Topics=[one], Groups=[
            dict(GroupId=group, MemberId=member, MemberEpoch=epoch, Topics=[dict(one, TopicId=topic_id)])]),
        "OffsetDelete": dict(GroupId=group, Topics=[dict(Name=TOPIC, Partitions=[dict(PartitionIndex=0)])]),
        "DescribeGroups": dict(Groups=[group]),
        "DeleteGroups": dict(GroupsNames=[group]),
        "ConsumerGroupHeartbeat": dict(who, MemberEpoch=epoch),
        "ConsumerGroupDescribe": dict(GroupIds=[group]),
        "ShareGroupHeartbeat": dict(who, MemberEpoch=epoch),
        "ShareGroupDescribe": dict(GroupIds=[group]),
        "DescribeShareGroupOffsets": dict(Groups=[dict(GroupId=group, Topics=[of_topic])]),
        "AlterShareGroupOffsets": dict(GroupId=group, Topics=[dict(TopicName=TOPIC, Partitions=[
            dict(PartitionIndex=0, StartOffset=0)])]),
        "DeleteShareGroupOffsets": dict(GroupId=group, Topics=[dict(TopicName=TOPIC)]),
        "StreamsGroupHeartbeat": dict(who, MemberEpoch=epoch, EndpointInformationEpoch=0, ActiveTasks=tasks, StandbyTasks=[],
                                      WarmupTasks=[], ShutdownApplication=False),
        "StreamsGroupDescribe": dict(GroupIds=[group]),
        "TxnOffsetCommit": dict(who, **pid, TransactionalId=txn, GenerationId=epoch,
                                Topics=[dict(Name=TOPIC, Partitions=[offset])]),
        "AddPartitionsToTxn": dict(V3AndBelowTransactionalId=txn, V3AndBelowProducerId=4711, V3AndBelowProducerEpoch=3,
                                   V3AndBelowTopics=[dict(Name=TOPIC, Partitions=[0])], Transactions=[
                                       dict(pid, TransactionalId=txn, VerifyOnly=False,
                                            Topics=[dict(Name=TOPIC, Partitions=[0])])]),
        "AddOffsetsToTxn": dict(pid, TransactionalId=txn, GroupId=group),
        "EndTxn": dict(pid, TransactionalId=txn, Committed=True),
        "DescribeTransactions": dict(TransactionalIds=[txn]),
    }


class Table:
    """Answers to all of them, kept in said/ as a line for each API, with the versions that say so."""

    def __init__(self, t, script, case, topic_id):
        self.t, self.said, self.c, self.topic_id = t, Said(t, script, case), t.connect(), topic_id
        self.said.call_it(TOPICID=topic_id)
        versions = self.c.call("ApiVersions", 0)["ApiKeys"]
        self.versions = {v["ApiKey"]: range(v["MinVersion"], v["MaxVersion"] + 1) for v in versions}

    def ask(self, state, skip=(), only=None, **fields):
        for api, body in bodies(self.topic_id, **fields).items():
            if api in skip or (only is not None and api not in only):
                continue
            told = []  # (versions, answer)
            for version in self.versions[key_of(api)]:
                answer = self.said.plain(self.answer(api, version, body))
                if told and told[-1][1] == answer:
                    told[-1][0].append(version)
                else:
                    told.append(([version], answer))
            for which, answer in told:
                self.said("%s: %s %d-%d" % (state, api, which[0], which[-1]), [answer])

    def answer(self, api, version, body):
        return named(self.t, self.c.call(api, version, **body))

    def end(self):
        self.said.end()


def key_of(api):
    return wire.message(api + "Request").api


def named(t, value):
    """Codes by their names; what is as it always is in an error is left out."""
    if isinstance(value, dict):
        return {k: t.error(v) if k == "ErrorCode" else named(t, v) for k, v in value.items()
                if k != "ThrottleTimeMs" and v not in (None, "", b"", [], bytes(16))}
    return [named(t, v) for v in value] if isinstance(value, list) else value


def topic_of(t):
    """Made by the first case that asks."""
    c = t.connect()
    answer = c.call("Metadata", 12, Topics=[{"Name": TOPIC}], AllowAutoTopicCreation=False)["Topics"][0]
    if answer["ErrorCode"] == 0:
        return answer["TopicId"]
    topics.create(c, TOPIC, 1)
    return topics.topic_id(t, TOPIC)


def transactions_are_there(t):
    producer.Producer(t, "any").init()
