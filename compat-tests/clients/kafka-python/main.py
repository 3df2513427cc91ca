# SPDX-License-Identifier: Apache-2.0
"""kafka-python against a broker."""

import time

import kafka
import kit
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka import errors
from kafka.admin import ConfigResource, OffsetSpec
from kit import becomes, name, same

# The client itself refuses to send a header without a value.
HEADERS = [pair for pair in kit.HEADERS if pair[1] is not None]
# The client itself refuses to send a message that has neither.
PAIRS = [pair for pair in kit.KEYS_VALUES if pair != (None, None)]


def with_admin(ask):
    client = KafkaAdminClient(bootstrap_servers=kit.BOOTSTRAP)
    try:
        return ask(client)
    finally:
        client.close()


def consumer(group=None, **more):
    return KafkaConsumer(bootstrap_servers=kit.BOOTSTRAP, group_id=group,
                         enable_auto_commit=False, auto_offset_reset="earliest", **more)


def producer(**more):
    return KafkaProducer(bootstrap_servers=kit.BOOTSTRAP, **more)


def refused(want, attempt, what):
    got = None
    try:
        attempt()
    except errors.KafkaError as error:
        got = type(error)
    same(want, got, what)


def topic(what, partitions=1):
    """Creates a topic and waits until its leader serves it."""
    full = name(what)
    with_admin(lambda a: a.create_topics({full: {"num_partitions": partitions,
                                                 "replication_factor": 1}}))
    ends = {TopicPartition(full, p): OffsetSpec.LATEST for p in range(partitions)}

    def served():
        try:
            return len(with_admin(lambda a: a.list_partition_offsets(ends)))
        except errors.KafkaError:
            return 0
    becomes(partitions, served, "partitions served of " + full)
    return full


def fill(to, count, pad, **more):
    sender = producer(**more)
    sent = [sender.send(to, kit.value(i, pad), partition=0) for i in range(count)]
    same(list(range(count)), [one.get(kit.LIMIT_S).offset for one in sent], "offsets told")
    sender.close()


def read(of, count, start=0):
    reader = consumer()
    reader.assign([TopicPartition(of, 0)])
    reader.seek(TopicPartition(of, 0), start)
    messages = take(reader, count)
    reader.close()
    return messages


def take(reader, count):
    end = time.monotonic() + kit.LIMIT_S
    messages = []
    while len(messages) < count and time.monotonic() < end:
        for some in reader.poll(1000, max_records=count - len(messages)).values():
            messages += some
    return messages


def check_filled(of, start, count, pad):
    messages = read(of, count - start, start)
    same(list(range(start, count)), [m.offset for m in messages], "offsets")
    same([kit.value(i, pad) for i in range(start, count)], [m.value for m in messages], "values")


