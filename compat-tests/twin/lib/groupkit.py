# SPDX-License-Identifier: Apache-2.0
"""What is told of a group, whatever its kind."""
from member import describe as describe_classic
from newmember import describe


def listed(c, group):
    return [g for g in c.call("ListGroups", 5, StatesFilter=[], TypesFilter=[])["Groups"] if g["GroupId"] == group]


def everything_about(s, c, t, group):
    """What is told of a group whatever its kind."""
    s("DescribeGroups 5", describe_classic(t, group))
    s("DescribeGroups 6", describe_classic(t, group, 6))
    s("ConsumerGroupDescribe", describe(t, group))
    s("ShareGroupDescribe", c.call("ShareGroupDescribe", 1, GroupIds=[group])["Groups"][0])
    s("StreamsGroupDescribe", c.call("StreamsGroupDescribe", 0, GroupIds=[group])["Groups"][0])
    s("ListGroups", listed(c, group))
