# SPDX-License-Identifier: Apache-2.0
"""ListTransactions with every filter and what is at their edges, DescribeTransactions and DescribeProducers when asked
for what there is not, and how WriteTxnMarkers arranges its answers."""
from producer import ABORT, Producer, story

PATTERNS = { # expressions (after the prefix of all ids) and the ids (without it) that they match as a whole
    "-.*": ["-B", "-a", "-b.c", "-ü"], "-a": ["-a"], "": [], "-[aB]": ["-B", "-a"], "-b.c": ["-b.c"],
    r"-b\.c": ["-b.c"], "-.": ["-B", "-a", "-ü"], "-..": [], "-ü": ["-ü"], "-new.line": [],
    r"-new\nline": ["-new\nline"], r"-\w": ["-B", "-a"], "-(a|B)": ["-B", "-a"], "-(?<x>a)": ["-a"],
    "-(?P<x>a)": ["-a"], r"-\p{L}": ["-B", "-a", "-ü"], "-a$": ["-a"], "-[a-z&&[^b]]": [], "-(?i)b": ["-B"],
}
NO_PATTERNS = ["[", "*", "(", "a{2,1}", "\\", r"\p{IsAlphabetic}", "a?+", "(?<=x)a", "(?=a)", r"(a)\1"]


def case_list_filters(t):
    prefix, topic, link = t.name("ids"), t.topic(), t.connect()
    p = {name: Producer(t, prefix + name) for name in ("-a", "-b.c", "-B", "-ü", "-new\nline")}
    for one in p.values():
        assert one.init() == "NONE"
    assert p["-a"].add(topic) == "NONE"

    def ask(version=2, **filters):
        answer = link.call("ListTransactions", version, **dict({"StateFilters": [], "ProducerIdFilters": []}, **filters))
        found = sorted(x["TransactionalId"][len(prefix):] for x in answer["TransactionStates"]
                       if x["TransactionalId"].startswith(prefix))
        return found if answer["ErrorCode"] == 0 else t.error(answer["ErrorCode"]), answer["UnknownStateFilters"]

    everyone, idle = (sorted(p), []), (sorted(n for n in p if n != "-a"), [])
    assert ask(0) == ask(1) == ask() == everyone
    assert ask(StateFilters=["Ongoing", "Empty"]) == everyone and ask(StateFilters=["Empty"]) == idle
    assert ask(StateFilters=["Ongoing", "Nope", "Nope", "Ongoing"]) == (["-a"], ["Nope"])
    assert ask(StateFilters=[""]) == ([], [""]) and ask(StateFilters=["Dead"]) == ([], [])
    assert ask(ProducerIdFilters=[p["-B"].id, p["-B"].id, p["-ü"].id, -1]) == (["-B", "-ü"], [])
    for none in (-1, -2, -1 << 63):
        assert ask(DurationFilter=none) == everyone
    # What has not begun has begun a very long time ago.
    assert ask(DurationFilter=60000) == ask(1, DurationFilter=60000) == idle
    assert ask(DurationFilter=(1 << 63) - 1) == ([], [])
    for pattern, found in PATTERNS.items():
        assert ask(TransactionalIdPattern=prefix + pattern) == (found, []), pattern
    assert ask(TransactionalIdPattern="(?s)" + prefix + "-new.line") == (["-new\nline"], [])
    assert ask(TransactionalIdPattern="(?i)" + prefix.upper() + "-A") == (["-a"], [])
    for pattern in NO_PATTERNS:
        assert ask(TransactionalIdPattern=pattern, StateFilters=["Nope"]) == ("INVALID_REGULAR_EXPRESSION", []), pattern
    assert ask(TransactionalIdPattern=prefix + "-.*", ProducerIdFilters=[p["-a"].id]) == (["-a"], [])
    assert ask(TransactionalIdPattern=prefix + "-[ab].*", StateFilters=["Empty"]) == (["-b.c"], [])
    assert p["-a"].end(ABORT) == "NONE"


def case_describe_what_there_is_not(t):
    topic, p = t.topic(2), Producer(t, t.name())
    assert p.init() == "NONE"
    link = t.connect()

    def ask(*ids):
        answer = link.call("DescribeTransactions", 0, TransactionalIds=list(ids))["TransactionStates"]
        return [(s["TransactionalId"], t.error(s["ErrorCode"]), s["TransactionState"]) for s in answer]

    assert ask() == [] and ask(p.name, p.name) == [(p.name, "NONE", "Empty")] * 2
    assert ask("", "none", p.name) == [("", "INVALID_REQUEST", ""), ("none", "TRANSACTIONAL_ID_NOT_FOUND", ""),
                                       (p.name, "NONE", "Empty")]
    long = "x" * 20000
    assert ask(long) == [(long, "TRANSACTIONAL_ID_NOT_FOUND", "")]
    assert p.add(topic, partitions=(0, 1)) == "NONE" and p.add_offsets("g") == "NONE"
    assert {d["Topic"]: sorted(d["Partitions"]) for d in p.describe()["Topics"] if d["Topic"] == topic} == {topic: [0, 1]}
    assert {d["Topic"] for d in p.describe()["Topics"]} == {topic, "__consumer_offsets"}
    assert p.end(ABORT) == "NONE"


