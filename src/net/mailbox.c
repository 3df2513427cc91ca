// SPDX-License-Identifier: Apache-2.0
#include "net/mailbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/must.h"

int mailbox_init(struct mailbox *mailbox)
{
    *mailbox = (struct mailbox){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
    if (mailbox->fd < 0)
        return -errno;
    pthread_mutex_init(&mailbox->_lock, NULL);
    mailbox->_last = &mailbox->_first;
    return 0;
}

void mailbox_fini(struct mailbox *mailbox)
{
    close(mailbox->fd);
    pthread_mutex_destroy(&mailbox->_lock);
}

void mailbox_post(struct mailbox *mailbox, struct message *message)
{
    must(message->deliver != NULL);
    message->_next = NULL;
    pthread_mutex_lock(&mailbox->_lock);
    bool was_empty = mailbox->_first == NULL;
    *mailbox->_last = message;
    mailbox->_last = &message->_next;
    if (was_empty) {
        // Under the lock: once it is free the message may be delivered, which may be all that the owner
        // waited for to end the mailbox.
        uint64_t one = 1;
        ssize_t written = write(mailbox->fd, &one, sizeof one);
        must(written == sizeof one ||
             errno == EAGAIN); // EAGAIN: the counter is full, so it is readable
    }
    pthread_mutex_unlock(&mailbox->_lock);
}

void mailbox_drain(struct mailbox *mailbox)
{
    // The counter is cleared before the list is taken: a message posted in between leaves it set, and costs
    // one empty drain at worst.
    uint64_t count;
    ssize_t got = read(mailbox->fd, &count, sizeof count);
    must(got == sizeof count || errno == EAGAIN);
    pthread_mutex_lock(&mailbox->_lock);
    struct message *message = mailbox->_first;
    mailbox->_first = NULL;
    mailbox->_last = &mailbox->_first;
    pthread_mutex_unlock(&mailbox->_lock);
    while (message != NULL) {
        struct message *next = message->_next; // deliver may free or post it again
        message->deliver(message);
        message = next;
    }
}
