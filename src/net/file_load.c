// SPDX-License-Identifier: Apache-2.0
// Replies whose records are not in memory (net/connection.h): another thread waits for the disk, the reactor goes on
// with its other connections.
//
//     pump: the next piece is cold ──> connection_load ──> loader thread: disk->load ──> on_loaded ──> pump
//
// (1) A connection loads one part at a time, as much as it sends in a turn. From then on, what follows in that file is
//     read ahead while a part is sent, so that a consumer that goes on through old segments seldom waits. Where the
//     kernel's own readahead is as far already, that costs a look at one byte every other part.
// (2) Whoever found the records looked at their first header: only their end is looked at before the first part.
// (3) What was loaded is sent without another look, so a cache that is too small slows a reply down but does not stop
//     it.
//
// Tested by connection_test.c.
#include <errno.h>

#include "base/disk.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/connection.h"

enum { AHEAD_FACTOR = 4 };

static size_t part_size(const struct piece *piece, size_t sent)
{
    return piece->size - sent < SEND_SIZE_A_TURN ? piece->size - sent : SEND_SIZE_A_TURN;
}

static bool is_cached(struct disk_file *file, int64_t position)
{
    uint8_t byte;
    return file->disk->ops->pread_cached(file, &byte, 1, position) != -EAGAIN;
}

bool connection_may_wait(const struct connection *connection)
{
    return connection->_home->loaders == NULL || connection->_is_loaded;
}

bool connection_must_load(const struct connection *connection, const struct piece *piece,
                          size_t sent)
{
    int64_t at = piece->file_position + (int64_t)sent;
    return !connection_may_wait(connection) &&
           (!is_cached(piece->file, at + (int64_t)part_size(piece, sent) - 1) ||
            (sent > 0 && !is_cached(piece->file, at)));
}

static void run_load(struct work *work)
{
    struct file_load *load = container_of(work, struct file_load, work);
    load->file->disk->ops->load(load->file, load->position, load->size);
    reactor_post(load->connection->_home->reactor, &load->loaded);
}

static void file_load_start(struct file_load *load, struct connection *connection,
                            struct disk_file *file, void (*on_loaded)(struct message *))
{
    load->work.run = run_load;
    load->loaded.deliver = on_loaded;
    load->connection = connection;
    load->file = disk_file_ref(file);
    connection_ref(connection);
    workers_submit(connection->_home->loaders, &load->work);
}

static void file_load_end(struct file_load *load)
{
    disk_file_unref(load->file);
    connection_unref(load->connection);
}

// Whether what was read ahead last is of this file, and ends within `ahead` bytes from here.
static bool leads(const struct file_loads *loads, const struct disk_file *file, int64_t at,
                  size_t ahead)
{
    return loads->of == file && at <= loads->end && loads->end - at <= (int64_t)ahead;
}

static void on_loaded(struct message *message)
{
    struct file_load *load = container_of(message, struct file_load, loaded);
    struct connection *connection = load->connection;
    connection->_is_loading = false;
    connection->_is_loaded = true;
    if (connection->_is_open)
        reactor_after(connection->_home->reactor, &connection->_flush);
    file_load_end(load);
}

void connection_load(struct connection *connection, const struct piece *piece, size_t sent)
{
    must(!connection->_is_loading);
    if (connection->_loads == NULL)
        connection->_loads = mem_new(struct file_loads);
    struct file_loads *loads = connection->_loads;
    struct file_load *load = &loads->wanted;
    load->position = piece->file_position + (int64_t)sent;
    load->size = part_size(piece, sent);
    int64_t end = load->position + (int64_t)load->size;
    if (!leads(loads, piece->file, end, load->size * AHEAD_FACTOR)) {
        loads->of = piece->file;
        loads->end = end;
    }
    connection->_is_loading = true;
    file_load_start(load, connection, piece->file, on_loaded);
}

static void on_read_ahead(struct message *message)
{
    struct file_load *load = container_of(message, struct file_load, loaded);
    load->connection->_loads->is_reading_ahead = false;
    file_load_end(load);
}

void connection_read_ahead(struct connection *connection, const struct piece *piece, size_t sent)
{
    struct file_loads *loads = connection->_loads;
    if (loads == NULL || loads->is_reading_ahead)
        return;
    size_t ahead = part_size(piece, sent) * AHEAD_FACTOR;
    int64_t at = piece->file_position + (int64_t)sent;
    if (!leads(loads, piece->file, at, ahead / 2))
        return;
    struct file_load *load = &loads->ahead;
    load->position = loads->end;
    loads->end = at + (int64_t)ahead;
    load->size = (size_t)(loads->end - load->position);
    if (is_cached(piece->file, loads->end - 1))
        return;
    loads->is_reading_ahead = true;
    file_load_start(load, connection, piece->file, on_read_ahead);
}
