// SPDX-License-Identifier: Apache-2.0
// Replies whose records are not in memory (net/connection.h): another thread waits for the disk, the reactor goes on
// with its other connections.
//
//     pump: the next piece is cold ──> connection_load ──> loader thread: disk->load ──> on_loaded ──> pump
//
// (1) A connection loads one part at a time, as much as it sends in a turn; reading ahead of it is begun with it, so
//     that a consumer that goes on through old segments seldom finds them cold.
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

static bool is_cached(const struct piece *piece, size_t at)
{
    uint8_t byte;
    return piece->file->disk->ops->pread_cached(piece->file, &byte, 1,
                                                piece->file_position + (int64_t)at) != -EAGAIN;
}

bool connection_may_wait(const struct connection *connection)
{
    return connection->_home->loaders == NULL || connection->_is_loaded;
}

bool connection_must_load(const struct connection *connection, const struct piece *piece,
                          size_t sent)
{
    return !connection_may_wait(connection) &&
           (!is_cached(piece, sent + part_size(piece, sent) - 1) ||
            (sent > 0 && !is_cached(piece, sent)));
}

static void on_loaded(struct message *message)
{
    struct file_load *load = container_of(message, struct file_load, loaded);
    struct connection *connection = load->connection;
    disk_file_unref(load->file);
    connection->_is_loading = false;
    connection->_is_loaded = true;
    if (connection->_is_open)
        reactor_after(connection->_home->reactor, &connection->_flush);
    connection_unref(connection);
}

static void run_load(struct work *work)
{
    struct file_load *load = container_of(work, struct file_load, work);
    load->file->disk->ops->load(load->file, load->position, load->size, load->size * AHEAD_FACTOR);
    reactor_post(load->connection->_home->reactor, &load->loaded);
}

void connection_load(struct connection *connection, const struct piece *piece, size_t sent)
{
    must(!connection->_is_loading);
    if (connection->_load == NULL)
        connection->_load = mem_new(struct file_load);
    *connection->_load = (struct file_load){ .work.run = run_load,
                                             .loaded.deliver = on_loaded,
                                             .connection = connection,
                                             .file = disk_file_ref(piece->file),
                                             .position = piece->file_position + (int64_t)sent,
                                             .size = part_size(piece, sent) };
    connection->_is_loading = true;
    connection_ref(connection);
    workers_submit(connection->_home->loaders, &connection->_load->work);
}
