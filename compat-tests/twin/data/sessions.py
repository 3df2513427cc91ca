# SPDX-License-Identifier: Apache-2.0
from datakit import Topic, at, batch, begin, connect, fetch, name_of, produce, same


def told(answer):
    """(partition, bytes of records or error) in the order of the answer"""
    return [(p["PartitionIndex"], name_of(p["ErrorCode"]) if p["ErrorCode"] else len(p["Records"]))
            for t in answer["Responses"] for p in t["Partitions"]]


def open_session(c, version, topic, *parts):
    got = fetch(c, version, (topic, list(parts)), SessionId=0, SessionEpoch=0)
    same(0, got["ErrorCode"])
    same(True, got["SessionId"] != 0)
    same(sorted(p["Partition"] for p in parts), sorted(i for i, _ in told(got)))
    return got["SessionId"]


def close_session(c, version, id_):
    c.call("Fetch", version, MaxWaitMs=0, MinBytes=0, SessionId=id_, SessionEpoch=-1, Topics=[])


def case_only_news(twin):
    c = begin(twin)
    for version in (7, 12, 18):
        t = Topic(c, 3)
        id_ = open_session(c, version, t, at(0), at(1), at(2))
        got = fetch(c, version, SessionId=id_, SessionEpoch=1)
        same((0, id_, []), (got["ErrorCode"], got["SessionId"], told(got)))
        data = batch([b"x"])
        produce(c, 12, t, (1, data))
        same([(1, len(data))], told(fetch(c, version, SessionId=id_, SessionEpoch=2)))
        same([(1, len(data))], told(fetch(c, version, SessionId=id_, SessionEpoch=3)), "not read on yet")
        same([], told(fetch(c, version, (t, [at(1, 1)]), SessionId=id_, SessionEpoch=4)), "read on")
        same([], told(fetch(c, version, SessionId=id_, SessionEpoch=5)))
        close_session(c, version, id_)


def case_errors_are_told_again(twin):
    c = begin(twin)
    t = Topic(c, 2)
    id_ = open_session(c, 12, t, at(0, 9), at(1))
    for epoch in (1, 2):
        same([(0, "OFFSET_OUT_OF_RANGE")], told(fetch(c, 12, SessionId=id_, SessionEpoch=epoch)))
    same([(0, 0)], told(fetch(c, 12, (t, [at(0, 0)]), SessionId=id_, SessionEpoch=3)), "good again")
    same([], told(fetch(c, 12, SessionId=id_, SessionEpoch=4)))
    close_session(c, 12, id_)


def case_forgetting(twin):
    c = begin(twin)
    for version in (12, 13):
        t = Topic(c, 3)
        data = batch([b"x"])
        for i in range(3):
            produce(c, 12, t, (i, data))
        id_ = open_session(c, version, t, at(0), at(1))
        forget = {"Partitions": [0]}
        forget.update({"TopicId": t.id} if version >= 13 else {"Topic": t.name})
        got = fetch(c, version, (t, [at(2)]), SessionId=id_, SessionEpoch=1, ForgottenTopicsData=[forget])
        same([(1, len(data)), (2, len(data))], told(got))
        # Emptied, it is closed.
        forget["Partitions"] = [1, 2]
        got = fetch(c, version, SessionId=id_, SessionEpoch=2, ForgottenTopicsData=[forget])
        same((0, 0, []), (got["ErrorCode"], got["SessionId"], told(got)))
        got = fetch(c, version, SessionId=id_, SessionEpoch=3)
        same("FETCH_SESSION_ID_NOT_FOUND", name_of(got["ErrorCode"]))


def case_who_sent_goes_last(twin):
    c = begin(twin)
    t = Topic(c, 3)
    data = batch([b"x" * 500])
    for i in range(3):
        for _ in range(3):
            produce(c, 12, t, (i, data))
    n = len(data)
    id_ = open_session(c, 12, t, at(0, 3), at(1, 3), at(2, 3))
    again = [at(i) for i in range(3)]
    same([(0, n)], told(fetch(c, 12, (t, again), SessionId=id_, SessionEpoch=1, MaxBytes=n)))
    same([(1, n)], told(fetch(c, 12, SessionId=id_, SessionEpoch=2, MaxBytes=n)))
    same([(2, n)], told(fetch(c, 12, SessionId=id_, SessionEpoch=3, MaxBytes=n)))
    same([(0, n)], told(fetch(c, 12, SessionId=id_, SessionEpoch=4, MaxBytes=n)))
    close_session(c, 12, id_)


