# SPDX-License-Identifier: Apache-2.0
"""Members of streams groups (KIP-1071), one connection each, and topologies.

    sub = subtopology("0", [topic], changelogs=["store"])
    a = Member(t, group, [sub]); a.join()          # the answer; .epoch, .tasks follow
    a.beat(); a.settle()
"""
import time

import datakit


def info(name, partitions=0, replication=0, **configs):
    return dict(Name=name, Partitions=partitions, ReplicationFactor=replication,
                TopicConfigs=[dict(Key=k.replace("_", "."), Value=v) for k, v in sorted(configs.items())])


def subtopology(id, sources=(), changelogs=(), sinks=(), repartitions=(), together=()):
    """`together`: pairs of lists, places of sources and of repartition topics that are copartitioned."""
    def infos(topics):
        return [x if isinstance(x, dict) else info(x) for x in topics]
    return dict(SubtopologyId=id, SourceTopics=list(sources), SourceTopicRegex=[], StateChangelogTopics=infos(changelogs),
                RepartitionSinkTopics=list(sinks), RepartitionSourceTopics=infos(repartitions),
                CopartitionGroups=[dict(SourceTopics=a, SourceTopicRegex=[], RepartitionSourceTopics=b)
                                   for a, b in together])


def tasks(of):
    return [dict(SubtopologyId=s, Partitions=sorted(p)) for s, p in sorted(of.items())]


class Member:
    def __init__(self, t, group, subtopologies, name=None, process=None, topology_epoch=0, **more):
        self.group, self.subtopologies, self.name, self.epoch = group, subtopologies, name or t.name("member"), 0
        self.process, self.topology_epoch, self.more = process or t.name("process"), topology_epoch, more
        self.link = t.connect(client_id="twin")
        self.tasks = {"Active": {}, "Standby": {}, "Warmup": {}}
        self.last = None

    def send(self, **other):
        body = dict(GroupId=self.group, MemberId=self.name, MemberEpoch=self.epoch, EndpointInformationEpoch=0,
                    ShutdownApplication=False)
        body.update(other)
        self.last = self.link.call("StreamsGroupHeartbeat", 0, **body)
        return self.last

    def first(self, **other):
        body = dict(MemberEpoch=0, ProcessId=self.process, RebalanceTimeoutMs=30000, ActiveTasks=[], StandbyTasks=[],
                    WarmupTasks=[], Topology=dict(Epoch=self.topology_epoch, Subtopologies=self.subtopologies))
        body.update(self.more)
        body.update(other)
        return self.send(**body)

    def note(self):
        answer = self.last
        assert answer["ErrorCode"] == 0, answer
        self.epoch = answer["MemberEpoch"]
        for kind in self.tasks:
            if answer[kind + "Tasks"] is not None:
                self.tasks[kind] = {x["SubtopologyId"]: x["Partitions"] for x in answer[kind + "Tasks"]}
        return answer

    def join(self, **other):
        self.first(**other)
        return self.note()

    def say(self, **other):
        """Says what it holds, as a client that does at once what it is told."""
        body = dict(ActiveTasks=tasks(self.tasks["Active"]), StandbyTasks=tasks(self.tasks["Standby"]),
                    WarmupTasks=[])
        body.update(other)
        return self.send(**body)

    def beat(self, **other):
        self.say(**other)
        return self.note()

    def commit(self, topic, offset, partition=0, version=9):
        answer = self.link.call("OffsetCommit", version, GroupId=self.group, GenerationIdOrMemberEpoch=self.epoch,
                                MemberId=self.name, Topics=[{"Name": topic, "Partitions": [
                                    {"PartitionIndex": partition, "CommittedOffset": offset, "CommittedMetadata": ""}]}])
        return datakit.name_of(answer["Topics"][0]["Partitions"][0]["ErrorCode"])

    def leave(self, **other):
        return self.send(MemberEpoch=-1, **other)

    def beat_until(self, active, standby=None):
        deadline = time.monotonic() + 60
        while self.tasks["Active"] != active or (standby is not None and self.tasks["Standby"] != standby):
            assert time.monotonic() < deadline, self.tasks
            self.beat()
            time.sleep(0.05)


def statuses(answer):
    return [(s["StatusCode"], s["StatusDetail"]) for s in answer["Status"]]


def errors(answer):
    return datakit.name_of(answer["ErrorCode"]), answer["ErrorMessage"]


def describe(c, group):
    return c.call("StreamsGroupDescribe", 0, GroupIds=[group], IncludeAuthorizedOperations=False)["Groups"][0]
