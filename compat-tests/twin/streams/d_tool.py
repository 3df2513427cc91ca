# SPDX-License-Identifier: Apache-2.0
"""kafka-streams-groups: lists, describes and deletes a streams group."""
import os
import subprocess

import datakit
from a_members import begin
from streams_member import Member, subtopology

KAFKA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib", "kafka")


def tool(t, *arguments):
    done = subprocess.run([KAFKA, "tool", "streams-groups", "--bootstrap-server", t.bootstrap, *arguments],
                          capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, JAVA_TOOL_OPTIONS="-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"))
    return [line.split() for line in done.stdout.splitlines() if line.strip()]


def case_the_tool_shows_and_deletes(t):
    c, topic, group = begin(t, partitions=2)
    c.call("IncrementalAlterConfigs", 1, Resources=[{"ResourceType": 32, "ResourceName": group, "Configs": [
        {"Name": "streams.session.timeout.ms", "ConfigOperation": 0, "Value": "60000"}]}])
    m = Member(t, group, [subtopology("0", [topic.name])])
    m.join()
    m.beat()
    assert [group, "Stable"] in tool(t, "--list", "--state")
    datakit.same([["GROUP", "TOPIC", "PARTITION", "OFFSET-LAG"], [group, topic.name, "0", "0"],
                  [group, topic.name, "1", "0"]], sorted(tool(t, "--describe", "--group", group)))
    m.beat()
    datakit.same([["GROUP", "COORDINATOR", "(ID)", "STATE", "GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH", "#MEMBERS"],
                  [group, t.bootstrap, "(1)", "Stable", "2", "2", "1"]],
                 tool(t, "--describe", "--group", group, "--state", "--verbose"))
    datakit.same([group, "2", "0", m.name, "streams", "2", m.process, "twin", "ACTIVE:", "0:[0,1];", "TARGET-ACTIVE:",
                  "0:[0,1];"], tool(t, "--describe", "--group", group, "--members", "--verbose")[1])
    m.leave()
    datakit.same([["Deletion", "of", "requested", "streams", "groups", "('%s')" % group, "was", "successful."]],
                 tool(t, "--delete", "--group", group))
    assert [group] not in tool(t, "--list")