def case_refusals(twin):
    c = begin(twin)
    t = Topic(c)
    id_ = open_session(c, 12, t, at())

    def refused(version, **options):
        got = fetch(c, version, **options)
        same((0, []), (got["SessionId"], got["Responses"]))
        return name_of(got["ErrorCode"])
    same("INVALID_FETCH_SESSION_EPOCH", refused(12, SessionId=id_, SessionEpoch=5))
    same("INVALID_FETCH_SESSION_EPOCH", refused(13, SessionId=id_, SessionEpoch=5))
    same("FETCH_SESSION_TOPIC_ID_ERROR", refused(13, SessionId=id_, SessionEpoch=1))
    same("FETCH_SESSION_ID_NOT_FOUND", refused(12, SessionId=id_ ^ 1, SessionEpoch=1))
    same("FETCH_SESSION_ID_NOT_FOUND", refused(12, SessionId=0, SessionEpoch=1))
    same("FETCH_SESSION_ID_NOT_FOUND", refused(12, SessionId=-5, SessionEpoch=1))
    for epoch in (0, 1):  # a number that no session can have
        got = fetch(c, 12, SessionId=2147483647, SessionEpoch=epoch)
        same((-1, 2147483647, []), (got["ErrorCode"], got["SessionId"], got["Responses"]))
    same([], told(fetch(c, 12, SessionId=id_, SessionEpoch=1)), "it still stands")
    close_session(c, 12, id_)
    same("FETCH_SESSION_ID_NOT_FOUND", refused(12, SessionId=id_, SessionEpoch=2))


def case_without_session(twin):
    """Epoch -1 neither makes nor keeps one; a full fetch takes the place of the old session."""
    c = begin(twin)
    t = Topic(c)
    got = fetch(c, 12, (t, [at()]), SessionId=0, SessionEpoch=-1)
    same((0, [(0, 0)]), (got["SessionId"], told(got)))
    id_ = open_session(c, 12, t, at())
    got = fetch(c, 12, (t, [at()]), SessionId=id_, SessionEpoch=0)
    same(True, got["SessionId"] not in (0, id_))
    same("FETCH_SESSION_ID_NOT_FOUND", name_of(fetch(c, 12, SessionId=id_, SessionEpoch=1)["ErrorCode"]))
    close_session(c, 12, got["SessionId"])


def case_topics_that_come_and_go(twin):
    """By id: a topic of the same name is another one."""
    c = begin(twin)
    t = Topic(c, 2)
    by_id = open_session(c, 13, t, at(0))
    by_name = open_session(c, 12, t, at(0))
    none = fetch(c, 13, (b"\7" * 16, [at(0)]), SessionId=0, SessionEpoch=0)
    same([(0, "UNKNOWN_TOPIC_ID")], told(none))
    same([(0, "UNKNOWN_TOPIC_ID")], told(fetch(c, 13, SessionId=none["SessionId"], SessionEpoch=1)))
    t.delete()
    epoch = 1
    while True:
        got = told(fetch(c, 13, SessionId=by_id, SessionEpoch=epoch))
        epoch += 1
        if got == [(0, "UNKNOWN_TOPIC_OR_PARTITION")]:
            break
        same(True, got in ([], [(0, "NOT_LEADER_OR_FOLLOWER")], [(0, "UNKNOWN_TOPIC_ID")]), repr(got))
    same([(0, "UNKNOWN_TOPIC_OR_PARTITION")], told(fetch(c, 12, SessionId=by_name, SessionEpoch=1)))
    for id_, version in ((by_id, 13), (by_name, 12), (none["SessionId"], 13)):
        close_session(c, version, id_)


def case_two_connections(twin):
    """A session is not bound to its connection."""
    c = begin(twin)
    t = Topic(c)
    id_ = open_session(c, 12, t, at())
    with connect() as d:
        same(0, fetch(d, 12, SessionId=id_, SessionEpoch=1)["ErrorCode"])
    same(0, fetch(c, 12, SessionId=id_, SessionEpoch=2)["ErrorCode"])
    close_session(c, 12, id_)
