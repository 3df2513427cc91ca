// SPDX-License-Identifier: Apache-2.0
#include "log/partition_dir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/checkpoint.h"

enum { NAME_MAX_BYTES = 255, OFFSET_DIGITS = 20 };

static bool ends_with(struct str s, const char *suffix)
{
    size_t size = strlen(suffix);
    return s.size >= size && memcmp(s.data + s.size - size, suffix, size) == 0;
}

struct partition_dir partition_dir_parse(const char *name)
{
    static const struct {
        const char *suffix;
        enum partition_dir_kind kind;
    } suffixes[] = { { "-delete", PARTITION_DIR_DELETE },
                     { "-stray", PARTITION_DIR_STRAY },
                     { "-future", PARTITION_DIR_FUTURE } };
    struct partition_dir none = { PARTITION_DIR_NONE, STR_NULL, -1 };
    struct partition_dir dir = { PARTITION_DIR_LOG, STR_NULL, -1 };
    struct str rest = str_of(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (!ends_with(rest, suffixes[i].suffix))
            continue;
        dir.kind = suffixes[i].kind;
        const char *dot = memrchr(rest.data, '.', rest.size);
        if (dot == NULL)
            return none;
        rest.size = (size_t)(dot - rest.data);
        break;
    }
    const char *dash = memrchr(rest.data, '-', rest.size);
    if (dash == NULL || dash == rest.data)
        return none;
    dir.topic = (struct str){ rest.data, (size_t)(dash - rest.data) };
    int64_t partition;
    struct str digits = { dash + 1, rest.size - dir.topic.size - 1 };
    if (!str_to_int64(digits, &partition) || partition < 0 || partition > INT32_MAX)
        return none;
    dir.partition = (int32_t)partition;
    return dir;
}

char *partition_dir_name_with(struct str topic, int32_t partition, const char *suffix)
{
    struct uuid id = uuid_random();
    char tail[64];
    int size = snprintf(tail, sizeof tail, "-%" PRId32 ".", partition);
    for (size_t i = 0; i < sizeof id.bytes; i++)
        size += snprintf(tail + size, sizeof tail - (size_t)size, "%02x", id.bytes[i]);
    size_t room = NAME_MAX_BYTES - (size_t)size - strlen(suffix);
    size_t kept = topic.size < room || strcmp(suffix, "-future") == 0 ? topic.size : room;
    return mem_printf("%.*s%s%s", (int)kept, topic.data, tail, suffix);
}

void log_file_name(char out[LOG_FILE_NAME_SIZE], int64_t offset, const char *suffix)
{
    must(offset >= 0);
    snprintf(out, LOG_FILE_NAME_SIZE, "%020" PRId64 "%s", offset, suffix);
}

int64_t log_file_offset(const char *name, const char *suffix)
{
    if (strlen(name) < OFFSET_DIGITS || strcmp(name + OFFSET_DIGITS, suffix) != 0)
        return -1;
    int64_t offset;
    if (name[0] < '0' || name[0] > '9' ||
        !str_to_int64((struct str){ name, OFFSET_DIGITS }, &offset))
        return -1;
    return offset;
}

char *log_file_path(const char *dir, int64_t offset, const char *suffix)
{
    char name[LOG_FILE_NAME_SIZE];
    log_file_name(name, offset, suffix);
    return mem_printf("%s/%s", dir, name);
}

// Lines "name: value" in this order, spaces around the colon as they come, as Kafka reads it.
static bool parse_line(struct str *rest, const char *name, struct str *value)
{
    const char *end = memchr(rest->data, '\n', rest->size);
    struct str line = { rest->data, end == NULL ? rest->size : (size_t)(end - rest->data) };
    size_t used = end == NULL ? line.size : line.size + 1;
    rest->data += used;
    rest->size -= used;
    const char *colon = memchr(line.data, ':', line.size);
    if (colon == NULL)
        return false;
    struct str key = str_trim((struct str){ line.data, (size_t)(colon - line.data) });
    *value = str_trim((struct str){ colon + 1, line.size - (size_t)(colon + 1 - line.data) });
    return str_eqz(key, name);
}

// A first part of what is written, and zeros behind it if anything: the name outlived a power loss, its bytes did not
// all. They were never synced. Damage does not look like that.
static bool is_torn(const struct strbuf *text)
{
    static const char head[] = "version: 0\ntopic_id: ";
    size_t size = text->size, head_size = sizeof head - 1;
    while (size > 0 && text->data[size - 1] == '\0')
        size--;
    return size < head_size + UUID_TEXT_SIZE - 1 &&
           (size == 0 || memcmp(text->data, head, size < head_size ? size : head_size) == 0);
}

int partition_metadata_read(struct disk *disk, const char *dir, struct uuid *topic_id)
{
    char *path = mem_printf("%s/partition.metadata", dir);
    struct strbuf text = STRBUF_EMPTY;
    int error = disk_read_whole(disk, path, &text);
    if (error == 0 && is_torn(&text))
        error = -ENOENT;
    if (error == 0) {
        struct str rest = strbuf_str(&text), version, id;
        if (!parse_line(&rest, "version", &version) || !str_eqz(version, "0") ||
            !parse_line(&rest, "topic_id", &id) || !uuid_parse(id, topic_id) ||
            uuid_is_zero(*topic_id))
            error = -EBADMSG;
    }
    strbuf_fini(&text);
    mem_free(path);
    return error;
}

int partition_metadata_write(struct disk *disk, const char *dir, struct uuid topic_id,
                             bool is_synced)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(topic_id, id);
    char *path = mem_printf("%s/partition.metadata", dir);
    char *text = mem_printf("version: 0\ntopic_id: %s", id);
    int error = disk_replace(disk, path, text, strlen(text), is_synced);
    mem_free(text);
    mem_free(path);
    return error;
}
