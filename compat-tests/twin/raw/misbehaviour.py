# SPDX-License-Identifier: Apache-2.0
"""What is no request, half a request or too much of one: what the broker answers, and that only that connection
suffers."""
import socket
import struct

import wire

API_VERSIONS, METADATA, PRODUCE = 18, 3, 0
REQUEST_MAX = 104857600  # socket.request.max.bytes


def header(key, version, correlation_id=7, client=b"raw", flexible=False):
    out = struct.pack(">hhi", key, version, correlation_id)
    out += struct.pack(">h", -1) if client is None else struct.pack(">h", len(client)) + client
    return out + (b"\0" if flexible else b"")


def frame(body):
    return struct.pack(">i", len(body)) + body


def answers(t, body):
    """The frame that this one is answered with, without its correlation id."""
    link = t.connect(timeout_s=10)
    link.send_raw(frame(body))
    answer = link.receive_frame()
    assert answer[:4] == struct.pack(">i", 7), answer
    return answer[4:]


def is_closed(t, data):
    """That these bytes, sent as they are, end the connection without a byte of answer, and no other one."""
    good = t.connect(timeout_s=10)
    link = t.connect(timeout_s=10)
    link.send_raw(data)
    assert link.expect_silence_then_close(), "an answer"
    assert good.call("ApiVersions", 0)["ErrorCode"] == 0
    return True


def api_versions_v3(name=b"twin", version=b"1.0", header_tags=b"\0", rest=b""):
    head = struct.pack(">hhi", API_VERSIONS, 3, 7) + struct.pack(">h", 3) + b"raw" + header_tags
    return head + bytes([len(name) + 1]) + name + bytes([len(version) + 1]) + version + b"\0" + rest


def case_a_newer_api_versions_is_answered_in_version_0(t):
    # UNSUPPORTED_VERSION and the one range that helps: ApiVersions 0 to 4.
    wanted = struct.pack(">hihhh", 35, 1, API_VERSIONS, 0, 4)
    assert answers(t, header(API_VERSIONS, 5, flexible=True) + b"\x05twin\x041.0\0") == wanted
    assert answers(t, header(API_VERSIONS, 32767, flexible=True) + b"anything") == wanted
    assert answers(t, header(API_VERSIONS, -1)) == wanted


def case_a_newer_api_versions_needs_a_whole_header(t):
    assert is_closed(t, frame(header(API_VERSIONS, 100)))  # no tagged fields


def case_software_names_are_checked(t):
    refused = struct.pack(">h", 42) + b"\x01" + struct.pack(">i", 0) + b"\0"  # INVALID_REQUEST and nothing else
    for name in (b"", b"te st", b"-twin", b"twin-", b"tw\xc3\xa4n", b"."):
        assert answers(t, api_versions_v3(name=name)) == refused, name
    assert answers(t, api_versions_v3(version=b"")) == refused
    for name in (b"t", b"twin.name-1", b"1"):
        assert answers(t, api_versions_v3(name=name))[:2] == b"\0\0", name


def case_bytes_behind_a_request_are_ignored(t):
    assert answers(t, header(API_VERSIONS, 0) + b"more")[:2] == b"\0\0"
    assert answers(t, api_versions_v3(rest=b"more"))[:2] == b"\0\0"
    assert len(answers(t, header(METADATA, 1) + struct.pack(">i", 0) + b"more")) > 20


def case_unknown_tagged_fields_are_ignored(t):
    assert answers(t, api_versions_v3(header_tags=b"\x01\x05\x02ab"))[:2] == b"\0\0"


def case_client_ids_of_all_kinds(t):
    for client in (None, b"", b"\xff\xfe\x80", b"x" * 32767):
        assert answers(t, header(API_VERSIONS, 0, client=client))[:2] == b"\0\0", client
    assert answers(t, struct.pack(">hhih", API_VERSIONS, 0, 7, -2))[:2] == b"\0\0"  # any negative length is null


def case_no_such_api(t):
    for key in (999, -1, 32767, 4, 7):  # 4 and 7 were Kafka's, between ZooKeeper and its brokers
        assert is_closed(t, frame(header(key, 0))), key


def case_versions_that_are_not_served(t):
    for key, version, flexible in ((METADATA, 99, True), (METADATA, -1, False), (PRODUCE, 2, False), (PRODUCE, 0, False),
                                   (PRODUCE, 14, True), (22, 6, True)):  # InitProducerId 6 is unstable
        assert is_closed(t, frame(header(key, version, flexible=flexible) + bytes(20))), (key, version)