def produce():
    to = topic("produce", 3)
    sender = producer(acks="all")
    sent = [sender.send(to, b"value-%d" % i, key=b"key", partition=i % 3) for i in range(90)]
    same([(i % 3, i // 3) for i in range(90)],
         [(one.get(kit.LIMIT_S).partition, one.get().offset) for one in sent], "reports")
    same({0, 1, 2}, sender.partitions_for(to), "partitions")
    sender.close()


def consume_from_beginning():
    to = topic("beginning")
    fill(to, 1000, 100)
    check_filled(to, 0, 1000, 100)
    check_filled(to, 700, 1000, 100)


def consume_from_time():
    to = topic("time")
    sender = producer()
    for i in range(100):
        sender.send(to, b"%d" % i, partition=0, timestamp_ms=kit.TIME_BASE_MS + i * 1000)
        if i % 10 == 9:
            sender.flush()
    sender.close()
    reader = consumer()
    partition = TopicPartition(to, 0)
    for asked, wanted in kit.TIME_CASES:
        found = reader.offsets_for_times({partition: asked})[partition]
        same((wanted, kit.TIME_BASE_MS + wanted * 1000), (found.offset, found.timestamp),
             "the offset for %d" % asked)
    same(None, reader.offsets_for_times({partition: kit.TIME_AFTER_MS})[partition],
         "the offset for a time after the last")
    reader.close()
    message = read(to, 1, 45)[0]
    same((b"45", kit.TIME_BASE_MS + 45000), (message.value, message.timestamp), "the message")


def group_commit_resume():
    to = topic("resume")
    group = name("resume-group")
    fill(to, 100, 10)
    first = consumer(group)
    first.subscribe([to])
    same(list(range(40)), [m.offset for m in take(first, 40)], "the first part")
    first.commit()
    same(40, first.committed(TopicPartition(to, 0)), "committed")
    first.close()
    second = consumer(group)
    second.subscribe([to])
    same(list(range(40, 100)), [m.offset for m in take(second, 60)], "the second part")
    second.close()


def compression(codec):
    to = topic("compression-" + codec)
    fill(to, 2000, 500, compression_type=codec, linger_ms=50)
    check_filled(to, 0, 2000, 500)
    check_filled(to, 1234, 2000, 500)


def headers():
    to = topic("headers")
    sender = producer()
    sender.send(to, b"v", key=b"k", partition=0, headers=HEADERS).get(kit.LIMIT_S)
    sender.close()
    same(HEADERS, list(read(to, 1)[0].headers), "headers")


def null_key_value():
    to = topic("null")
    sender = producer()
    for key, value in PAIRS:
        sender.send(to, value, key=key, partition=0).get(kit.LIMIT_S)
    sender.close()
    same(PAIRS, [(m.key, m.value) for m in read(to, len(PAIRS))], "nulls")


def send_large(to, size):
    sender = producer(max_request_size=3000000, batch_size=3000000)
    try:
        return sender.send(to, kit.large(size), partition=0).get(kit.LIMIT_S).offset
    finally:
        sender.close()


def message_1mb():
    to = topic("1mb")
    for i in range(3):
        same(i, send_large(to, kit.LARGEST_VALUE), "offset")
    same([True] * 3, [m.value == kit.large(kit.LARGEST_VALUE) for m in read(to, 3)], "values")


def message_too_large():
    to = topic("too-large")
    for size in (kit.LARGEST_VALUE + 1, 2500000):
        refused(errors.MessageSizeTooLargeError, lambda: send_large(to, size), "%d bytes" % size)
    same(0, send_large(to, 10), "the first offset after refusals")


def idempotent_produce():
    to = topic("idempotent")
    fill(to, 1000, 50, enable_idempotence=True, batch_size=500)
    check_filled(to, 0, 1000, 50)


def partitions_of(full):
    for found in with_admin(lambda a: a.describe_topics()):
        if found["name"] == full:
            return len(found["partitions"])
    return None


def create(new):
    return lambda: with_admin(lambda a: a.create_topics(new))


def admin_topics():
    full = name("admin")
    create({full: {"num_partitions": 4, "replication_factor": 1,
                   "configs": {"retention.ms": "5000"}}})()
    becomes(4, lambda: partitions_of(full), "partitions")
    refused(errors.TopicAlreadyExistsError, create([full]), "the same name")
    refused(errors.InvalidTopicError, create(["bad name!"]), "a bad name")
    refused(errors.InvalidReplicationFactorError,
            create({name("rf"): {"num_partitions": 1, "replication_factor": 2}}), "two replicas")
    refused(errors.InvalidConfigurationError,
            create({name("c"): {"configs": {"retention.ms": "soon"}}}), "a bad config")
    with_admin(lambda a: a.delete_topics([full]))
    becomes(None, lambda: partitions_of(full), "partitions after the deletion")
    refused(errors.UnknownTopicOrPartitionError,
            lambda: with_admin(lambda a: a.delete_topics([full])), "delete of no topic")


def admin_create_partitions():
    full = topic("grow", 2)
    with_admin(lambda a: a.create_partitions({full: 5}))
    becomes(5, lambda: partitions_of(full), "partitions")
    for count in (3, 5):
        refused(errors.InvalidPartitionsError,
                lambda: with_admin(lambda a: a.create_partitions({full: count})), "to %d" % count)


def config(kind, of, key):
    found = with_admin(lambda a: a.describe_configs([ConfigResource(kind, of)],
                                                    config_filter="all"))
    return found[kind.lower()][of][key]["value"]


def alter(full, configs):
    with_admin(lambda a: a.alter_configs([ConfigResource("TOPIC", full, configs)]))


def admin_configs():
    full = topic("configs")
    same("604800000", config("TOPIC", full, "retention.ms"), "default")
    alter(full, {"retention.ms": "12345"})
    becomes("12345", lambda: config("TOPIC", full, "retention.ms"), "set")
    alter(full, {"cleanup.policy": ("append", "compact")})
    becomes("delete,compact", lambda: config("TOPIC", full, "cleanup.policy"), "appended")
    with_admin(lambda a: a.reset_configs([ConfigResource("TOPIC", full, ["retention.ms"])]))
    becomes("604800000", lambda: config("TOPIC", full, "retention.ms"), "unset")
    same("1", config("BROKER", "1", "node.id"), "node.id")


def admin_groups():
    full = topic("groups")
    group = name("group")
    fill(full, 5, 5)
    member = consumer(group, client_id="kafka-python-suite")
    member.subscribe([full])
    take(member, 5)
    member.commit()
    described = with_admin(lambda a: a.describe_groups([group]))[group]
    same(("Stable", ["kafka-python-suite"]),
         (described["group_state"], [m["client_id"] for m in described["members"]]), "described")
    same({TopicPartition(full, 0): 5},
         {p: o.offset for p, o in with_admin(
             lambda a: a.list_group_offsets({group: None}))[group].items()}, "offsets")
    member.close()
    described = with_admin(lambda a: a.describe_groups([group]))[group]
    same(("Empty", []), (described["group_state"], described["members"]), "when all left")
    same(True, listed(group), "listed")
    with_admin(lambda a: a.delete_groups([group]))
    same(False, listed(group), "still listed")


def listed(group):
    return group in [one["group_id"] for one in with_admin(lambda a: a.list_groups())]


print("# kafka-python %s" % kafka.__version__, flush=True)
kit.run([
    ("produce", produce),
    ("consume-from-beginning", consume_from_beginning),
    ("consume-from-time", consume_from_time),
    ("group-commit-resume", group_commit_resume),
    ("compression-gzip", lambda: compression("gzip")),
    ("compression-snappy", lambda: compression("snappy")),
    ("compression-lz4", lambda: compression("lz4")),
    ("compression-zstd", lambda: compression("zstd")),
    ("headers", headers),
    ("null-key-value", null_key_value),
    ("message-1mb", message_1mb),
    ("message-too-large", message_too_large),
    ("idempotent-produce", idempotent_produce),
    ("admin-topics", admin_topics),
    ("admin-create-partitions", admin_create_partitions),
    ("admin-configs", admin_configs),
    ("admin-groups", admin_groups),
])