def case_producers_of_what_there_is_not(t):
    topic, link, nowhere = t.topic(2), t.connect(), t.name("nowhere")

    def ask(*topics):
        answer = link.call("DescribeProducers", 0, Topics=[{"Name": n, "PartitionIndexes": i} for n, i in topics])
        return [(r["Name"], [(x["PartitionIndex"], t.error(x["ErrorCode"]), x["ErrorMessage"]) for x in r["Partitions"]])
                for r in answer["Topics"]]

    unknown, message = "UNKNOWN_TOPIC_OR_PARTITION", "This server does not host this topic-partition."
    assert ask() == [] and ask((topic, [])) == [(topic, [])] and ask((nowhere, [])) == [(nowhere, [])]
    assert ask((topic, [0, 0]), (topic, [1])) == [(topic, [(0, "NONE", None)] * 2), (topic, [(1, "NONE", None)])]
    assert ask((nowhere, [0, 1]), (topic, [0, 9, -1])) == [
        (nowhere, [(0, unknown, message), (1, unknown, message)]),
        (topic, [(0, "NONE", None), (9, unknown, None), (-1, unknown, None)])]
    for name, why in (("", "the empty string is not allowed"), (".", "'.' is not allowed"),
                      ("x" * 250, "the length of '%s' is longer than the max allowed length 249" % ("x" * 250)),
                      ("a b", "'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'")):
        assert ask((name, [0])) == [(name, [(0, "INVALID_TOPIC_EXCEPTION", "Topic name is invalid: " + why)])]
    assert ask(("__transaction_state", [0])) == [("__transaction_state", [(0, "NONE", None)])]


def case_how_marker_answers_are_arranged(t):
    """By producer id, topic and partition; what was not asked for leaves nothing."""
    topic, other, nowhere = t.topic(2), t.topic(2), t.name("nowhere")
    p, q = Producer(t, t.name()), Producer(t, t.name())
    assert p.init() == q.init() == "NONE"

    def ask(*markers, version=1):
        answer = p.link.call("WriteTxnMarkers", version, Markers=[
            {"ProducerId": of.id, "ProducerEpoch": 0, "TransactionResult": ABORT, "CoordinatorEpoch": 0,
             "Topics": [{"Name": n, "PartitionIndexes": i} for n, i in topics]} for of, *topics in markers])["Markers"]
        ids = [m["ProducerId"] for m in answer]
        assert len(set(ids)) == len(ids), answer
        found = {(m["ProducerId"], r["Name"], x["PartitionIndex"]): t.error(x["ErrorCode"])
                 for m in answer for r in m["Topics"] for x in r["Partitions"]}
        assert len(found) == sum(len(r["Partitions"]) for m in answer for r in m["Topics"]), answer
        assert all(len({r["Name"] for r in m["Topics"]}) == len(m["Topics"]) for m in answer), answer
        return found

    unknown = "UNKNOWN_TOPIC_OR_PARTITION"
    for version in (1, 2):
        assert ask((p, (topic, [0])), (q, (other, [0])), version=version) == {
            (p.id, topic, 0): "NONE", (q.id, other, 0): "NONE"}
    assert ask((p, (topic, [0])), (p, (topic, [1]))) == {(p.id, topic, 0): "NONE", (p.id, topic, 1): "NONE"}
    assert ask((p, (topic, [0])), (p, (topic, [0]))) == {(p.id, topic, 0): "NONE"}
    assert ask((q, (other, [0]), (other, [1]))) == {(q.id, other, 0): "NONE", (q.id, other, 1): "NONE"}
    assert ask((p, (topic, [9]))) == {(p.id, topic, 9): unknown}
    assert ask((p, (topic, [9])), (q, (other, [0]))) == {(p.id, topic, 9): unknown, (q.id, other, 0): "NONE"}
    assert ask((q, (other, [0, 9]), (nowhere, [0]))) == {
        (q.id, other, 0): "NONE", (q.id, other, 9): unknown, (q.id, nowhere, 0): unknown}
    assert ask((p,)) == ask((p, (topic, []))) == {} and ask((p,), (q, (other, [0]))) == {(q.id, other, 0): "NONE"}
    assert story(p.link, topic) == ["abort"] * 5 and story(p.link, topic, 1) == ["abort"]
