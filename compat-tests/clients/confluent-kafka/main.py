# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka against a broker."""

import time

import confluent_kafka
import kit
from confluent_kafka import (Consumer, ConsumerGroupState, ConsumerGroupTopicPartitions,
                             KafkaError, KafkaException, Producer, TopicCollection,
                             TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
                                   ConfigSource, NewPartitions, NewTopic, OffsetSpec,
                                   ResourceType)
from kit import becomes, name, same


def settings(**more):
    every = {"bootstrap.servers": kit.BOOTSTRAP, "log_level": 4}
    every.update({key.replace("_", "."): value for key, value in more.items()})
    return every


# Kept for as long as the process runs: its end is the end of all requests on their way.
ADMIN = AdminClient(settings())


def consumer(group="unused", **more):
    return Consumer(settings(group_id=group, enable_auto_commit=False,
                             auto_offset_reset="earliest", **more))


def wait(future):
    return future.result(timeout=kit.LIMIT_S)


def refused(code, future, what):
    """The future must end in an error of that code."""
    try:
        wait(future)
    except KafkaException as error:
        same(code, error.args[0].code(), what)
    else:
        raise AssertionError(what + " was not refused")


def topic(what, partitions=1):
    """Creates a topic and waits until its leader serves it."""
    full = name(what)
    wait(ADMIN.create_topics([NewTopic(full, partitions, 1)])[full])
    for partition in range(partitions):
        becomes(True, lambda: served(full, partition), "a leader of " + full)
    return full


def served(full, partition):
    try:
        reader = consumer()
        reader.get_watermark_offsets(TopicPartition(full, partition), timeout=kit.LIMIT_S)
        return True
    except KafkaException:
        return False
    finally:
        reader.close()


class Sender:
    """A producer that remembers what each delivery report said."""

    def __init__(self, **more):
        self._producer = Producer(settings(**more))
        self.reports = []

    def send(self, to, value, **more):
        while True:
            try:
                return self._producer.produce(to, value=value, on_delivery=self._note, **more)
            except BufferError:
                self._producer.poll(0.1)

    def _note(self, error, message):
        self.reports.append((error.code() if error else None, message.partition(),
                             message.offset()))

    def finish(self):
        same(0, self._producer.flush(kit.LIMIT_S), "messages left in the queue")
        return self.reports


def fill(to, count, pad, **more):
    sender = Sender(**more)
    for i in range(count):
        sender.send(to, kit.value(i, pad), partition=0)
    same([(None, 0)] * count, [report[:2] for report in sender.finish()], "reports")


def read(of, count, start=0):
    reader = consumer(check_crcs=True)
    reader.assign([TopicPartition(of, 0, start)])
    messages = take(reader, count)
    reader.close()
    return messages


def take(reader, count):
    end = time.monotonic() + kit.LIMIT_S
    messages = []
    while len(messages) < count and time.monotonic() < end:
        messages += reader.consume(count - len(messages), timeout=1)
    for message in messages:
        same(None, message.error(), "a message's error")
    return messages


def check_filled(of, start, count, pad):
    messages = read(of, count - start, start)
    same(list(range(start, count)), [m.offset() for m in messages], "offsets")
    same([kit.value(i, pad) for i in range(start, count)], [m.value() for m in messages], "values")


