// SPDX-License-Identifier: Apache-2.0
// The way out of a connection (net/connection.h): what is ready at the head of its exchanges becomes as few system
// calls as possible.
//
//     exchange 1: [mem][mem]  exchange 2: [mem][file 900 KiB][mem]  exchange 3: [mem][file 2 KiB] …
//     └──── sendmsg(MSG_MORE) ──────────┘└─ sendfile ──────┘└── sendmsg: the short file piece ─┘
//                                                                read into the gather block
//
// Progress is kept as (exchange, piece, bytes of it) only: what was gathered but not sent is gathered again. A file
// piece that is not in memory ends the parcel, and is loaded when nothing is left before it (file_load.c).
//
// Tested by connection_test.c.
#include "net/connection.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/disk.h"
#include "base/must.h"

enum { IOV_MAX_COUNT = 64 };

// What one turn of sending puts together.
struct parcel {
    struct iovec iov[IOV_MAX_COUNT];
    int iov_count;
    size_t size;
    uint8_t *gather;
    size_t gathered;
    const struct piece *file; // a long one that comes next, to go by sendfile
    const struct piece *cold; // or one that has to be loaded
    size_t next_sent;         // of either, already
    struct exchange *closing; // reached an exchange that closes the connection
    int error;                // reading a file failed: -errno
};

void exchange_reply(struct exchange *exchange, const struct piece *pieces, uint32_t piece_count)
{
    must(exchange->_state == EXCHANGE_WAITING);
    exchange->_state = EXCHANGE_ANSWERED;
    exchange->_pieces = pieces;
    exchange->_piece_count = piece_count;
    connection_answered(exchange->connection, exchange);
}

void exchange_reply_nothing(struct exchange *exchange)
{
    exchange_reply(exchange, NULL, 0);
}

void exchange_close(struct exchange *exchange, const char *why)
{
    must(exchange->_state == EXCHANGE_WAITING);
    exchange->_state = EXCHANGE_CLOSING;
    exchange->_close_reason = why;
    exchange->connection->_input_ended = true;
    connection_answered(exchange->connection, exchange);
}

// Adds a piece of a file by reading it. False when the gather block is full, or the piece is cold.
static bool gather(struct parcel *parcel, bool may_wait, const struct piece *piece, size_t sent)
{
    size_t size = piece->size - sent;
    size_t room = REACTOR_GATHER_SIZE - parcel->gathered;
    bool fits = size <= room;
    if (!fits)
        size = room;
    if (size == 0)
        return false;
    uint8_t *into = parcel->gather + parcel->gathered;
    int64_t position = piece->file_position + (int64_t)sent;
    ssize_t got = may_wait ? disk_pread(piece->file, into, size, position)
                           : disk_pread_cached(piece->file, into, size, position);
    if (got == -EAGAIN) {
        parcel->cold = piece;
        parcel->next_sent = sent;
        return false;
    }
    if (got != (ssize_t)size) {
        parcel->error = got < 0 ? (int)got : -EIO;
        return false;
    }
    parcel->iov[parcel->iov_count++] = (struct iovec){ into, size };
    parcel->gathered += size;
    parcel->size += size;
    return fits;
}

// Adds the pieces of one exchange. False when the parcel ends before the exchange does.
static bool pack_exchange(struct parcel *parcel, const struct exchange *exchange)
{
    size_t sent = exchange->_piece_sent;
    for (uint32_t i = exchange->_piece; i < exchange->_piece_count; i++, sent = 0) {
        const struct piece *piece = &exchange->_pieces[i];
        if (parcel->iov_count == IOV_MAX_COUNT)
            return false;
        if (piece->file == NULL) {
            parcel->iov[parcel->iov_count++] =
                (struct iovec){ (void *)(uintptr_t)(piece->data + sent), piece->size - sent };
            parcel->size += piece->size - sent;
        } else if (piece->file->fd >= 0 && piece->size - sent >= SENDFILE_SIZE_MIN) {
            bool is_cold = connection_must_load(exchange->connection, piece, sent);
            if (!is_cold)
                connection_read_ahead(exchange->connection, piece, sent);
            *(is_cold ? &parcel->cold : &parcel->file) = piece;
            parcel->next_sent = sent;
            return false;
        } else if (!gather(parcel, connection_may_wait(exchange->connection), piece, sent)) {
            return false;
        }
        if (parcel->size >= SEND_SIZE_A_TURN)
            return false;
    }
    return true;
}

