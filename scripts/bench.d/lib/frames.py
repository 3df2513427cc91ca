# SPDX-License-Identifier: Apache-2.0
"""Files of encoded requests for the load `raw` (load/raw.c), and questions asked of a broker before it is measured."""
import base64
import struct
import time

import wire

LIMIT_S = 60


class Encoder(wire.Connection):
    """Encodes without a connection."""

    def __init__(self, client_id="bench"):
        self.client_id, self.correlation_id, self.waiting = client_id, 0, []


def write(path, requests):
    """`requests`: (where the error code is in an answer, name, version, body); 0: none, negative: from the end."""
    encoder = Encoder()
    with open(path, "wb") as out:
        for error_at, name, version, body in requests:
            out.write(struct.pack(">i", error_at) + encoder.encode(name, version, body))
    return path


def topic_id(link, name):
    return link.call("Metadata", 12, Topics=[{"Name": name}], AllowAutoTopicCreation=False)["Topics"][0]["TopicId"]


def text_of(uuid):
    return base64.urlsafe_b64encode(uuid).decode().rstrip("=")


def await_coordinators(bootstrap, groups):
    """Until each group's coordinator is found, and has read its partition: who asks sooner is refused."""
    with wire.Connection(bootstrap) as link:
        for group in groups:
            deadline = time.monotonic() + LIMIT_S
            while True:
                error = link.call("FindCoordinator", 4, KeyType=0, CoordinatorKeys=[group])["Coordinators"][0]["ErrorCode"]
                if error == 0:
                    error = link.call("OffsetFetch", 8, Groups=[{"GroupId": group, "Topics": None}],
                                      RequireStable=False)["Groups"][0]["ErrorCode"]
                if error == 0:
                    break
                if time.monotonic() > deadline:
                    raise RuntimeError(f"no coordinator of {group}: error {error}")
                time.sleep(0.02)
