// SPDX-License-Identifier: Apache-2.0
// How other threads reach a reactor: messages linked under a short lock, and an eventfd that is written only
// when the list was empty, so that a burst costs one wake-up.
//
//     struct request { …; struct message message; };
//     request->message.deliver = on_completed;
//     mailbox_post(&mailbox, &request->message);        // any thread; given away until delivered
//
// A message is in at most one mailbox at a time. `deliver` runs on the receiver's thread, without the lock, and may
// post again; what it posts to its own mailbox is delivered in the next turn, so that sockets get theirs.
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include <pthread.h>

struct message {
    struct message *_next;
    void (*deliver)(struct message *message);
};

struct mailbox {
    pthread_mutex_t _lock;
    struct message *_first;
    struct message **_last;
    int fd; // readable while there may be messages
};

int mailbox_init(struct mailbox *mailbox); // 0 or -errno
void mailbox_fini(struct mailbox *mailbox);
void mailbox_post(struct mailbox *mailbox, struct message *message);
// Delivers what is there now, in the order of posting. By the receiver only.
void mailbox_drain(struct mailbox *mailbox);

#endif