static void pack(struct parcel *parcel, struct connection *connection)
{
    list_for_each(link, &connection->_exchanges)
    {
        struct exchange *exchange = container_of(link, struct exchange, _link);
        if (exchange->_state == EXCHANGE_WAITING)
            return;
        if (exchange->_state == EXCHANGE_CLOSING) {
            parcel->closing = exchange;
            return;
        }
        if (!pack_exchange(parcel, exchange))
            return;
    }
}

// Notes that `size` bytes have left, and ends the exchanges that are through.
static void advance(struct connection *connection, size_t size)
{
    while (!list_is_empty(&connection->_exchanges)) {
        struct exchange *exchange =
            container_of(connection->_exchanges.next, struct exchange, _link);
        if (exchange->_state != EXCHANGE_ANSWERED)
            break;
        while (exchange->_piece < exchange->_piece_count) {
            size_t left = exchange->_pieces[exchange->_piece].size - exchange->_piece_sent;
            if (size < left) {
                exchange->_piece_sent += size;
                return;
            }
            size -= left;
            exchange->_piece++;
            exchange->_piece_sent = 0;
        }
        exchange_end(exchange);
    }
    must(size == 0);
}

// 1: all of it left, 0: the socket is full, -1: the connection is dead.
static int send_parcel(struct connection *connection, struct parcel *parcel)
{
    int fd = connection->_watch.fd;
    if (parcel->iov_count > 0) {
        struct msghdr msg = { .msg_iov = parcel->iov, .msg_iovlen = (size_t)parcel->iov_count };
        ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL | (parcel->file != NULL ? MSG_MORE : 0));
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        advance(connection, (size_t)sent);
        if ((size_t)sent < parcel->size)
            return 0;
    }
    if (parcel->file == NULL)
        return 1;
    off_t position = parcel->file->file_position + (off_t)parcel->next_sent;
    size_t size = parcel->file->size - parcel->next_sent;
    if (size > SEND_SIZE_A_TURN)
        size = SEND_SIZE_A_TURN;
    ssize_t sent = sendfile(fd, parcel->file->file->fd, &position, size);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (sent == 0) { // the file is shorter than it was said to be
        parcel->error = -EIO;
        return -1;
    }
    parcel->size += (size_t)sent;
    advance(connection, (size_t)sent);
    return (size_t)sent == size;
}

static void pump(struct connection *connection)
{
    for (size_t total = 0; !connection->_output_blocked && !connection->_is_loading;) {
        advance(connection, 0); // replies of nothing
        struct parcel parcel;
        parcel.iov_count = 0;
        parcel.size = parcel.gathered = parcel.next_sent = 0;
        parcel.file = parcel.cold = NULL;
        parcel.closing = NULL;
        parcel.error = 0;
        parcel.gather = reactor_gather_block(connection->_home->reactor);
        pack(&parcel, connection);
        if (parcel.size == 0 && parcel.file == NULL && parcel.error == 0) {
            if (parcel.cold != NULL) {
                connection_load(connection, parcel.cold, parcel.next_sent);
                return;
            }
            if (parcel.closing != NULL)
                connection_shut(connection, parcel.closing->_close_reason);
            return;
        }
        int outcome = parcel.error != 0 ? -1 : send_parcel(connection, &parcel);
        if (outcome < 0) {
            connection_shut(connection,
                            parcel.error != 0 ? "a reply's file could not be read" : NULL);
            return;
        }
        connection->_is_loaded = false;
        total += parcel.size;
        // Either the socket is full, or it is the others' turn: the event says when to go on.
        bool is_more = !list_is_empty(&connection->_exchanges) &&
                       container_of(connection->_exchanges.next, struct exchange, _link)->_state !=
                           EXCHANGE_WAITING;
        if (outcome == 0 || (total >= SEND_SIZE_A_TURN && is_more))
            connection->_output_blocked = true;
    }
}

bool connection_flush(struct connection *connection)
{
    if (!connection->_is_open)
        return false;
    connection_ref(connection); // it may end here
    pump(connection);
    if (connection->_is_open && connection->_input_ended && list_is_empty(&connection->_exchanges))
        connection_shut(connection, NULL);
    bool is_open = connection->_is_open;
    connection_unref(connection);
    return is_open;
}
