# SPDX-License-Identifier: Apache-2.0
"""Groups under each group.consumer.migration.policy: members of the other protocol come, the last of one leaves, and
what is told of the group at each step. What the real broker said stands in said/."""
import os

from groupkit import listed
from member import Member, describe as describe_classic, join_all, new_group
from newmember import NewMember, describe
from oldmember import Old, assigned, assignment, classic_group, subscription
from said import Said

KEY, DELAY = "group.consumer.migration.policy=", "group.initial.rebalance.delay.ms="


def restart(t, policy, delay_ms=0):
    path = os.path.join(t.broker.folder, "server.properties")
    with open(path) as file:
        lines = [line for line in file if not line.startswith((KEY, DELAY))]
    with open(path, "w") as file:
        file.writelines(lines + [KEY + policy + "\n", "%s%d\n" % (DELAY, delay_ms)])
    t.broker.stop()
    t.broker.start()


class Talk:
    """A conversation about one group; partitions are counted, since who gets which depends on random ids."""

    def __init__(self, t, s, title):
        self.t, self.s, self.title = t, s, title
        s("== %s" % title, "")

    def about(self, group):
        d = describe_classic(self.t, group, 6)
        self.s("classic", [d["ErrorCode"], d["ErrorMessage"], d["GroupState"], d["ProtocolType"], d["ProtocolData"],
                           sorted((self.s.plain(m["MemberId"]), m["GroupInstanceId"], held(m["MemberAssignment"]))
                                  for m in d["Members"])])
        d = describe(self.t, group)
        self.s("consumer", [d["ErrorCode"], d["ErrorMessage"], d["GroupState"], d["GroupEpoch"], d["AssignmentEpoch"],
                            d["AssignorName"],
                            sorted((self.s.plain(m["MemberId"]), m["InstanceId"], m["MemberType"], m["MemberEpoch"],
                                    count(m["Assignment"]), count(m["TargetAssignment"])) for m in d["Members"])])
        self.s("listed", [(g["ProtocolType"], g["GroupState"], g["GroupType"])
                          for g in listed(self.t.connect(), group)])

    def new(self, what, answer):
        """An answer to ConsumerGroupHeartbeat. True: it was taken."""
        given = answer["Assignment"]
        self.s(what, [self.t.error(answer["ErrorCode"]), answer["ErrorMessage"], answer["MemberEpoch"],
                      None if given is None else count(given)])
        return answer["ErrorCode"] == 0

    def old(self, what, answer):
        """An answer to JoinGroup."""
        self.s(what, [self.t.error(answer["ErrorCode"]), answer["GenerationId"], answer["ProtocolType"],
                      answer["ProtocolName"], answer["Leader"], answer["SkipAssignment"],
                      sorted(self.s.plain(m["MemberId"]) for m in answer["Members"])])
        return answer["ErrorCode"] == 0


def held(data):
    return sum(len(p) for p in assigned(data).values()) if data else 0


def count(assignment_):
    return sum(len(p["Partitions"]) for p in assignment_["TopicPartitions"])


def follow(talk, *members):
    """Classic members do as they are told, until each may go on. What each said and heard, in order."""
    said = []
    for _ in range(6):
        for m in members:
            beat = m.heartbeat()
            said.append(beat)
            if beat != "REBALANCE_IN_PROGRESS":
                continue
            m.protocols = ((m.protocols[0][0], subscription([m.topic], [(m.topic, sorted(m.owned))])),)
            answer = m.join()
            said.append((talk.t.error(answer["ErrorCode"]), answer["GenerationId"], answer["ProtocolName"],
                         answer["Leader"] != ""))
            if answer["ErrorCode"] == 0:
                synced = m.sync()
                said.append((talk.t.error(synced["ErrorCode"]), held(synced["Assignment"])))
                m.owned = assigned(synced["Assignment"]).get(m.topic, set()) if synced["Assignment"] else set()
        if said[-len(members):] == ["NONE"] * len(members):
            break
    talk.s("classic members follow", said)


def old_member(t, group, topic, name="range", **more):
    m = Old(t, group, topic, **more)
    m.protocols = ((name, m.protocols[0][1]),)
    return m


