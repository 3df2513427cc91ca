# SPDX-License-Identifier: Apache-2.0
"""UpdateFeatures: levels raised and lowered, what is refused and in which words, and what ApiVersions says then."""
import time

import datakit
from features import SAFE_DOWNGRADE, UNSAFE_DOWNGRADE, UPGRADE, change, level, levels, ranges, update

NEW = {"metadata.version": 30, "kraft.version": 1, "eligible.leader.replicas.version": 1, "group.version": 1,
       "share.version": 1, "streams.version": 1, "transaction.version": 2}
SUPPORTED = dict({name: (0, level) for name, level in NEW.items()}, **{"metadata.version": (7, 30)})
ALL = "The update failed for all features since the following feature had an error: "
FAILED = 95  # INVALID_UPDATE_VERSION
NO_DOWNGRADE = "Can't downgrade the version of this feature without setting the upgrade type to either safe or " \
    "unsafe downgrade."


def reaches(link, wanted):
    deadline = time.monotonic() + 30
    while levels(link)[0] != wanted:
        assert time.monotonic() < deadline, levels(link)
        time.sleep(0.01)


def case_a_new_cluster(t):
    c = t.connect()
    datakit.same(NEW, levels(c)[0])
    datakit.same(SUPPORTED, ranges(c))
    datakit.same({"metadata.version": (7, 30)}, ranges(c, 3))


def case_what_is_refused(t):
    c = t.connect()
    before = levels(c)[0]
    for updates, feature, asked, why in [
            ([("unknown.version", 1)], "unknown.version", 1, "Local controller 1 does not support this feature."),
            ([("", 1)], "", 1, "Local controller 1 does not support this feature."),
            ([("test.feature.version", 1)], "test.feature.version", 1,
             "Local controller 1 does not support this feature."),
            ([("group.version", 2)], "group.version", 2, "Local controller 1 only supports versions 0-1"),
            ([("group.version", -1, SAFE_DOWNGRADE)], "group.version", -1,
             "A feature version cannot be less than 0."),
            ([("group.version", 0)], "group.version", 0, NO_DOWNGRADE),
            ([("group.version", 0, 0)], "group.version", 0,
             "The controller does not support the given upgrade type."),
            ([("group.version", 0, 4)], "group.version", 0,
             "The controller does not support the given upgrade type."),
            ([("group.version", 2, -1)], "group.version", 2,
             "The controller does not support the given upgrade type."),
            ([("transaction.version", 3)], "transaction.version", 3, "Local controller 1 only supports versions 0-2"),
            ([("transaction.version", 1)], "transaction.version", 1, NO_DOWNGRADE),
            ([("eligible.leader.replicas.version", 2)], "eligible.leader.replicas.version", 2,
             "Local controller 1 only supports versions 0-1"),
            ([("kraft.version", 2)], "kraft.version", 2, "Local controller 1 only supports versions 0-1"),
            ([("kraft.version", 0)], "kraft.version", 0, NO_DOWNGRADE),
            ([("kraft.version", 0, SAFE_DOWNGRADE)], "kraft.version", 0,
             "Can't downgrade the version of this feature."),
            ([("kraft.version", 0, UNSAFE_DOWNGRADE)], "kraft.version", 0,
             "Can't downgrade the version of this feature."),
            ([("metadata.version", 6)], "metadata.version", 6, "Local controller 1 only supports versions 7-30"),
            ([("metadata.version", 0, SAFE_DOWNGRADE)], "metadata.version", 0,
             "Local controller 1 only supports versions 7-30"),
            ([("metadata.version", 31)], "metadata.version", 31, "Local controller 1 only supports versions 7-30"),
            ([("metadata.version", 29)], "metadata.version", 29, NO_DOWNGRADE)]:
        for version in (0, 1, 2):
            if version == 0 and len(updates[0]) > 2:
                continue
            answer = update(c, *updates, version=version)
            assert (answer["ErrorCode"], answer["ErrorMessage"], answer.get("Results", [])) == \
                (FAILED, "%sInvalid update version %d for feature %s. %s" % (ALL, asked, feature, why), []), \
                (updates, answer)
    for how, why in ((SAFE_DOWNGRADE, "Refusing to perform the requested downgrade because it might delete metadata "
                      "information."),
                     (UNSAFE_DOWNGRADE, "Unsafe metadata downgrade is not supported in this version.")):
        answer = update(c, ("metadata.version", 29, how))
        assert (answer["ErrorCode"], answer["ErrorMessage"]) == \
            (FAILED, ALL + "Unsupported metadata.version downgrade from 30 to 29. " + why), answer
    datakit.same(before, levels(c)[0])


