// SPDX-License-Identifier: Apache-2.0
#include "log/leader_epochs.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "log/checkpoint.h"

void leader_epochs_init(struct leader_epochs *epochs, const struct log_files *files)
{
    memset(epochs, 0, sizeof *epochs);
    epochs->files = files;
}

void leader_epochs_fini(struct leader_epochs *epochs)
{
    mem_free(epochs->items);
}

static bool parse(struct leader_epochs *epochs, struct str text)
{
    struct checkpoint_reader reader;
    struct str line, words[2];
    if (!checkpoint_reader_init(&reader, text))
        return false;
    while (checkpoint_reader_next(&reader, &line)) {
        int64_t epoch, offset;
        if (checkpoint_split(line, words, 2) != 2 || !str_to_int64(words[0], &epoch) || epoch < 0 ||
            epoch > INT32_MAX || !str_to_int64(words[1], &offset) || offset < 0)
            return false;
        leader_epochs_assign(epochs, (int32_t)epoch, offset);
    }
    return checkpoint_reader_done(&reader);
}

static char *file_path(const struct leader_epochs *epochs)
{
    return mem_printf("%s/" LEADER_EPOCHS_FILE, epochs->files->dir);
}

int leader_epochs_load(struct leader_epochs *epochs, bool *is_good)
{
    char *path = file_path(epochs);
    struct strbuf text = STRBUF_EMPTY;
    int error = disk_read_whole(epochs->files->disk, path, &text);
    epochs->count = 0;
    *is_good = true;
    if (error == -ENOENT) {
        error = 0;
        *is_good = false;
    } else if (error == 0 && !parse(epochs, strbuf_str(&text))) {
        trace_warn(epochs->files->trace, "leader epochs unreadable file=\"%s\"", path);
        epochs->count = 0;
        *is_good = false;
    }
    strbuf_fini(&text);
    mem_free(path);
    return error;
}

void leader_epochs_print(const struct leader_epochs *epochs, struct strbuf *out)
{
    struct checkpoint_writer writer;
    checkpoint_writer_init(&writer);
    for (size_t i = 0; i < epochs->count; i++)
        checkpoint_writer_add_epoch(&writer, epochs->items[i].epoch, epochs->items[i].start_offset);
    checkpoint_writer_print(&writer, out);
    checkpoint_writer_fini(&writer);
}

bool leader_epochs_assign(struct leader_epochs *epochs, int32_t epoch, int64_t start_offset)
{
    must(epoch >= 0 && start_offset >= 0);
    if (epochs->count > 0) {
        const struct leader_epoch *last = &epochs->items[epochs->count - 1];
        if (last->epoch == epoch && start_offset >= last->start_offset)
            return false;
    }
    while (epochs->count > 0 && (epochs->items[epochs->count - 1].epoch >= epoch ||
                                 epochs->items[epochs->count - 1].start_offset >= start_offset))
        epochs->count--;
    vec_reserve(epochs->items, epochs->count + 1, epochs->capacity);
    epochs->items[epochs->count++] = (struct leader_epoch){ epoch, start_offset };
    return true;
}

int32_t leader_epochs_latest(const struct leader_epochs *epochs)
{
    return epochs->count == 0 ? -1 : epochs->items[epochs->count - 1].epoch;
}

struct log_epoch_end leader_epochs_end_offset(const struct leader_epochs *epochs, int32_t epoch,
                                              int64_t log_end)
{
    struct log_epoch_end unknown = { -1, -1 };
    if (epoch == -1 || epochs->count == 0)
        return unknown;
    if (leader_epochs_latest(epochs) == epoch)
        return (struct log_epoch_end){ epoch, log_end };
    // The first entry above the asked epoch ends it; one below all entries is said to end where they begin.
    for (size_t i = 0; i < epochs->count; i++) {
        if (epochs->items[i].epoch <= epoch)
            continue;
        return (struct log_epoch_end){ i == 0 ? epoch : epochs->items[i - 1].epoch,
                                       epochs->items[i].start_offset };
    }
    return unknown;
}

int32_t leader_epochs_for_offset(const struct leader_epochs *epochs, int64_t offset)
{
    int32_t epoch = -1;
    for (size_t i = 0; i < epochs->count && epochs->items[i].start_offset <= offset; i++)
        epoch = epochs->items[i].epoch;
    return epoch;
}

bool leader_epochs_truncate_end(struct leader_epochs *epochs, int64_t end_offset)
{
    size_t before = epochs->count;
    while (epochs->count > 0 && epochs->items[epochs->count - 1].start_offset >= end_offset)
        epochs->count--;
    return epochs->count != before;
}

bool leader_epochs_truncate_start(struct leader_epochs *epochs, int64_t start_offset)
{
    size_t before = 0;
    while (before < epochs->count && epochs->items[before].start_offset <= start_offset)
        before++;
    if (before == 0 || (before == 1 && epochs->items[0].start_offset == start_offset))
        return false;
    epochs->items[before - 1].start_offset = start_offset;
    memmove(epochs->items, epochs->items + before - 1,
            (epochs->count - before + 1) * sizeof *epochs->items);
    epochs->count -= before - 1;
    return true;
}

void leader_epochs_clear(struct leader_epochs *epochs)
{
    epochs->count = 0;
}