def up_and_down(t, s, topic, title, name="range", **more):
    """A classic group; a consumer member comes; it leaves as the last one of its kind; then the classic one does."""
    talk = Talk(t, s, title)
    a = old_member(t, new_group(t), topic, name, **more)
    join_all(a)
    a.sync({a: assignment([(topic, range(12))])})
    a.owned = set(range(12))
    b = NewMember(t, a.group, [topic])
    s.call_it(GROUP=a.group, OLD=a.id, NEW=b.id)
    if talk.new("a consumer member joins", b.join()):
        talk.about(a.group)
        follow(talk, a)
        talk.new("it beats", b.beat())
        talk.new("and again", b.beat())
        talk.about(a.group)
        s("commits", [a.commit(topic, 1), b.commit(topic, 2), a.commit(topic, 1, GenerationIdOrMemberEpoch=77)])
        talk.new("it leaves", b.leave())
    talk.about(a.group)
    s("heartbeat", a.heartbeat())
    if a.heartbeat() == "REBALANCE_IN_PROGRESS":
        if talk.old("rejoin", a.join()):
            leads = a.leader == a.id
            synced = a.sync({a: assignment([(topic, range(12))])} if leads else None)
            s("sync", [t.error(synced["ErrorCode"]), held(synced["Assignment"])])
    talk.about(a.group)
    if more.get("instance") is None:
        s("leave", a.leave())
        talk.about(a.group)
        talk.new("a consumer member comes to the empty group", NewMember(t, a.group, [topic]).join())
        talk.about(a.group)


def down_and_up(t, s, topic, title, name="range", instance=None):
    """A consumer group; a classic member comes; the consumer member leaves, or comes back after that."""
    talk = Talk(t, s, title)
    group = new_group(t)
    a = NewMember(t, group, [topic], instance=instance and "new")
    a.join()
    b = old_member(t, group, topic, name, instance=instance)
    if instance is None:
        b.send_join()
        answer = b.link.receive()
        b.id = answer["MemberId"]
        s.call_it(GROUP=group, NEW=a.id, OLD=b.id)
        s("a classic member asks", [t.error(answer["ErrorCode"]), b.id != ""])
        if b.id == "":
            talk.about(group)
            return
    answer = b.join()
    s.call_it(GROUP=group, NEW=a.id, OLD=b.id)
    if not talk.old("it joins", answer):
        talk.about(group)
        return
    synced = b.sync()
    s("sync", [t.error(synced["ErrorCode"]), held(synced["Assignment"])])
    talk.about(group)
    a.beat(), a.beat()
    follow(talk, b)
    talk.about(group)
    talk.new("the consumer member leaves", a.leave(-2 if instance else -1))
    talk.about(group)
    if instance:
        talk.new("it comes back", NewMember(t, group, [topic], instance="new").join())
        talk.about(group)
        return
    s("heartbeat", b.heartbeat())
    if b.heartbeat() == "REBALANCE_IN_PROGRESS" and talk.old("rejoin", b.join()) and b.leader == b.id:
        s("sync", t.error(b.sync({b: assignment([(topic, range(12))])})["ErrorCode"]))
    talk.about(group)
    again = NewMember(t, group, [topic])
    s.call_it(AGAIN=again.id)
    if talk.new("another consumer member joins", again.join()):
        follow(talk, b)
        s("the classic one leaves", b.leave())
        talk.about(group)


def replacing(t, s, topic):
    """A static member starts again with the other protocol."""
    talk = Talk(t, s, "static members change their protocol")
    a = classic_group(t, topic, 12, instance="i")
    b = NewMember(t, a.group, [topic], instance="i")
    s.call_it(GROUP=a.group, OLD=a.id, NEW=b.id)
    if talk.new("classic to consumer", b.join()):
        talk.about(a.group)
        s("heartbeat of the former", a.heartbeat())
        c = Old(t, a.group, topic, instance="i")
        answer = c.join()
        s.call_it(LATER=c.id)
        talk.old("and back", answer)
    talk.about(a.group)
    group = new_group(t)
    d, stays = NewMember(t, group, [topic], instance="i"), NewMember(t, group, [topic], instance="j")
    d.join(), stays.join()
    s.call_it(GROUP=group, FIRST=d.id, STAYS=stays.id)
    e = Old(t, group, topic, instance="i")
    answer = e.join()
    s.call_it(GROUP=group, SECOND=e.id)
    talk.old("consumer to classic, another stays", answer)
    talk.about(group)
    alone = new_group(t)
    f = NewMember(t, alone, [topic], instance="i")
    f.join()
    s.call_it(GROUP=alone, FORMER=f.id)
    g = Old(t, alone, topic, instance="i")
    answer = g.join()
    s.call_it(NEXT=g.id)
    talk.old("consumer to classic, alone", answer)
    talk.about(alone)


