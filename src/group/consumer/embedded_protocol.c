// SPDX-License-Identifier: Apache-2.0
// See the header. Tested by group/consumer/consumer_group_test.c and compat-tests/twin/consumer.
#include "group/consumer/embedded_protocol.h"

#include "base/must.h"
#include "group/topic_index.h"

static int16_t known_version(const struct message_desc *desc, int16_t version)
{
    return version > desc->versions.last ? desc->versions.last : version;
}

bool embedded_version_read(struct bytes bytes, int16_t *version)
{
    struct reader reader;
    reader_init(&reader, bytes.data, bytes.size);
    *version = reader_int16(&reader);
    return !reader_failed(&reader) && *version >= 0;
}

static bool read_message(const struct message_desc *desc, struct bytes bytes, struct arena *arena,
                         void *out)
{
    struct reader reader;
    int16_t version;
    if (!embedded_version_read(bytes, &version))
        return false;
    reader_init(&reader, bytes.data, bytes.size);
    reader_int16(&reader);
    return codec_decode(desc, known_version(desc, version), &reader, arena, out);
}

bool embedded_subscription_read(struct bytes bytes, struct arena *arena,
                                struct consumer_protocol_subscription *out)
{
    return read_message(&consumer_protocol_subscription_desc, bytes, arena, out);
}

bool embedded_assignment_read(struct bytes bytes, struct arena *arena,
                              struct consumer_protocol_assignment *out)
{
    return read_message(&consumer_protocol_assignment_desc, bytes, arena, out);
}

const struct owned_topic *embedded_owned(const struct consumer_protocol_subscription *subscription,
                                         struct topic_index *topics, struct arena *arena,
                                         int32_t *count)
{
    struct owned_topic *owned =
        arena_array(arena, struct owned_topic, subscription->owned_partitions_count + 1);
    *count = 0;
    topic_index_lock_read(topics);
    for (int32_t i = 0; i < subscription->owned_partitions_count; i++) {
        const struct consumer_protocol_subscription_topic_partition *from =
            &subscription->owned_partitions[i];
        const struct indexed_topic *topic = topic_index_find(topics, from->topic);
        if (topic != NULL)
            owned[(*count)++] = (struct owned_topic){ .topic_id = topic->id,
                                                      .partitions = from->partitions,
                                                      .partitions_count = from->partitions_count };
    }
    topic_index_unlock(topics);
    return owned;
}

struct bytes embedded_assignment_write(const struct member_target_value *target, int16_t version,
                                       struct topic_index *topics, struct arena *arena)
{
    struct consumer_protocol_assignment assignment;
    message_init(&consumer_protocol_assignment_desc, &assignment);
    assignment.user_data = BYTES_NULL;
    assignment.assigned_partitions =
        arena_array(arena, struct consumer_protocol_assignment_topic_partition,
                    target->topic_partitions_count + 1);
    topic_index_lock_read(topics);
    for (int32_t i = 0; i < target->topic_partitions_count; i++) {
        const struct target_topic *from = &target->topic_partitions[i];
        const struct indexed_topic *topic = topic_index_find_by_id(topics, from->topic_id);
        if (topic != NULL)
            assignment.assigned_partitions[assignment.assigned_partitions_count++] =
                (struct consumer_protocol_assignment_topic_partition){
                    .topic = arena_str(arena, topic->name),
                    .partitions = from->partitions,
                    .partitions_count = from->partitions_count,
                };
    }
    topic_index_unlock(topics);
    struct writer writer;
    version = known_version(&consumer_protocol_assignment_desc, version);
    writer_init(&writer, arena);
    writer_int16(&writer, version);
    must(codec_encode(&consumer_protocol_assignment_desc, version, &writer, &assignment));
    return writer_flatten(&writer, arena);
}
