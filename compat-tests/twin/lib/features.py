# SPDX-License-Identifier: Apache-2.0
"""Levels of features: asked for, changed, waited for. A broker answers a change before its own image has it."""
import time

UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE = 1, 2, 3
LIMIT_S = 30


def update(link, *updates, version=2, validate_only=False):
    """`updates`: (feature, level[, type]) each. The answer."""
    body = {"timeoutMs": 30000, "FeatureUpdates": [
        dict({"Feature": u[0], "MaxVersionLevel": u[1]},
             **({"UpgradeType": u[2] if len(u) > 2 else UPGRADE} if version >= 1 else {})) for u in updates]}
    if version >= 1:
        body["ValidateOnly"] = validate_only
    return link.call("UpdateFeatures", version, **body)


def levels(link):
    """({feature: finalised level}, epoch)"""
    answer = link.call("ApiVersions", 4, ClientSoftwareName="twin", ClientSoftwareVersion="1")
    found = answer["FinalizedFeatures"]
    assert all(f["MinVersionLevel"] == f["MaxVersionLevel"] for f in found), found
    return {f["Name"]: f["MaxVersionLevel"] for f in found}, answer["FinalizedFeaturesEpoch"]


def ranges(link, version=4):
    """{feature: (lowest, highest supported)}"""
    answer = link.call("ApiVersions", version, ClientSoftwareName="twin", ClientSoftwareVersion="1")
    return {f["Name"]: (f["MinVersion"], f["MaxVersion"]) for f in answer["SupportedFeatures"]}


def level(link, feature):
    return levels(link)[0].get(feature, 0)


def change(link, feature, to):
    """Raises or lowers it and waits until the broker says so."""
    now = level(link, feature)
    if now != to:
        answer = update(link, (feature, to, UPGRADE if to > now else SAFE_DOWNGRADE))
        assert answer["ErrorCode"] == 0, answer
    deadline = time.monotonic() + LIMIT_S
    while level(link, feature) != to:
        assert time.monotonic() < deadline, levels(link)
        time.sleep(0.01)
