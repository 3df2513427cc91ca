# SPDX-License-Identifier: Apache-2.0
"""ApiVersions: ranges and features."""
import wire

NEVER_NONE = {"Produce": (0, 13), "Fetch": (4, 18), "ListOffsets": (1, 11), "Metadata": (0, 13), "ApiVersions": (0, 4),
              "CreateTopics": (2, 7), "DeleteTopics": (1, 6), "InitProducerId": (0, 5), "OffsetForLeaderEpoch": (2, 4),
              "OffsetCommit": (2, 10), "OffsetFetch": (1, 10), "FindCoordinator": (0, 6), "JoinGroup": (0, 9),
              "Heartbeat": (0, 4), "LeaveGroup": (0, 5), "SyncGroup": (0, 5), "DescribeGroups": (0, 6),
              "ListGroups": (0, 5), "DeleteGroups": (0, 2), "DescribeConfigs": (1, 4), "AlterConfigs": (0, 2),
              "IncrementalAlterConfigs": (0, 1), "CreatePartitions": (0, 3), "DescribeCluster": (0, 2),
              "DescribeTopicPartitions": (0, 0)}


def ranges(answer):
    return {a["ApiKey"]: (a["MinVersion"], a["MaxVersion"]) for a in answer["ApiKeys"]}


def case_the_ranges_of_what_is_served(t):
    for version in range(5):
        body = {"ClientSoftwareName": "twin", "ClientSoftwareVersion": "1"} if version >= 3 else {}
        answer = t.connect().call("ApiVersions", version, **body)
        assert answer["ErrorCode"] == 0
        assert answer.get("ThrottleTimeMs", 0) == 0
        offered = ranges(answer)
        for name, range_ in NEVER_NONE.items():
            key = wire.message(name + "Request").api
            assert offered.get(key) == range_, (name, offered.get(key))
        keys = [a["ApiKey"] for a in answer["ApiKeys"]]
        assert keys == sorted(keys)


def features(t, version):
    answer = t.connect().call("ApiVersions", version, ClientSoftwareName="twin", ClientSoftwareVersion="1")
    supported = {f["Name"]: (f["MinVersion"], f["MaxVersion"]) for f in answer["SupportedFeatures"]}
    finalized = {f["Name"]: (f["MinVersionLevel"], f["MaxVersionLevel"]) for f in answer["FinalizedFeatures"]}
    return supported, finalized, answer["FinalizedFeaturesEpoch"]


def case_the_features(t):
    supported, finalized, epoch = features(t, 4)
    assert supported == {"metadata.version": (7, 30), "kraft.version": (0, 1), "group.version": (0, 1),
                         "transaction.version": (0, 2), "share.version": (0, 1), "streams.version": (0, 1),
                         "eligible.leader.replicas.version": (0, 1)}, supported
    assert finalized == {"metadata.version": (30, 30), "kraft.version": (1, 1), "group.version": (1, 1),
                         "transaction.version": (2, 2), "share.version": (1, 1), "streams.version": (1, 1),
                         "eligible.leader.replicas.version": (1, 1)}, finalized
    assert epoch > 0


def case_before_version_4_features_from_level_0_are_not_told(t):
    supported, finalized, _ = features(t, 3)  # those clients take a lowest version of 0 for an error
    assert supported == {"metadata.version": (7, 30)}, supported
    assert len(finalized) == 7
