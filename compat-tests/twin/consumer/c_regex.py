# SPDX-License-Identifier: Apache-2.0
"""Subscriptions by regular expression: which topics they stand for is found out behind the answer."""
import topics
from member import new_group, wait_for
from newmember import NewMember, describe, ids_of, settle


def case_resolved_behind_the_answer(t):
    group, stem = new_group(t), t.name("re")
    one, two = [topics.create(t.connect(), stem + x, 2) for x in ("-one", "-two")]
    names, _ = ids_of(t, one, two)
    a = NewMember(t, group, regex=stem + "-.*")
    answer = a.join()
    assert (answer["ErrorCode"], answer["MemberEpoch"], answer["Assignment"]["TopicPartitions"]) == (0, 1, []), answer
    wait_for(lambda: a.beat() and a.partitions() == 4, "the topics")
    assert a.epoch == 2 and {names[x] for x in a.assigned} == {one, two}, a.last
    d = describe(t, group)
    assert (d["GroupEpoch"], d["Members"][0]["SubscribedTopicRegex"], d["Members"][0]["SubscribedTopicNames"]) == \
        (2, stem + "-.*", []), d
    b = NewMember(t, group, regex=stem + "-.*")
    answer = b.join()
    assert answer["MemberEpoch"] == 3, answer  # it is known already
    settle(a, b)
    assert a.partitions() == b.partitions() == 2


def case_a_new_topic_is_found(t):
    group, stem = new_group(t), t.name("re")
    topics.create(t.connect(), stem + "-one", 1)
    a = NewMember(t, group, regex=stem + "-.*")
    a.join()
    wait_for(lambda: a.beat() and a.partitions() == 1, "the topic")
    topics.create(t.connect(), stem + "-two", 2)
    wait_for(lambda: a.beat() and a.partitions() == 3, "the new topic")  # ten seconds after the last look
    assert a.epoch == 3, a.last


def case_names_and_expression_together(t):
    group, stem = new_group(t), t.name("re")
    one, two = [topics.create(t.connect(), stem + x, 2) for x in ("-one", "-two")]
    a = NewMember(t, group, topics=[one], regex=stem + "-t.*")
    a.join()
    wait_for(lambda: a.beat() and a.partitions() == 4, "both")
    answer = a.call(SubscribedTopicRegex="")
    assert answer["ErrorCode"] == 0, answer
    wait_for(lambda: a.beat() and a.partitions() == 2 and not a.has_news, "the names alone")


def case_what_is_no_expression(t):
    group = new_group(t)
    for regex, reason in (("a(", "missing closing )"), ("*", "missing argument to repetition operator"),
                          ("a**", "invalid nested repetition operator"), ("(?=a)", "invalid or unsupported Perl syntax"),
                          ("\\1", "invalid escape sequence"), ("[b-a]", "invalid character class range"),
                          ("a{1001}", "invalid repeat count"), ("a)", "regexp/syntax: internal error")):
        answer = NewMember(t, group, regex=regex).join()
        assert (t.error(answer["ErrorCode"]), answer["ErrorMessage"]) == (
            "INVALID_REGULAR_EXPRESSION",
            "SubscribedTopicRegex `%s` is not a valid regular expression: %s." % (regex, reason)), answer


def case_an_empty_expression_is_none(t):
    group = new_group(t)
    a = NewMember(t, group, regex="")
    answer = a.join()
    assert (answer["ErrorCode"], answer["MemberEpoch"]) == (0, 1), answer
    assert describe(t, group)["GroupState"] == "Stable"