def two_of_each(t, s, topic):
    """Downgrade only with the last of the consumer members."""
    talk = Talk(t, s, "two of each kind")
    a = classic_group(t, topic, 12)
    b, c = NewMember(t, a.group, [topic]), NewMember(t, a.group, [topic])
    s.call_it(GROUP=a.group, OLD=a.id, NEW=b.id, OTHER=c.id)
    if not talk.new("a consumer member joins", b.join()):
        return
    talk.new("another", c.join())
    d = Old(t, a.group, topic)
    d.send_join()
    d.id = d.link.receive()["MemberId"]
    s.call_it(LATE=d.id)
    talk.old("a classic one", d.join())
    talk.about(a.group)
    talk.new("one leaves", b.leave())
    talk.about(a.group)
    s("a classic one leaves", a.leave())
    talk.about(a.group)
    talk.new("the last consumer member leaves", c.leave())
    talk.about(a.group)


def case_each_policy(t):
    topic = None
    for policy in ("disabled", "upgrade", "downgrade", "bidirectional", "BiDirectional"):
        restart(t, policy)
        topic = topic or t.topic(12)
        s = Said(t, __file__, policy)
        s.call_it(TOPIC=topic)
        up_and_down(t, s, topic, "a classic group, eager")
        if policy != "BiDirectional":
            up_and_down(t, s, topic, "a classic group, cooperative", name="cooperative-sticky")
            up_and_down(t, s, topic, "a classic group of a static member", instance="i")
            down_and_up(t, s, topic, "a consumer group, eager")
            down_and_up(t, s, topic, "a consumer group, cooperative", name="cooperative-sticky")
            down_and_up(t, s, topic, "a consumer group of static members", instance="old")
            replacing(t, s, topic)
            two_of_each(t, s, topic)
        s.end()


def one_waits(t, s, a, topic):
    """A second classic member that waits for the first one, and a consumer member that has not joined yet."""
    c = Old(t, a.group, topic)
    c.take_id()
    c.send_join()
    b = NewMember(t, a.group, [topic])
    s.call_it(GROUP=a.group, OLD=a.id, NEW=b.id, WAITING=c.id)
    while describe_classic(t, a.group, 6)["GroupState"] != "PreparingRebalance":
        pass
    return c, b


def case_while_a_classic_group_rebalances(t):
    restart(t, "bidirectional", delay_ms=60000)
    topic, group = t.topic(12), new_group(t)
    s = Said(t, __file__, "rebalancing")
    talk = Talk(t, s, "in its first rebalance")
    a = Old(t, group, topic)
    a.take_id()
    a.send_join()  # answered in a minute, or when something happens
    b = NewMember(t, group, [topic])
    s.call_it(GROUP=group, OLD=a.id, NEW=b.id, TOPIC=topic)
    while describe_classic(t, group, 6)["GroupState"] != "PreparingRebalance":
        pass
    talk.new("a consumer member joins", b.join())
    talk.old("the one that waited", a.link.receive())
    talk.about(group)
    talk.new("once more", b.join())
    restart(t, "bidirectional")
    talk = Talk(t, s, "one has joined, none is synced")
    a = Old(t, new_group(t), topic)
    join_all(a)
    b = NewMember(t, a.group, [topic])
    s.call_it(GROUP=a.group, OLD=a.id, NEW=b.id)
    talk.new("a consumer member joins", b.join())
    talk.about(a.group)
    synced = a.sync({a: assignment([(topic, range(12))])})
    s("sync", [t.error(synced["ErrorCode"]), held(synced["Assignment"])])
    follow(talk, a)
    talk.about(a.group)
    talk = Talk(t, s, "one waits for the other")
    a = classic_group(t, topic, 12)
    c, b = one_waits(t, s, a, topic)
    talk.new("a consumer member joins", b.join())
    talk.about(a.group)
    talk.old("the one that waited", c.note(c.link.receive()))
    follow(talk, a, c)
    talk.about(a.group)
    talk = Talk(t, s, "an assignment of another kind")
    a = classic_group(t, topic, 12)
    a.join()
    a.sync({a: assignment([(topic, [0])], data=b"mine")})
    c, b = one_waits(t, s, a, topic)
    talk.new("a consumer member joins", b.join())
    talk.old("the one that waited", c.note(c.link.receive()))
    talk.about(a.group)
    talk = Talk(t, s, "a member whose id is not used yet")
    pending = Member(t, new_group(t))
    pending.take_id()
    b = NewMember(t, pending.group, [topic])
    s.call_it(GROUP=pending.group, OLD=pending.id, NEW=b.id)
    talk.new("a consumer member joins", b.join())
    talk.about(pending.group)
    s.end()
