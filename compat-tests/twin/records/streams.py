# SPDX-License-Identifier: Apache-2.0
"""A group of Kafka Streams."""
from member import coordinator_is_there, wait_for
from streams_member import Member, info, statuses, subtopology
from stored import Story


def case_a_group_from_its_first_member_to_its_deletion(t):
    story = Story(t)
    c, (group, store, r) = story.c, (story.named(x) for x in "GSR")
    topic = story.topic("T", partitions=2)
    coordinator_is_there(t, group)
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
    story.same("streams-group")
