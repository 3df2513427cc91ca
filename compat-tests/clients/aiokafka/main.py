# SPDX-License-Identifier: Apache-2.0
"""aiokafka against a broker. It cannot delete groups."""

import asyncio
import time

import aiokafka
import kit
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, errors
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from kit import name, same

# The client itself refuses to send a message that has neither.
PAIRS = [pair for pair in kit.KEYS_VALUES if pair != (None, None)]


async def becomes(want, ask, what):
    """As kit.becomes, of an awaited answer."""
    end = time.monotonic() + kit.LIMIT_S
    got = await ask()
    while got != want and time.monotonic() < end:
        await asyncio.sleep(0.01)
        got = await ask()
    same(want, got, what)


async def with_admin(ask):
    client = AIOKafkaAdminClient(bootstrap_servers=kit.BOOTSTRAP)
    await client.start()
    try:
        return await ask(client)
    finally:
        await client.close()


async def consumer(group=None, **more):
    reader = AIOKafkaConsumer(bootstrap_servers=kit.BOOTSTRAP, group_id=group,
                              enable_auto_commit=False, auto_offset_reset="earliest", **more)
    await reader.start()
    return reader


async def producer(**more):
    sender = AIOKafkaProducer(bootstrap_servers=kit.BOOTSTRAP, **more)
    await sender.start()
    return sender


async def refused(want, attempt, what):
    got = None
    try:
        await attempt
    except errors.KafkaError as error:
        got = type(error)
    same(want, got, what)


async def create(full, partitions=1, replicas=1, configs=None):
    """Returns the error code of the answer's one topic."""
    answer = await with_admin(lambda a: a.create_topics(
        [NewTopic(full, partitions, replicas, topic_configs=configs)]))
    return answer.topic_errors[0][1]


async def topic(what, partitions=1):
    """Creates a topic and waits until its leader serves it."""
    full = name(what)
    same(0, await create(full, partitions), "create")
    every = [TopicPartition(full, p) for p in range(partitions)]
    reader = await consumer()
    reader.assign(every)

    async def served():
        try:
            return len(await reader.end_offsets(every))
        except errors.KafkaError:
            return 0
    await becomes(partitions, served, "partitions served of " + full)
    await reader.stop()
    return full


async def fill(to, count, pad, **more):
    sender = await producer(**more)
    sent = [await sender.send(to, kit.value(i, pad), partition=0) for i in range(count)]
    same(list(range(count)), [(await one).offset for one in sent], "offsets told")
    await sender.stop()


async def read(of, count, start=0):
    reader = await consumer()
    reader.assign([TopicPartition(of, 0)])
    reader.seek(TopicPartition(of, 0), start)
    messages = await take(reader, count)
    await reader.stop()
    return messages


async def take(reader, count):
    end = time.monotonic() + kit.LIMIT_S
    messages = []
    while len(messages) < count and time.monotonic() < end:
        found = await reader.getmany(timeout_ms=1000, max_records=count - len(messages))
        for some in found.values():
            messages += some
    return messages


async def check_filled(of, start, count, pad):
    messages = await read(of, count - start, start)
    same(list(range(start, count)), [m.offset for m in messages], "offsets")
    same([kit.value(i, pad) for i in range(start, count)], [m.value for m in messages], "values")


