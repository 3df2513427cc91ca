// SPDX-License-Identifier: Apache-2.0
// Any bytes as records of the metadata log (a uint16 size before each), and as a snapshot: what can be applied gives an
// image that can be written and made again; what cannot is refused with a reason.
#include "metadata/image_writer.h"
#include "metadata/replay.h"
#include "metadata/snapshot.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_all(struct bytes rest)
{
    struct metadata *metadata = metadata_new();
    struct arena arena;
    arena_init(&arena);
    struct delta delta;
    delta_init(&delta, &arena);
    struct replay replay;
    replay_init(&replay, metadata);
    replay.delta = &delta;
    int64_t offset = 0;
    while (rest.size >= 2) {
        size_t size = get_be16(rest.data);
        if (size > rest.size - 2)
            break;
        if (!replay_value(&replay, (struct bytes){ rest.data + 2, size }, offset++, 1)) {
            must(replay.reason != NULL && replay.reason[0] != '\0');
            break;
        }
        rest = (struct bytes){ rest.data + 2 + size, rest.size - 2 - size };
    }
    delta_finish(&delta, metadata);
    struct metadata *copy = metadata_new();
    image_copy(metadata, copy);
    must(metadata_topics_count(copy) == metadata_topics_count(metadata));
    must(copy->partitions_count == metadata->partitions_count);
    metadata_free(copy);
    replay_fini(&replay);
    delta_fini(&delta);
    arena_fini(&arena);
    metadata_free(metadata);
}

static void read_snapshot(struct bytes file)
{
    struct metadata *metadata = metadata_new();
    struct arena arena;
    arena_init(&arena);
    struct replay replay;
    replay_init(&replay, metadata);
    struct snapshot_head head;
    const char *reason = NULL;
    if (!snapshot_decode(file, &arena, &head, &replay, &reason))
        must(reason != NULL);
    replay_fini(&replay);
    arena_fini(&arena);
    metadata_free(metadata);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    replay_all((struct bytes){ data, size });
    read_snapshot((struct bytes){ data, size });
    return 0;
}
