# SPDX-License-Identifier: Apache-2.0
"""Share groups: their records, and those of the state of their share partitions."""
import datakit
import shares
from member import coordinator_is_there
from shares import ACCEPT, REJECT, RELEASE
from stored import Story


class Heart:
    """A member's heartbeats."""

    def __init__(self, t, group, topics, name):
        self.group, self.topics, self.name, self.epoch, self.link = group, topics, name, 0, t.connect()

    def beat(self, **other):
        body = dict(GroupId=self.group, MemberId=self.name, MemberEpoch=self.epoch, RackId=None,
                    SubscribedTopicNames=self.topics if self.epoch == 0 else None)
        answer = self.link.call("ShareGroupHeartbeat", 1, **dict(body, **other))
        datakit.same((0, None), (answer["ErrorCode"], answer["ErrorMessage"]))
        self.epoch = answer["MemberEpoch"]

    def beat_until(self, epoch):
        datakit.until("epoch %d" % epoch, lambda: self.beat() or self.epoch == epoch)


def begun(story, group, *topic_names):
    """The state of all partitions is begun, as the group knows."""
    count = lambda: sum(len(x["Partitions"]) for x in story.c.call("DescribeShareGroupOffsets", 1, Groups=[
        {"GroupId": group, "Topics": None}])["Groups"][0]["Topics"])
    datakit.until("the state of %s" % group, lambda: count() == len(topic_names))


def alter(c, group, topic, offset):
    answer = c.call("AlterShareGroupOffsets", 0, GroupId=group, Topics=[
        {"TopicName": topic, "Partitions": [{"PartitionIndex": 0, "StartOffset": offset}]}])
    datakit.same(0, answer["ErrorCode"])


def case_a_group_from_its_first_member_to_its_deletion(t):
    story = Story(t)
    group, (one, two) = story.named("G"), story.topics("T", "U")
    coordinator_is_there(t, group)
    shares.coordinator_is_there(story.c, group, story.id_of(one))
    a, b = Heart(t, group, [one], "a"), Heart(t, group, [one], "b")
    a.beat(RackId="r")
    begun(story, group, one)
    a.beat_until(3)
    b.beat()
    a.beat_until(4)
    b.beat_until(4)
    b.beat(SubscribedTopicNames=[one, two])
    begun(story, group, one, two)
    b.beat_until(6)
    a.beat_until(6)
    b.beat(MemberEpoch=-1)
    a.beat_until(7)
    a.beat(MemberEpoch=-1)
    alter(story.c, group, one, 3)
    datakit.same(0, story.c.call("DeleteShareGroupOffsets", 0, GroupId=group,
                                 Topics=[{"TopicName": two}])["ErrorCode"])
    datakit.same(0, story.c.call("DeleteGroups", 2, GroupsNames=[group])["Results"][0]["ErrorCode"])
    story.same("share-group", "__consumer_offsets", "__share_group_state")


def case_state_of_a_partition(t):
    story = Story(t)
    topic = datakit.Topic(story.c)
    story.stands_for(topic.id, "T-id")
    for _ in range(3):
        datakit.produce(story.c, 12, topic, (0, datakit.batch([b"v"] * 10)))
    share = shares.Share(t, topic, group=story.named("G"))
    m = share.member()
    datakit.same([(0, 29, 1)], m.look(BatchSize=500)[0])
    datakit.same("NONE", m.acknowledge((0, 4, ACCEPT), (5, 9, RELEASE), (10, 14, REJECT)))
    datakit.same("NONE", m.acknowledge((15, 24, ACCEPT)))
    datakit.same([(5, 9, 2)], m.look()[0])
    datakit.same("NONE", m.acknowledge((5, 5, ACCEPT), (6, 6, REJECT), (7, 9, ACCEPT)))
    datakit.same(None, m.close()) # the rest is released
    datakit.same([(25, 29, 2)], share.member().look()[0])
    datakit.same(0, shares.delete(story.c, share.group, topic.id)["ErrorCode"])
    story.same("share-state", "__share_group_state")


def case_a_group_that_is_altered_only(t):
    story = Story(t)
    group, topic = story.named("G"), story.topic("T", partitions=2)
    coordinator_is_there(t, group)
    shares.coordinator_is_there(story.c, group, story.id_of(topic))
    alter(story.c, group, topic, 7)
    begun(story, group, topic)
    alter(story.c, group, topic, 2)
    datakit.same(0, story.c.call("DeleteGroups", 2, GroupsNames=[group])["Results"][0]["ErrorCode"])
    story.same("share-altered", "__consumer_offsets", "__share_group_state")


def case_what_was_begun_of_deleted_topics_is_forgotten(t):
    story = Story(t)
    group, (one, two) = story.named("G"), story.topics("T", "U")
    coordinator_is_there(t, group)
    shares.coordinator_is_there(story.c, group, story.id_of(one))
    alter(story.c, group, one, 0)
    alter(story.c, group, two, 0)
    begun(story, group, one, two)
    story.c.call("DeleteTopics", 6, TimeoutMs=30000, Topics=[{"Name": two, "TopicId": bytes(16)}])
    begun(story, group, one)
    known = shares.summary(story.c, group, story.id_of(one))
    datakit.same(0, known["ErrorCode"])
    gone = lambda: any("U-id" in line and line.endswith("gone") for line in story.lines("__share_group_state"))
    datakit.until("the state of the deleted topic", gone)
    story.same("share-topic-deleted", "__consumer_offsets", "__share_group_state")