def case_one_wrong_one_stops_all(t):
    c = t.connect()
    # Which error is told: the first in the order of Java's hash table, whatever the order of the request.
    for one, other, wanted in (
            ("share.version", "streams.version", "share.version"),
            ("streams.version", "share.version", "share.version"),
            ("group.version", "transaction.version", "group.version"),
            ("transaction.version", "unknown.version", "unknown.version"),
            ("metadata.version", "kraft.version", "kraft.version"),
            ("kraft.version", "share.version", "kraft.version"),
            ("eligible.leader.replicas.version", "group.version", "group.version"),
            ("a.version", "b.version", "b.version"), ("b.version", "a.version", "b.version"),
            ("Aa", "BB", "Aa"), ("BB", "Aa", "BB")):  # of one hash
        answer = update(c, (one, 99), (other, 99))
        assert answer["ErrorCode"] == FAILED and "for feature %s. " % wanted in answer["ErrorMessage"], (one, other, answer)
    answer = update(c, *[("f%d" % i, 1) for i in range(20)])  # more than a table of 16 buckets takes
    assert "for feature f10. " in answer["ErrorMessage"], answer
    answer = update(c, ("share.version", 0, SAFE_DOWNGRADE), ("unknown", 1))
    assert answer["ErrorCode"] == FAILED, answer
    datakit.same(NEW, levels(c)[0])


def case_a_name_that_comes_twice(t):
    c = t.connect()
    # The last counts.
    answer = update(c, ("share.version", 99), ("share.version", 1), version=1)
    datakit.same({"ThrottleTimeMs": 0, "ErrorCode": 0, "ErrorMessage": None, "Results": [
        {"Feature": "share.version", "ErrorCode": 0, "ErrorMessage": "NONE"}] * 2}, answer)
    assert update(c, ("share.version", 1), ("share.version", 99))["ErrorCode"] == FAILED
    datakit.same(NEW, levels(c)[0])


def case_what_is_so_already(t):
    c = t.connect()
    for how in (UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE):
        for name, now in NEW.items():
            for version in (1, 2):
                wanted = {"ThrottleTimeMs": 0, "ErrorCode": 0, "ErrorMessage": None}
                if version == 1:
                    wanted["Results"] = [{"Feature": name, "ErrorCode": 0, "ErrorMessage": "NONE"}]
                datakit.same(wanted, update(c, (name, now, how), version=version))
    datakit.same({"ThrottleTimeMs": 0, "ErrorCode": 0, "ErrorMessage": None}, update(c))
    datakit.same({"ThrottleTimeMs": 0, "ErrorCode": 0, "ErrorMessage": None, "Results": []}, update(c, version=0))
    datakit.same(NEW, levels(c)[0])


def case_only_checked(t):
    c = t.connect()
    for updates in ([("share.version", 0, SAFE_DOWNGRADE)], [("transaction.version", 0, UNSAFE_DOWNGRADE)],
                    [("metadata.version", 30)], [("kraft.version", 1)],
                    [("eligible.leader.replicas.version", 0, SAFE_DOWNGRADE)]):
        for version in (1, 2):
            answer = update(c, *updates, version=version, validate_only=True)
            assert (answer["ErrorCode"], answer["ErrorMessage"]) == (0, None), answer
            assert version == 2 or answer["Results"] == [
                {"Feature": u[0], "ErrorCode": 0, "ErrorMessage": "NONE"} for u in updates], answer
    assert update(c, ("share.version", 0), validate_only=True)["ErrorCode"] == FAILED
    datakit.same(NEW, levels(c)[0])