def produce():
    to = topic("produce", 3)
    sender = Sender(acks="all")
    for i in range(90):
        sender.send(to, b"value-%d" % i, key=b"key", partition=i % 3)
    same(sorted((None, i % 3, i // 3) for i in range(90)), sorted(sender.finish()), "reports")


def consume_from_beginning():
    to = topic("beginning")
    fill(to, 1000, 100)
    check_filled(to, 0, 1000, 100)
    check_filled(to, 700, 1000, 100)


def consume_from_time():
    to = topic("time")
    sender = Sender()
    for i in range(100):
        sender.send(to, b"%d" % i, partition=0, timestamp=kit.TIME_BASE_MS + i * 1000)
        if i % 10 == 9:
            sender.finish()
    reader = consumer()
    for asked, wanted in kit.TIME_CASES:
        found = reader.offsets_for_times([TopicPartition(to, 0, asked)], timeout=kit.LIMIT_S)
        same(wanted, found[0].offset, "the offset for %d" % asked)
    found = reader.offsets_for_times([TopicPartition(to, 0, kit.TIME_AFTER_MS)])
    same(confluent_kafka.OFFSET_END, found[0].offset, "the offset for a time after the last")
    reader.assign([TopicPartition(to, 0, 45)])
    message = take(reader, 1)[0]
    same((b"45", (confluent_kafka.TIMESTAMP_CREATE_TIME, kit.TIME_BASE_MS + 45000)),
         (message.value(), message.timestamp()), "the message")
    reader.close()


def group_commit_resume():
    to = topic("resume")
    group = name("resume-group")
    fill(to, 100, 10)
    first = consumer(group)
    first.subscribe([to])
    same(list(range(40)), [m.offset() for m in take(first, 40)], "the first part")
    first.commit(offsets=[TopicPartition(to, 0, 40)], asynchronous=False)
    same(40, first.committed([TopicPartition(to, 0)], kit.LIMIT_S)[0].offset, "committed")
    first.close()
    second = consumer(group)
    second.subscribe([to])
    same(list(range(40, 100)), [m.offset() for m in take(second, 60)], "the second part")
    second.close()


def group_consumer_protocol():
    """Two members of the consumer protocol (KIP-848) share a topic; the second goes on alone."""
    to = topic("new-protocol", 4)
    group = name("new-protocol-group")
    members = [consumer(group, **{"group.protocol": "consumer"}) for _ in range(2)]
    for count, member in enumerate(members, 1):
        member.subscribe([to])

        def settled():
            for one in members[:count]:
                one.poll(0.05)
            return [len(one.assignment()) for one in members[:count]]
        becomes([4 // count] * count, settled, "the shares of %d members" % count)
    members[0].close()

    def left():
        members[1].poll(0.05)
        return len(members[1].assignment())
    becomes(4, left, "what the second has alone")
    members[1].close()


def polled(members, *shares):
    """Polls until each has so many partitions; what each has."""
    def counts():
        for one in members:
            one.poll(0.05)
        return [len(one.assignment()) for one in members]
    becomes(list(shares), counts, "the shares of %d members" % len(members))
    return [{p.partition for p in one.assignment()} for one in members]


def group_consumer_static():
    """A static member that comes back gets what it had, and nobody else is asked."""
    to, group = topic("new-static", 4), name("new-static-group")

    def static(instance):
        one = consumer(group, group_protocol="consumer", group_instance_id=instance)
        one.subscribe([to])
        return one
    first, second = static("first"), static("second")
    before = polled([first, second], 2, 2)
    first.close()
    first = static("first")
    same(before, polled([first, second], 2, 2), "what they have again")
    first.close()
    second.close()


def group_consumer_regex():
    """The coordinator resolves the expression, also for a topic that comes later."""
    first = topic("new-regex-first")
    one = consumer(name("new-regex-group"), group_protocol="consumer", topic_metadata_refresh_interval_ms=500)
    one.subscribe(["^" + name("new-regex-") + "(first|later)$"])
    polled([one], 1)
    later = topic("new-regex-later")
    polled([one], 2)
    same({first, later}, {p.topic for p in one.assignment()}, "the topics")
    one.close()


def group_consumer_migration():
    """Members of the classic protocol, both, and of the consumer protocol, in one group; what was committed stays."""
    to, group = topic("new-migration", 4), name("new-migration-group")
    fill(to, 20, 10)
    old = consumer(group, group_protocol="classic", partition_assignment_strategy="range")
    old.subscribe([to])
    polled([old], 4)
    old.commit(offsets=[TopicPartition(to, 0, 7)], asynchronous=False)
    new = consumer(group, group_protocol="consumer")
    new.subscribe([to])
    polled([old, new], 2, 2)
    old.close()
    polled([new], 4)
    same(7, new.committed([TopicPartition(to, 0)], kit.LIMIT_S)[0].offset, "committed")
    new.close()


def compression(codec):
    to = topic("compression-" + codec)
    fill(to, 2000, 500, compression_type=codec, linger_ms=50)
    check_filled(to, 0, 2000, 500)
    check_filled(to, 1234, 2000, 500)


def headers():
    to = topic("headers")
    sender = Sender()
    sender.send(to, b"v", key=b"k", partition=0, headers=kit.HEADERS)
    sender.finish()
    same(kit.HEADERS, read(to, 1)[0].headers(), "headers")


def null_key_value():
    to = topic("null")
    sender = Sender()
    for key, value in kit.KEYS_VALUES:
        sender.send(to, value, key=key, partition=0)
    sender.finish()
    same(kit.KEYS_VALUES, [(m.key(), m.value()) for m in read(to, len(kit.KEYS_VALUES))], "nulls")


def send_large(to, size):
    sender = Sender(message_max_bytes=3000000)
    sender.send(to, kit.large(size), partition=0)
    return sender.finish()[0]


def message_1mb():
    to = topic("1mb")
    for i in range(3):
        same((None, 0, i), send_large(to, kit.LARGEST_VALUE), "report")
    same([True] * 3, [m.value() == kit.large(kit.LARGEST_VALUE) for m in read(to, 3)], "values")


def message_too_large():
    to = topic("too-large")
    for size in (kit.LARGEST_VALUE + 1, 2500000):
        same(KafkaError.MSG_SIZE_TOO_LARGE, send_large(to, size)[0], "the error")
    same((None, 0, 0), send_large(to, 10), "the first offset after refusals")


def idempotent_produce():
    to = topic("idempotent")
    fill(to, 1000, 50, enable_idempotence=True)
    check_filled(to, 0, 1000, 50)


def committed(full):
    """What a consumer of read_committed gets, up to the end."""
    reader = consumer(isolation_level="read_committed", enable_partition_eof=True)
    reader.assign([TopicPartition(full, 0, 0)])
    out = []
    while True:
        message = reader.poll(kit.LIMIT_S)
        if message is None or message.error():
            reader.close()
            return out
        out.append(message.value().decode())


def transactions():
    full = topic("transactions")
    mine = settings(transactional_id=name("transactions-id"), transaction_timeout_ms=60000)
    old = Producer(mine)
    old.init_transactions(kit.LIMIT_S)
    want = []
    for i in range(20):
        old.begin_transaction()
        old.produce(full, str(i), partition=0)
        if i % 4 == 3:
            old.flush(kit.LIMIT_S)
            old.abort_transaction(kit.LIMIT_S)
        else:
            old.commit_transaction(kit.LIMIT_S)
            want.append(str(i))
    same(want, committed(full), "committed")
    old.begin_transaction()
    old.produce(full, "old", partition=0)
    old.flush(kit.LIMIT_S)
    same(want, committed(full), "committed, beside an open transaction")
    young = Producer(mine)
    young.init_transactions(kit.LIMIT_S)
    try:
        old.commit_transaction(kit.LIMIT_S)
    except KafkaException as error:
        same(True, error.args[0].fatal() or error.args[0].txn_requires_abort(), "the old one's error")
    else:
        raise AssertionError("the old producer was not fenced")
    # Offsets go with the records.
    source, group = topic("transactions-from"), name("transactions-group")
    reader = consumer(group)
    young.begin_transaction()
    young.produce(full, "young", partition=0)
    young.send_offsets_to_transaction([TopicPartition(source, 0, 7)],
                                      reader.consumer_group_metadata(), kit.LIMIT_S)
    young.commit_transaction(kit.LIMIT_S)
    same(7, reader.committed([TopicPartition(source, 0)], kit.LIMIT_S)[0].offset, "offset")
    reader.close()
    same(want + ["young"], committed(full), "committed in the end")


def partitions_of(full):
    found = ADMIN.list_topics(timeout=kit.LIMIT_S).topics.get(full)
    return len(found.partitions) if found else None


def admin_topics():
    client = ADMIN
    full = name("admin")
    wait(client.create_topics([NewTopic(full, 4, 1, config={"retention.ms": "5000"})])[full])
    becomes(4, lambda: partitions_of(full), "partitions")
    described = wait(client.describe_topics(TopicCollection([full]))[full])
    same((full, [1, 1, 1, 1]), (described.name, [p.leader.id for p in described.partitions]),
         "described")
    for code, new in (
            (KafkaError.TOPIC_ALREADY_EXISTS, NewTopic(full, 4, 1)),
            (KafkaError.TOPIC_EXCEPTION, NewTopic("bad name!", 1, 1)),
            (KafkaError.INVALID_REPLICATION_FACTOR, NewTopic(name("rf"), 1, 2)),
            (KafkaError.INVALID_CONFIG, NewTopic(name("c"), 1, 1, config={"retention.ms": "x"}))):
        refused(code, client.create_topics([new])[new.topic], "create of " + new.topic)
    wait(client.delete_topics([full])[full])
    becomes(None, lambda: partitions_of(full), "partitions after the deletion")
    refused(KafkaError.UNKNOWN_TOPIC_OR_PART, client.delete_topics([full])[full], "delete")
    refused(KafkaError.UNKNOWN_TOPIC_OR_PART,
            client.describe_topics(TopicCollection([full]))[full], "describe")


def admin_create_partitions():
    full = topic("grow", 2)
    client = ADMIN
    wait(client.create_partitions([NewPartitions(full, 5)])[full])
    becomes(5, lambda: partitions_of(full), "partitions")
    for count in (3, 5):
        refused(KafkaError.INVALID_PARTITIONS,
                client.create_partitions([NewPartitions(full, count)])[full], "to %d" % count)


def config(of, key):
    entry = list(ADMIN.describe_configs([of]).values())[0].result(kit.LIMIT_S)[key]
    return entry.value, ConfigSource(entry.source)


def alter(of, key, value, operation):
    of = ConfigResource(of.restype, of.name, incremental_configs=[
        ConfigEntry(key, value, incremental_operation=operation)])
    return list(ADMIN.incremental_alter_configs([of]).values())[0]


def admin_configs():
    of = ConfigResource(ResourceType.TOPIC, topic("configs"))
    default = ("604800000", ConfigSource.DEFAULT_CONFIG)
    same(default, config(of, "retention.ms"), "default")
    wait(alter(of, "retention.ms", "12345", AlterConfigOpType.SET))
    becomes(("12345", ConfigSource.DYNAMIC_TOPIC_CONFIG), lambda: config(of, "retention.ms"), "set")
    wait(alter(of, "cleanup.policy", "compact", AlterConfigOpType.APPEND))
    becomes("delete,compact", lambda: config(of, "cleanup.policy")[0], "appended")
    wait(alter(of, "retention.ms", None, AlterConfigOpType.DELETE))
    becomes(default, lambda: config(of, "retention.ms"), "unset")
    refused(KafkaError.INVALID_CONFIG, alter(of, "retention.ms", "soon", AlterConfigOpType.SET),
            "no number")
    broker = ConfigResource(ResourceType.BROKER, "1")
    same(("1", ConfigSource.STATIC_BROKER_CONFIG), config(broker, "node.id"), "node.id")


def admin_groups():
    full = topic("groups")
    group = name("group")
    fill(full, 5, 5)
    client = ADMIN
    member = consumer(group, client_id="confluent-suite")
    member.subscribe([full])
    take(member, 5)
    member.commit(asynchronous=False)
    described = wait(client.describe_consumer_groups([group])[group])
    same((ConsumerGroupState.STABLE, ["confluent-suite"]),
         (described.state, [m.client_id for m in described.members]), "with a member")
    refused(KafkaError.NON_EMPTY_GROUP, client.delete_consumer_groups([group])[group], "delete")
    member.close()
    described = wait(client.describe_consumer_groups([group])[group])
    same((ConsumerGroupState.EMPTY, []), (described.state, described.members), "when all left")
    listed = wait(client.list_consumer_groups()).valid
    same(True, group in [one.group_id for one in listed], "listed")
    wait(client.delete_consumer_groups([group])[group])
    listed = wait(client.list_consumer_groups()).valid
    same(False, group in [one.group_id for one in listed], "still listed")
    refused(KafkaError.GROUP_ID_NOT_FOUND, client.delete_consumer_groups([group])[group], "delete")


def admin_group_offsets():
    full = topic("group-offsets", 2)
    group = name("group-offsets")
    fill(full, 20, 5)
    client = ADMIN
    wait(client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(
        group, [TopicPartition(full, 0, 7), TopicPartition(full, 1, 0)])])[group])
    listed = wait(client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group])
    same([(0, 7), (1, 0)], sorted((p.partition, p.offset) for p in listed.topic_partitions),
         "offsets")


def admin_list_offsets():
    full = topic("list-offsets")
    partition = TopicPartition(full, 0)
    fill(full, 10, 5)
    for spec, least, most in ((OffsetSpec.earliest(), 0, 0), (OffsetSpec.latest(), 10, 10),
                              (OffsetSpec.for_timestamp(1), 0, 0),
                              (OffsetSpec.max_timestamp(), 0, 9)):
        found = wait(ADMIN.list_offsets({partition: spec})[partition]).offset
        same(True, least <= found <= most, "%s tells %d" % (spec, found))


def admin_cluster():
    cluster = wait(ADMIN.describe_cluster())
    same(([1], 1, 22), ([node.id for node in cluster.nodes], cluster.controller.id,
                        len(cluster.cluster_id)), "cluster")


print("# confluent-kafka %s, librdkafka %s"
      % (confluent_kafka.version(), confluent_kafka.libversion()[0]), flush=True)
kit.run([
    ("produce", produce),
    ("consume-from-beginning", consume_from_beginning),
    ("consume-from-time", consume_from_time),
    ("group-commit-resume", group_commit_resume),
    ("group-consumer-protocol", group_consumer_protocol),
    ("group-consumer-static", group_consumer_static),
    ("group-consumer-regex", group_consumer_regex),
    ("group-consumer-migration", group_consumer_migration),
    ("compression-gzip", lambda: compression("gzip")),
    ("compression-snappy", lambda: compression("snappy")),
    ("compression-lz4", lambda: compression("lz4")),
    ("compression-zstd", lambda: compression("zstd")),
    ("headers", headers),
    ("null-key-value", null_key_value),
    ("message-1mb", message_1mb),
    ("message-too-large", message_too_large),
    ("idempotent-produce", idempotent_produce),
    ("transactions", transactions),
    ("admin-topics", admin_topics),
    ("admin-create-partitions", admin_create_partitions),
    ("admin-configs", admin_configs),
    ("admin-groups", admin_groups),
    ("admin-group-offsets", admin_group_offsets),
    ("admin-list-offsets", admin_list_offsets),
    ("admin-cluster", admin_cluster),
])
