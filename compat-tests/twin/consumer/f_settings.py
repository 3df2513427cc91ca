# SPDX-License-Identifier: Apache-2.0
"""Settings of groups, and which resources have settings (KIP-1142)."""
from member import wait_for


def set_(t, group, name, value, operation=0):
    answer = t.connect().call("IncrementalAlterConfigs", 1, Resources=[
        {"ResourceType": 32, "ResourceName": group, "Configs": [
            {"Name": name, "ConfigOperation": operation, "Value": value}]}])["Responses"][0]
    return t.error(answer["ErrorCode"])


def listed(t, *types, version=1):
    answer = t.connect().call("ListConfigResources", version, **({"ResourceTypes": list(types)} if version else {}))
    if answer["ErrorCode"]:
        return t.error(answer["ErrorCode"])
    return sorted((r.get("ResourceType", 16), r["ResourceName"]) for r in answer["ConfigResources"])


def case_groups_are_listed_while_they_have_settings(t):
    group = t.name("group")
    assert (32, group) not in listed(t, 32)
    assert set_(t, group, "consumer.session.timeout.ms", "6000") == "NONE"
    wait_for(lambda: (32, group) in listed(t, 32), "the group")
    assert (32, group) in listed(t)
    assert set_(t, group, "consumer.session.timeout.ms", None, operation=1) == "NONE"
    wait_for(lambda: (32, group) not in listed(t, 32), "the group to go")


def case_other_resources(t):
    topic = t.topic()
    every = listed(t)
    assert (2, topic) in every and (4, "1") in every and (8, "1") in every, every
    assert listed(t, 4) == [(4, "1")] and listed(t, 8) == [(8, "1")]
    assert {kind for kind, _ in listed(t, 2)} == {2}
    assert listed(t, version=0) == []
    assert listed(t, 3) == "UNSUPPORTED_VERSION"


def case_what_a_group_may_have(t):
    group = t.name("group")
    assert set_(t, group, "consumer.session.timeout.ms", "5") == "INVALID_CONFIG"  # below the broker's least
    assert set_(t, group, "consumer.heartbeat.interval.ms", "60000") == "INVALID_CONFIG"
    assert set_(t, group, "no.such", "1") == "INVALID_CONFIG"