async def produce():
    to = await topic("produce", 3)
    sender = await producer(acks="all")
    sent = [await sender.send(to, b"value-%d" % i, key=b"key", partition=i % 3)
            for i in range(90)]
    reports = [await one for one in sent]
    same([(i % 3, i // 3) for i in range(90)], [(r.partition, r.offset) for r in reports],
         "reports")
    await sender.stop()


async def consume_from_beginning():
    to = await topic("beginning")
    await fill(to, 1000, 100)
    await check_filled(to, 0, 1000, 100)
    await check_filled(to, 700, 1000, 100)


async def consume_from_time():
    to = await topic("time")
    sender = await producer()
    for i in range(100):
        await sender.send(to, b"%d" % i, partition=0, timestamp_ms=kit.TIME_BASE_MS + i * 1000)
        if i % 10 == 9:
            await sender.flush()
    await sender.stop()
    reader = await consumer()
    partition = TopicPartition(to, 0)
    for asked, wanted in kit.TIME_CASES:
        found = (await reader.offsets_for_times({partition: asked}))[partition]
        same((wanted, kit.TIME_BASE_MS + wanted * 1000), (found.offset, found.timestamp),
             "the offset for %d" % asked)
    same(None, (await reader.offsets_for_times({partition: kit.TIME_AFTER_MS}))[partition],
         "the offset for a time after the last")
    await reader.stop()
    message = (await read(to, 1, 45))[0]
    same((b"45", kit.TIME_BASE_MS + 45000), (message.value, message.timestamp), "the message")


async def group_commit_resume():
    to = await topic("resume")
    group = name("resume-group")
    await fill(to, 100, 10)
    first = await consumer(group)
    first.subscribe([to])
    same(list(range(40)), [m.offset for m in await take(first, 40)], "the first part")
    await first.commit()
    same(40, await first.committed(TopicPartition(to, 0)), "committed")
    await first.stop()
    second = await consumer(group)
    second.subscribe([to])
    same(list(range(40, 100)), [m.offset for m in await take(second, 60)], "the second part")
    await second.stop()


async def compression(codec):
    to = await topic("compression-" + codec)
    await fill(to, 2000, 500, compression_type=codec, linger_ms=50)
    await check_filled(to, 0, 2000, 500)
    await check_filled(to, 1234, 2000, 500)


async def headers():
    to = await topic("headers")
    sender = await producer()
    await sender.send_and_wait(to, b"v", key=b"k", partition=0, headers=kit.HEADERS)
    await sender.stop()
    same(kit.HEADERS, list((await read(to, 1))[0].headers), "headers")


async def null_key_value():
    to = await topic("null")
    sender = await producer()
    for key, value in PAIRS:
        await sender.send_and_wait(to, value, key=key, partition=0)
    await sender.stop()
    same(PAIRS, [(m.key, m.value) for m in await read(to, len(PAIRS))],
         "nulls")


async def send_large(to, size):
    sender = await producer(max_request_size=3000000, max_batch_size=3000000)
    try:
        return (await sender.send_and_wait(to, kit.large(size), partition=0)).offset
    finally:
        await sender.stop()


async def message_1mb():
    to = await topic("1mb")
    for i in range(3):
        same(i, await send_large(to, kit.LARGEST_VALUE), "offset")
    messages = await read(to, 3)
    same([True] * 3, [m.value == kit.large(kit.LARGEST_VALUE) for m in messages], "values")


async def message_too_large():
    to = await topic("too-large")
    for size in (kit.LARGEST_VALUE + 1, 2500000):
        await refused(errors.MessageSizeTooLargeError, send_large(to, size), "%d bytes" % size)
    same(0, await send_large(to, 10), "the first offset after refusals")


async def idempotent_produce():
    to = await topic("idempotent")
    await fill(to, 1000, 50, enable_idempotence=True, max_batch_size=500)
    await check_filled(to, 0, 1000, 50)


async def partitions_of(full):
    for found in await with_admin(lambda a: a.describe_topics()):
        if found["topic"] == full:
            return len(found["partitions"])
    return None


async def admin_topics():
    full = name("admin")
    same(0, await create(full, 4, configs={"retention.ms": "5000"}), "create")
    await becomes(4, lambda: partitions_of(full), "partitions")
    same(errors.TopicAlreadyExistsError.errno, await create(full), "the same name")
    same(errors.InvalidTopicError.errno, await create("bad name!"), "a bad name")
    same(errors.InvalidReplicationFactorError.errno, await create(name("rf"), 1, 2), "replicas")
    same(errors.InvalidConfigurationError.errno,
         await create(name("c"), configs={"retention.ms": "soon"}), "a bad config")
    answer = await with_admin(lambda a: a.delete_topics([full]))
    same(0, answer.topic_error_codes[0][1], "delete")
    await becomes(None, lambda: partitions_of(full), "partitions after the deletion")
    answer = await with_admin(lambda a: a.delete_topics([full]))
    same(errors.UnknownTopicOrPartitionError.errno, answer.topic_error_codes[0][1], "no topic")


async def admin_create_partitions():
    full = await topic("grow", 2)
    await with_admin(lambda a: a.create_partitions({full: NewPartitions(5)}))
    await becomes(5, lambda: partitions_of(full), "partitions")
    for count in (3, 5):
        await refused(errors.InvalidPartitionsError, with_admin(
            lambda a: a.create_partitions({full: NewPartitions(count)})), "to %d" % count)


async def config(kind, of, key):
    answers = await with_admin(lambda a: a.describe_configs([ConfigResource(kind, of)]))
    entries = answers[0].resources[0][4]
    return {entry[0]: entry[1] for entry in entries}[key]


async def admin_configs():
    full = await topic("configs")
    kind = ConfigResourceType.TOPIC
    same("604800000", await config(kind, full, "retention.ms"), "default")
    await with_admin(lambda a: a.alter_configs(
        [ConfigResource(kind, full, {"retention.ms": "12345"})]))
    await becomes("12345", lambda: config(kind, full, "retention.ms"), "set")
    # Not the incremental request: what is not named goes back to its default.
    await with_admin(lambda a: a.alter_configs(
        [ConfigResource(kind, full, {"cleanup.policy": "compact"})]))
    await becomes("604800000", lambda: config(kind, full, "retention.ms"), "unset")
    same("1", await config(ConfigResourceType.BROKER, "1", "node.id"), "node.id")


async def describe_group(group):
    answer = (await with_admin(lambda a: a.describe_consumer_groups([group])))[0]
    _, _, state, _, _, members = answer.groups[0][:6]
    return state, [member[1] for member in members]


async def admin_groups():
    full = await topic("groups")
    group = name("group")
    await fill(full, 5, 5)
    member = await consumer(group, client_id="aiokafka-suite")
    member.subscribe([full])
    await take(member, 5)
    await member.commit()
    same(("Stable", ["aiokafka-suite"]), await describe_group(group), "with a member")
    offsets = await with_admin(lambda a: a.list_consumer_group_offsets(group))
    same({TopicPartition(full, 0): 5}, {p: o.offset for p, o in offsets.items()}, "offsets")
    await member.stop()
    same(("Empty", []), await describe_group(group), "when all left")
    listed = await with_admin(lambda a: a.list_consumer_groups())
    same(True, (group, "consumer") in listed, "listed")
    same(("Dead", []), await describe_group(name("none")), "of no group")


def test(function, *arguments):
    return lambda: asyncio.run(function(*arguments))


print("# aiokafka %s" % aiokafka.__version__, flush=True)
kit.run([
    ("produce", test(produce)),
    ("consume-from-beginning", test(consume_from_beginning)),
    ("consume-from-time", test(consume_from_time)),
    ("group-commit-resume", test(group_commit_resume)),
    ("compression-gzip", test(compression, "gzip")),
    ("compression-snappy", test(compression, "snappy")),
    ("compression-lz4", test(compression, "lz4")),
    ("compression-zstd", test(compression, "zstd")),
    ("headers", test(headers)),
    ("null-key-value", test(null_key_value)),
    ("message-1mb", test(message_1mb)),
    ("message-too-large", test(message_too_large)),
    ("idempotent-produce", test(idempotent_produce)),
    ("admin-topics", test(admin_topics)),
    ("admin-create-partitions", test(admin_create_partitions)),
    ("admin-configs", test(admin_configs)),
    ("admin-groups", test(admin_groups)),
])
