# SPDX-License-Identifier: Apache-2.0
"""FindCoordinator. First of the area: it sees the topic of the groups come to be."""
from member import coordinator_is_there

MALFORMED = ("This most likely occurs because of a request being malformed by the client library or the message was "
             "sent to an incompatible broker. See the broker logs for more details.")


def case_the_coordinator_comes_with_the_first_question(t):
    link = t.connect()
    first = link.call("FindCoordinator", 3, Key="g", KeyType=0)
    if first["ErrorCode"] != 0: # a broker that is quick may be there already
        assert first == {"ThrottleTimeMs": 0, "ErrorCode": 15, "ErrorMessage": "The coordinator is not available.",
                         "NodeId": -1, "Host": "", "Port": -1}, first
    coordinator_is_there(t, "g")


def case_every_version_names_the_broker(t):
    coordinator_is_there(t, "g")
    host, port = t.bootstrap.split(":")
    link = t.connect()
    there = {"ErrorCode": 0, "NodeId": 1, "Host": host, "Port": int(port)}
    assert link.call("FindCoordinator", 0, Key="g") == there
    there.update(ThrottleTimeMs=0, ErrorMessage="NONE")
    for version in (1, 2, 3):
        assert link.call("FindCoordinator", version, Key="g", KeyType=0) == there
    del there["ThrottleTimeMs"]
    there["ErrorMessage"] = ""
    for version in (4, 5, 6):
        answer = link.call("FindCoordinator", version, KeyType=0, CoordinatorKeys=["g", "h"])
        assert answer == {"ThrottleTimeMs": 0, "Coordinators": [dict(there, Key="g"), dict(there, Key="h")]}, answer


def case_unknown_types_are_refused(t):
    link = t.connect()
    nowhere = {"ErrorCode": 42, "ErrorMessage": MALFORMED, "NodeId": -1, "Host": "", "Port": -1}
    for kind in (-1, 3, 5):
        assert link.call("FindCoordinator", 1, Key="g", KeyType=kind) == dict(nowhere, ThrottleTimeMs=0)
        answer = link.call("FindCoordinator", 4, KeyType=kind, CoordinatorKeys=["g", "h"])
        assert answer["Coordinators"] == [dict(nowhere, Key="g"), dict(nowhere, Key="h")], answer


def case_share_coordinators_are_of_version_6(t):
    link = t.connect()
    for version in (4, 5):
        answer = link.call("FindCoordinator", version, KeyType=2, CoordinatorKeys=["g:AAAAAAAAAAAAAAAAAAAAAA:1"])
        found = answer["Coordinators"][0]
        assert (t.error(found["ErrorCode"]), found["ErrorMessage"]) == ("INVALID_REQUEST", ""), answer


def case_the_topic_is_internal_and_compacted(t):
    coordinator_is_there(t, "g")
    link = t.connect()
    topic = link.call("Metadata", 12, Topics=[{"Name": "__consumer_offsets"}])["Topics"][0]
    assert topic["IsInternal"] is True and len(topic["Partitions"]) == 5, topic
    wanted = {"cleanup.policy": "compact", "compression.type": "producer", "segment.bytes": "104857600"}
    configs = link.call("DescribeConfigs", 4, Resources=[
        {"ResourceType": 2, "ResourceName": "__consumer_offsets",
         "ConfigurationKeys": sorted(wanted)}])["Results"][0]["Configs"]
    assert {c["Name"]: c["Value"] for c in configs} == wanted, configs


def case_keys_of_any_kind(t):
    coordinator_is_there(t, "g")
    link = t.connect()
    assert link.call("FindCoordinator", 2, Key="", KeyType=0)["ErrorCode"] == 0
    for keys in ([], ["", "g", "g"], ["é" * 15000]):
        found = link.call("FindCoordinator", 6, KeyType=0, CoordinatorKeys=keys)["Coordinators"]
        assert [(c["Key"], c["ErrorCode"], c["NodeId"]) for c in found] == [(key, 0, 1) for key in keys], found
    for key in ("", "g", "g:t:0", "g:AAAAAAAAAAAAAAAAAAAAAA:x", ":AAAAAAAAAAAAAAAAAAAAAA:0"):
        found = link.call("FindCoordinator", 6, KeyType=2, CoordinatorKeys=[key])["Coordinators"]
        assert [(c["Key"], t.error(c["ErrorCode"])) for c in found] == [(key, "INVALID_REQUEST")], found