def case_down_and_up_again(t):
    c = t.connect()
    before, epoch = levels(c)
    for name in sorted(NEW):
        if name in ("metadata.version", "kraft.version"):
            continue
        answer = update(c, (name, 0, SAFE_DOWNGRADE))
        assert answer["ErrorCode"] == 0, answer
        reaches(c, {k: v for k, v in before.items() if k != name})
        assert levels(c)[1] > epoch
        answer = update(c, (name, 0, UNSAFE_DOWNGRADE))  # it is so already
        assert answer["ErrorCode"] == 0, answer
        answer = update(c, (name, NEW[name], SAFE_DOWNGRADE))
        assert (answer["ErrorCode"], answer["ErrorMessage"]) == (
            FAILED, ALL + "Invalid update version %d for feature %s. Can't downgrade to a newer version." %
            (NEW[name], name)), answer
        assert update(c, (name, NEW[name]))["ErrorCode"] == 0
        reaches(c, before)
    answer = update(c, ("share.version", 0, SAFE_DOWNGRADE), ("streams.version", 0, UNSAFE_DOWNGRADE),
                    ("transaction.version", 1, SAFE_DOWNGRADE), ("group.version", 1), version=1)
    datakit.same({"ThrottleTimeMs": 0, "ErrorCode": 0, "ErrorMessage": None, "Results": [
        {"Feature": name, "ErrorCode": 0, "ErrorMessage": "NONE"}
        for name in ("share.version", "streams.version", "transaction.version", "group.version")]}, answer)
    reaches(c, {"metadata.version": 30, "kraft.version": 1, "eligible.leader.replicas.version": 1, "group.version": 1,
                "transaction.version": 1})
    # An old client cannot say that it wants to go down, though it has a field for it.
    answer = c.call("UpdateFeatures", 0, timeoutMs=1, FeatureUpdates=[
        {"Feature": "transaction.version", "MaxVersionLevel": 0, "AllowDowngrade": True}])
    assert answer["ErrorCode"] == FAILED and NO_DOWNGRADE in answer["ErrorMessage"], answer
    answer = c.call("UpdateFeatures", 0, timeoutMs=0, FeatureUpdates=[
        {"Feature": "transaction.version", "MaxVersionLevel": 2, "AllowDowngrade": True}])
    assert answer["ErrorCode"] == 0, answer
    change(c, "share.version", 1)
    change(c, "streams.version", 1)
    reaches(c, NEW)


def min_isr(c, name):
    found = c.call("DescribeConfigs", 4, Resources=[{"ResourceType": 4, "ResourceName": name,
                                                     "ConfigurationKeys": ["min.insync.replicas"]}])["Results"][0]
    return [(one["Value"], one["ConfigSource"]) for one in found["Configs"]]


def alter(c, name, operation, value):
    answer = c.call("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": 4, "ResourceName": name, "Configs": [
        {"Name": "min.insync.replicas", "ConfigOperation": operation, "Value": value}]}])["Responses"][0]
    return answer["ErrorCode"], answer["ErrorMessage"]


def config_reaches(c, name, wanted):
    deadline = time.monotonic() + 30
    while min_isr(c, name) != wanted:
        assert time.monotonic() < deadline, min_isr(c, name)
        time.sleep(0.01)


def case_eligible_leaders_need_one_min_insync_replicas(t):
    c = t.connect()
    assert min_isr(c, "") == [("1", 3)], min_isr(c, "")
    refused = "Broker-level min.insync.replicas cannot be altered while ELR is enabled."
    assert alter(c, "1", 0, "2") == (40, refused)
    change(c, "eligible.leader.replicas.version", 0)
    assert alter(c, "1", 0, "2") == (0, None) and alter(c, "", 1, None) == (0, None)
    config_reaches(c, "", [])
    assert update(c, ("eligible.leader.replicas.version", 1), validate_only=True)["ErrorCode"] == 0
    assert min_isr(c, "") == []
    assert update(c, ("eligible.leader.replicas.version", 1), ("unknown", 1))["ErrorCode"] == FAILED
    change(c, "eligible.leader.replicas.version", 1)
    config_reaches(c, "", [("1", 3)])
    assert min_isr(c, "1")[0] == ("1", 3), min_isr(c, "1")
    assert alter(c, "1", 0, "2") == (40, refused)
    assert alter(c, "", 1, None) == (40, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")


def case_levels_stay_after_a_restart(t):
    c = t.connect()
    change(c, "streams.version", 0)
    change(c, "transaction.version", 1)
    wanted = {k: v for k, v in NEW.items() if k != "streams.version"}
    wanted["transaction.version"] = 1
    for end in (t.broker.stop, t.broker.kill9):
        end()
        t.broker.start()
        c = t.connect()
        datakit.same(wanted, levels(c)[0])
    change(c, "streams.version", 1)
    change(c, "transaction.version", 2)
    t.broker.kill9()
    t.broker.start()
    c = t.connect()
    datakit.same(NEW, levels(c)[0])
    assert level(c, "streams.version") == 1
