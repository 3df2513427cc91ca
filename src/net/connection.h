// SPDX-License-Identifier: Apache-2.0
// A client's connection: frames come in, replies leave in the order in which their frames came.
//
//     recv ─> frames ─> exchange ─> handler->on_frame ─> … ─> exchange_reply(pieces) ─> sendmsg, sendfile
//                         │  └─ any time later; the reply waits until those before it have left
//                         └─ one per frame; kept for reuse
//
// Reading. One recv into the reactor's block serves a burst of small frames; an idle connection holds no buffer. A
// frame of FRAME_SLICE_SIZE or more that lies in the block whole is used where it is, a smaller one is copied out, so
// that a waiting request does not keep a block. A frame that is longer than what came gets memory of its own, and the
// rest of it is read straight there, with the block behind it for what follows.
// Writing. Everything that is ready leaves in one sendmsg; long file pieces by sendfile, short ones are read into the
// reactor's gather block and go with the rest. No more than SEND_SIZE_A_TURN at once, so that others get their turn.
// A piece that is not in memory is read by another thread first, so that only its own connection waits for the disk.
//
// (1) A connection is touched by its reactor's thread only. Others reach it through exchange_reactor and reactor_post.
// (2) Reading pauses while output is blocked or loads, while EXCHANGES_WAITING_MAX requests wait, and while the budget
//     is used up.
// (3) An exchange lives until it is answered, even if its connection is gone; the connection's memory lives as long
//     as its last exchange.
// (4) After exchange_close, or the end of the peer's input, nothing more is read; replies before it still leave.
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include <netinet/in.h>

#include "base/buf.h"
#include "base/trace.h"
#include "base/workers.h"
#include "net/connection_limits.h"
#include "net/line_limit.h"
#include "net/passing_memory.h"
#include "net/reactor.h"
#include "protocol/wire.h"

enum {
    FRAME_SLICE_SIZE = 4096,
    EXCHANGES_WAITING_MAX = 32,
    EXCHANGES_UNSENT_MAX = 64,
    SEND_SIZE_A_TURN =
        (1 << 20) + (64 << 10), // a megabyte of records and what goes before and behind them
    SENDFILE_SIZE_MIN = 16384,  // shorter file pieces are read and gathered
    CONNECTION_HOST_SIZE = 64,
};

struct connection;
struct exchange;

// What happens to a connection and its frames is decided by these; called on the connection's reactor.
struct connection_handler {
    size_t exchange_size; // of the struct that begins with a struct exchange; zeroed when made
    void (*on_open)(struct connection *connection);
    // One of exchange_reply, exchange_reply_nothing, exchange_close must follow, now or later.
    void (*on_frame)(struct exchange *exchange);
    // The connection is gone and the exchange still waits. It may be answered at once.
    void (*on_exchange_gone)(struct exchange *exchange);
    // The reply has left, or never will: let go of what the exchange holds (the frame is net's). True: it may be used
    // for another frame at once; false: when exchange_recycle is called.
    bool (*on_exchange_end)(struct exchange *exchange);
    void (*on_exchange_free)(struct exchange *exchange); // its memory goes
    void (*on_close)(struct connection *connection); // the socket is gone, requests may still wait
    void (*on_free)(struct connection *connection);  // the last reference to `user` is gone
    void *user;
};

struct connection_settings {
    int32_t max_frame_size;      // socket.request.max.bytes
    int64_t max_idle_us;         // connections.max.idle.ms; <= 0: never
    int32_t send_buffer_size;    // socket.send.buffer.bytes; -1: the system's
    struct buf_budget budget;    // queued.max.request.bytes
    struct line_limit bad_lines; // lines about bad connections
};

// Where a connection came in; lives as long as the listeners.
struct endpoint {
    const char *listener_name;
    const char *host; // "" for all addresses
    int port;         // the one bound, when 0 was asked for
    bool is_controller;
};

// The connections of one reactor. Fields are set once, before the first connection.
struct connections {
    struct reactor *reactor;
    struct trace *trace;
    const struct connection_handler *handler;
    struct connection_settings *settings;
    struct connection_limits *limits;
    struct workers *loaders; // who waits for the disk; NULL: the reactor does
    void (*on_room)(
        void *arg); // a connection ended, perhaps a listener waits for that; any reactor
    void *on_room_arg;
    void (*on_freed)(void *arg); // a connection's memory went; may be NULL
    void *on_freed_arg;
    struct list _open;
    struct list _starved; // wait for the budget
    struct timer _starved_timer;
    struct passing_memory _passing_memory;
    struct list _spare;
    unsigned _spare_count;
    unsigned count; // connections whose memory is there
};

