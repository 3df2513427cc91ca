// SPDX-License-Identifier: Apache-2.0
#include "log/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

static bool take_line(struct str *rest, struct str *line)
{
    if (rest->size == 0)
        return false;
    const char *end = memchr(rest->data, '\n', rest->size);
    line->data = rest->data;
    line->size = end == NULL ? rest->size : (size_t)(end - rest->data);
    size_t used = end == NULL ? rest->size : line->size + 1;
    rest->data += used;
    rest->size -= used;
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return true;
}

bool checkpoint_reader_init(struct checkpoint_reader *reader, struct str text)
{
    struct str line;
    int64_t version;
    reader->_rest = text;
    reader->_left = 0;
    if (!take_line(&reader->_rest, &line))
        return true;
    if (!str_to_int64(line, &version) || version != 0)
        return false;
    // Kafka takes a file that ends after the version for an empty one.
    if (!take_line(&reader->_rest, &line))
        return true;
    return str_to_int64(line, &reader->_left) && reader->_left >= 0;
}

bool checkpoint_reader_next(struct checkpoint_reader *reader, struct str *line)
{
    if (!take_line(&reader->_rest, line))
        return false;
    reader->_left--;
    return true;
}

bool checkpoint_reader_done(const struct checkpoint_reader *reader)
{
    return reader->_rest.size == 0 && reader->_left == 0;
}

int checkpoint_split(struct str line, struct str *words, int max)
{
    int count = 0;
    size_t at = 0;
    while (at < line.size) {
        size_t start = at;
        while (at < line.size && line.data[at] != ' ' && line.data[at] != '\t')
            at++;
        if (count == max)
            return max + 1;
        words[count++] = (struct str){ line.data + start, at - start };
        while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t'))
            at++;
    }
    return count;
}

static bool parse_line(struct str line, struct str *topic, int32_t *partition, int64_t *offset)
{
    struct str words[3];
    int64_t number;
    if (checkpoint_split(line, words, 3) != 3 || !str_to_int64(words[1], &number) || number < 0 ||
        number > INT32_MAX || !str_to_int64(words[2], offset))
        return false;
    *topic = words[0];
    *partition = (int32_t)number;
    return true;
}

int checkpoint_read(struct disk *disk, const char *path,
                    void (*each)(void *arg, struct str topic, int32_t partition, int64_t offset),
                    void *arg)
{
    struct strbuf text = STRBUF_EMPTY;
    int error = disk_read_whole(disk, path, &text);
    struct checkpoint_reader reader;
    struct str line, topic;
    int32_t partition;
    int64_t offset;
    if (error == 0 && !checkpoint_reader_init(&reader, strbuf_str(&text)))
        error = -EBADMSG;
    while (error == 0 && checkpoint_reader_next(&reader, &line)) {
        if (parse_line(line, &topic, &partition, &offset))
            each(arg, topic, partition, offset);
        else
            error = -EBADMSG;
    }
    if (error == 0 && !checkpoint_reader_done(&reader))
        error = -EBADMSG;
    strbuf_fini(&text);
    return error == -ENOENT ? 0 : error;
}

void checkpoint_writer_init(struct checkpoint_writer *writer)
{
    writer->_lines = STRBUF_EMPTY;
    writer->_count = 0;
}

void checkpoint_writer_add(struct checkpoint_writer *writer, struct str topic, int32_t partition,
                           int64_t offset)
{
    strbuf_printf(&writer->_lines, "%.*s %" PRId32 " %" PRId64 "\n", STR_ARG(topic), partition,
                  offset);
    writer->_count++;
}

void checkpoint_writer_add_epoch(struct checkpoint_writer *writer, int32_t epoch,
                                 int64_t start_offset)
{
    strbuf_printf(&writer->_lines, "%" PRId32 " %" PRId64 "\n", epoch, start_offset);
    writer->_count++;
}

int disk_replace(struct disk *disk, const char *path, const void *data, size_t size, bool is_synced)
{
    char *temporary = mem_printf("%s.tmp", path);
    struct disk_file *file;
    int error = disk_open(disk, temporary, DISK_CREATE | DISK_TRUNCATE, &file);
    if (error == 0) {
        error = disk_pwrite(file, data, size, 0);
        if (error == 0 && is_synced)
            error = disk->ops->sync(file);
        disk_file_unref(file);
    }
    if (error == 0)
        error = disk->ops->rename(disk, temporary, path);
    mem_free(temporary);
    return error;
}

void checkpoint_writer_print(const struct checkpoint_writer *writer, struct strbuf *out)
{
    strbuf_printf(out, "0\n%zu\n", writer->_count);
    struct str lines = strbuf_str(&writer->_lines);
    strbuf_add(out, lines.data, lines.size);
}

int checkpoint_writer_write(const struct checkpoint_writer *writer, struct disk *disk,
                            const char *path)
{
    struct strbuf text = STRBUF_EMPTY;
    checkpoint_writer_print(writer, &text);
    int error = disk_write_atomic(disk, path, text.data, text.size);
    strbuf_fini(&text);
    return error;
}

void checkpoint_writer_fini(struct checkpoint_writer *writer)
{
    strbuf_fini(&writer->_lines);
}
