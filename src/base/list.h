// SPDX-License-Identifier: Apache-2.0
// An intrusive doubly linked ring. The head is a struct list; members embed one.
//
//     struct waiter { struct list link; … };
//     list_append(&partition->waiters, &w->link);
//     list_for_each_safe (at, next, &partition->waiters) {
//         struct waiter *w = container_of(at, struct waiter, link);
//         list_remove(at);                     // the current member may go, others may not
//     }
// Never allocates. A removed member is empty again, so list_is_empty(&w->link) says "not linked".
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_insert_before(struct list *at, struct list *member)
{
    member->prev = at->prev;
    member->next = at;
    at->prev->next = member;
    at->prev = member;
}

static inline void list_append(struct list *head, struct list *member)
{
    list_insert_before(head, member);
}

static inline void list_prepend(struct list *head, struct list *member)
{
    list_insert_before(head->next, member);
}

static inline void list_remove(struct list *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    list_init(member);
}

// The first member taken off the list, or NULL.
static inline struct list *list_pop(struct list *head)
{
    if (list_is_empty(head))
        return NULL;
    struct list *first = head->next;
    list_remove(first);
    return first;
}

// Moves all members to the end of `into`.
static inline void list_splice(struct list *into, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = into->prev;
    into->prev->next = from->next;
    from->prev->next = into;
    into->prev = from->prev;
    list_init(from);
}

#define list_for_each(at, head) for (struct list *at = (head)->next; at != (head); at = at->next)
#define list_for_each_safe(at, following, head)                                                    \
    for (struct list *at = (head)->next, *following = at->next; at != (head);                      \
         at = following, following = at->next)

#endif