def case_an_api_of_another_listener(t):
    assert is_closed(t, frame(header(52, 2, flexible=True) + bytes(20)))  # Vote is for controllers


def case_requests_that_end_early(t):
    for body in (b"", b"\0\x12\0", header(API_VERSIONS, 0)[:8], struct.pack(">hhih", API_VERSIONS, 0, 7, 100) + b"abc",
                 api_versions_v3()[:-6], header(METADATA, 1), header(METADATA, 1) + struct.pack(">i", 5)):
        assert is_closed(t, frame(body)), body


def case_counts_that_lie(t):
    for count in (0x7fffffff, 1000000, 1):
        assert is_closed(t, frame(header(METADATA, 1) + struct.pack(">i", count))), count


def case_null_where_there_must_be_something(t):
    assert is_closed(t, frame(header(METADATA, 0) + struct.pack(">i", -1)))
    assert is_closed(t, frame(header(METADATA, 1) + struct.pack(">ih", 1, -1)))


def case_any_negative_count_is_null(t):
    all_topics = answers(t, header(METADATA, 1) + struct.pack(">i", -1))
    assert answers(t, header(METADATA, 1) + struct.pack(">i", -2)) == all_topics


def case_sizes_that_cannot_be(t):
    for size in (-1, -2147483648, REQUEST_MAX + 1, 2147483647):
        assert is_closed(t, struct.pack(">i", size)), size
        assert is_closed(t, struct.pack(">i", size) + b"and more"), size
    assert is_closed(t, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert is_closed(t, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # the hello of TLS


def case_an_empty_frame_is_no_request(t):
    assert is_closed(t, struct.pack(">i", 0) + frame(header(API_VERSIONS, 0)))


def case_half_sent_requests_hurt_nobody(t):
    halves = []
    for part in (b"\0", b"\0\0\0", struct.pack(">i", REQUEST_MAX) + b"x" * 1000, frame(header(API_VERSIONS, 0))[:-1]):
        halves.append(t.connect())
        halves[-1].send_raw(part)
    assert t.connect().call("ApiVersions", 0)["ErrorCode"] == 0
    halves[-1].send_raw(header(API_VERSIONS, 0)[-1:])  # the last one was only slow
    assert halves[-1].receive_frame()[4:6] == b"\0\0"


def case_a_request_byte_by_byte(t):
    link = t.connect()
    for byte in frame(header(API_VERSIONS, 0)):
        link.send_raw(bytes([byte]))
    assert link.receive_frame()[:6] == struct.pack(">ih", 7, 0)


def case_replies_come_in_the_order_of_the_requests(t):
    link = t.connect()
    bodies = [header(API_VERSIONS, i % 3, i) if i % 2 else header(METADATA, 1, i) + struct.pack(">i", 0)
              for i in range(500)]
    link.send_raw(b"".join(frame(body) for body in bodies))
    for i in range(500):
        assert link.receive_frame()[:4] == struct.pack(">i", i), i


def case_replies_before_a_bad_request_still_come(t):
    link = t.connect()
    link.send_raw(frame(header(API_VERSIONS, 0, 1)) + frame(header(API_VERSIONS, 0, 2)) + frame(header(999, 0, 3)) +
                  frame(header(API_VERSIONS, 0, 4)))
    for i in (1, 2):
        assert link.receive_frame()[:4] == struct.pack(">i", i)
    assert link.expect_silence_then_close()


def case_a_client_that_sends_no_more_gets_its_reply(t):
    link = t.connect()
    link.send_raw(frame(header(API_VERSIONS, 0)))
    link.socket.shutdown(socket.SHUT_WR)
    assert link.receive_frame()[:6] == struct.pack(">ih", 7, 0)
    assert link.expect_silence_then_close()


def case_many_connections_at_once(t):
    links = [t.connect() for _ in range(1000)]
    for link in links:
        link.send("ApiVersions", 0)
    for link in links:
        assert link.receive()["ErrorCode"] == 0


def case_connections_that_come_and_go(t):
    for i in range(300):
        link = wire.Connection(t.bootstrap)
        if i % 3:
            link.send("ApiVersions", 0)
        if i % 3 == 2:
            assert link.receive()["ErrorCode"] == 0
        link.close()
    assert t.connect().call("ApiVersions", 0)["ErrorCode"] == 0