// A part of a file on its way into memory.
struct file_load {
    struct work work;
    struct message loaded;
    struct connection *connection; // a reference
    struct disk_file *file;        // a reference
    int64_t position;
    size_t size;
};

// What a connection brings into memory; made with its first reply that is not there.
struct file_loads {
    struct file_load wanted;    // its replies wait for it
    struct file_load ahead;     // the next ones will want it
    const struct disk_file *of; // was read ahead last; only compared
    int64_t end;                // up to here
    bool is_reading_ahead;
};

struct connection {
    uint32_t magic;
    uint64_t id; // unique in this process
    void *user;  // the handler's
    const struct endpoint *endpoint;
    char host[CONNECTION_HOST_SIZE]; // text of the peer's address
    int port;
    struct connections *_home;
    struct list _link;
    struct watch _watch;
    struct message _adopt;
    struct reactor_after _flush;
    struct list _exchanges; // in order of arrival
    struct list _starved_link;
    struct timer _idle_timer;
    int64_t _active_us;
    unsigned _refs;    // the open socket, each exchange, each function at work
    unsigned _waiting; // exchanges not answered
    unsigned _exchange_count;
    struct buf *_frame; // being received
    struct buf *_held;  // read, but not yet looked at, because reading paused
    size_t _held_position;
    uint8_t _size[4]; // of the frame that comes
    uint8_t _size_have;
    bool _is_open;
    bool _input_ended; // (4)
    bool _output_blocked;
    bool _is_loading;
    bool
        _is_loaded; // what comes next was brought into memory: send it, even if it should be gone again
    struct file_loads *_loads;
};

enum exchange_state { EXCHANGE_WAITING, EXCHANGE_ANSWERED, EXCHANGE_CLOSING };

struct exchange {
    uint32_t magic;
    enum exchange_state _state;
    struct list _link;
    struct connection *connection;
    struct connections *_home;
    struct buf *frame;   // counted; holds `data`
    const uint8_t *data; // the frame without its length
    size_t size;
    bool is_followed; // another frame of the connection is here, and comes in the same turn
    const struct piece *_pieces;
    uint32_t _piece_count;
    uint32_t _piece; // the one that leaves
    size_t _piece_sent;
    const char *_close_reason;
};

void connections_init(struct connections *connections);
// Frees the spare exchanges; all connections must be gone.
void connections_fini(struct connections *connections);
// Sends what is ready and closes every connection. Requests that wait are dropped when they are answered.
void connections_close_all(struct connections *connections);

// Takes over an accepted socket; any thread. The limits have counted it already.
void connection_adopt(struct connections *home, int fd, const struct endpoint *endpoint,
                      const char *host, int port);
// The text of an address, without brackets or scope; into CONNECTION_HOST_SIZE bytes. Gives the port.
int address_format(const struct sockaddr_storage *address, char *host);

// The answer: pieces that stay valid until on_exchange_end, the frame's length in front included.
void exchange_reply(struct exchange *exchange, const struct piece *pieces, uint32_t piece_count);
void exchange_reply_nothing(struct exchange *exchange);
// Closes the connection when the replies before have left, with one line in the log. `why` is a constant, or lives as
// long as the exchange; NULL says nothing.
void exchange_close(struct exchange *exchange, const char *why);
struct reactor *exchange_reactor(const struct exchange *exchange);
void exchange_recycle(struct exchange *exchange);
const struct connection_handler *connection_handler_of(const struct connection *connection);

// ---- between connection.c, reply.c and file_load.c ----

// Whether the connection may read what is not in memory: it was loaded, or nobody else can.
bool connection_may_wait(const struct connection *connection);
// Whether sending the rest of a piece of a file would wait for the disk, and must not.
bool connection_must_load(const struct connection *connection, const struct piece *piece,
                          size_t sent);
// Brings what is to be sent of it next into memory; until then the connection sends nothing.
void connection_load(struct connection *connection, const struct piece *piece, size_t sent);
// Tells that it is sent next. Where a part of the file had to be loaded, what follows is read ahead meanwhile.
void connection_read_ahead(struct connection *connection, const struct piece *piece, size_t sent);

// Sends what is ready. False when the connection is closed now.
bool connection_flush(struct connection *connection);
void connection_ref(struct connection *connection);
void connection_unref(struct connection *connection);
void connection_shut(struct connection *connection, const char *why); // why NULL: nothing to say
void connection_answered(struct connection *connection, struct exchange *exchange);
void exchange_end(struct exchange *exchange);

#endif
