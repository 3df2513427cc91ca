// SPDX-License-Identifier: Apache-2.0
// For tests: the files of a JVM broker in testdata/, and an image as text that two images can be compared by.
#ifndef METADATA_TESTING_IMAGE_H
#define METADATA_TESTING_IMAGE_H

#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/testing.h"
#include "metadata/image_writer.h"
#include "protocol/records/register_broker.h"
#include "protocol/records/register_controller.h"

// A file that Kafka 4.3.1 wrote (see testdata/README), for strbuf_fini.
static inline struct strbuf jvm_file(const char *name)
{
    const char *source = getenv("srcdir");
    char *path = mem_printf("%s/src/metadata/testdata/%s", source != NULL ? source : "..", name);
    struct strbuf out = STRBUF_EMPTY;
    int error = disk_read_whole(disk_posix(), path, &out);
    if (error != 0)
        fprintf(stderr, "%s: %s\n", path, strerror(-error));
    CU_ASSERT_EQUAL_FATAL(error, 0);
    mem_free(path);
    return out;
}

static inline struct bytes strbuf_bytes(const struct strbuf *s)
{
    return (struct bytes){ (const uint8_t *)s->data, s->size };
}

struct image_lines {
    struct strbuf *lines;
    size_t count;
    size_t capacity;
};

static inline int image_compare_broker_features(const void *a, const void *b)
{
    return str_compare(((const struct register_broker_record_broker_feature *)a)->name,
                       ((const struct register_broker_record_broker_feature *)b)->name);
}

static inline int image_compare_controller_features(const void *a, const void *b)
{
    return str_compare(((const struct register_controller_record_controller_feature *)a)->name,
                       ((const struct register_controller_record_controller_feature *)b)->name);
}

// Kafka's snapshots list the features of a registration in the order of a hash table.
static inline void image_sort_features(const struct metadata_entry *entry)
{
    if (entry->type == METADATA_RECORD_REGISTER_BROKER) {
        struct register_broker_record *broker = entry->body;
        qsort(broker->features, (size_t)broker->features_count, sizeof *broker->features,
              image_compare_broker_features);
    } else if (entry->type == METADATA_RECORD_REGISTER_CONTROLLER) {
        struct register_controller_record *controller = entry->body;
        qsort(controller->features, (size_t)controller->features_count,
              sizeof *controller->features, image_compare_controller_features);
    }
}

static inline bool image_add_line(void *arg, const struct metadata_entry *entry)
{
    image_sort_features(entry);
    struct image_lines *all = arg;
    struct arena arena;
    arena_init(&arena);
    struct bytes value = metadata_record_encode(entry, &arena);
    vec_reserve(all->lines, all->count + 1, all->capacity);
    struct strbuf *line = &all->lines[all->count++];
    *line = STRBUF_EMPTY;
    for (size_t i = 0; i < value.size; i++)
        strbuf_printf(line, "%02x", value.data[i]);
    strbuf_add_char(line, '\n');
    arena_fini(&arena);
    return true;
}

static inline int image_compare_lines(const void *a, const void *b)
{
    return strcmp(((const struct strbuf *)a)->data, ((const struct strbuf *)b)->data);
}

// The records of an image in hex, a line each, sorted; for strbuf_fini.
static inline struct strbuf image_text(const struct metadata *metadata)
{
    struct image_lines all = { NULL, 0, 0 };
    image_write(metadata, image_add_line, &all);
    qsort(all.lines, all.count, sizeof *all.lines, image_compare_lines);
    struct strbuf text = STRBUF_EMPTY;
    for (size_t i = 0; i < all.count; i++) {
        strbuf_add(&text, all.lines[i].data, all.lines[i].size);
        strbuf_fini(&all.lines[i]);
    }
    mem_free(all.lines);
    return text;
}

#endif
