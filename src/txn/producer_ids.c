// SPDX-License-Identifier: Apache-2.0
#include "txn/producer_ids.h"

#include <pthread.h>

#include "base/mem.h"
#include "base/must.h"
#include "controller/controller.h"
#include "metadata/metadata.h"
#include "protocol/messages/allocate_producer_ids.h"

struct block {
    int64_t next;
    int64_t end;
    int64_t prefetch_at; // the following block is asked for when `next` gets here
};

struct producer_ids {
    struct controller *controller;
    struct metadata *metadata;
    int32_t node_id;
    void (*submit)(struct controller *controller, struct controller_call *call);
    pthread_mutex_t lock; // guards all below
    struct block present;
    struct block following;
    struct list waits;
    bool is_fetching;
    // The call under way:
    struct controller_call call;
    struct completion completion;
    struct arena arena;
    struct allocate_producer_ids_request request;
    struct allocate_producer_ids_response response;
};

static void on_block(struct completion *completion);

struct producer_ids *
producer_ids_new(struct controller *controller, struct metadata *metadata, int32_t node_id,
                 void (*submit)(struct controller *controller, struct controller_call *call))
{
    struct producer_ids *ids = mem_new(struct producer_ids);
    ids->controller = controller;
    ids->metadata = metadata;
    ids->node_id = node_id;
    ids->submit = submit;
    pthread_mutex_init(&ids->lock, NULL);
    list_init(&ids->waits);
    arena_init(&ids->arena);
    ids->completion.complete = on_block;
    return ids;
}

void producer_ids_free(struct producer_ids *ids)
{
    if (ids == NULL)
        return;
    must(!ids->is_fetching && list_is_empty(&ids->waits));
    arena_fini(&ids->arena);
    pthread_mutex_destroy(&ids->lock);
    mem_free(ids);
}

// The lock is held. False when there is none.
static bool take(struct producer_ids *ids, int64_t *producer_id)
{
    if (ids->present.next == ids->present.end) {
        if (ids->following.next == ids->following.end)
            return false;
        ids->present = ids->following;
        ids->following = (struct block){ 0, 0, 0 };
    }
    *producer_id = ids->present.next++;
    return true;
}

// The lock is held. True when the caller, having let go of it, has to ask the controller for a block.
static bool should_fetch(struct producer_ids *ids)
{
    if (ids->is_fetching || ids->following.next < ids->following.end ||
        (ids->present.next < ids->present.prefetch_at && list_is_empty(&ids->waits)))
        return false;
    ids->is_fetching = true;
    return true;
}

static void fetch(struct producer_ids *ids)
{
    int64_t broker_epoch = -1;
    metadata_lock_read(ids->metadata);
    const struct metadata_broker *broker = metadata_find_broker(ids->metadata, ids->node_id);
    if (broker != NULL)
        broker_epoch = broker->epoch;
    metadata_unlock(ids->metadata);

    arena_reset(&ids->arena);
    message_init(&allocate_producer_ids_request_desc, &ids->request);
    message_init(&allocate_producer_ids_response_desc, &ids->response);
    ids->request.broker_id = ids->node_id;
    ids->request.broker_epoch = broker_epoch;
    ids->call = (struct controller_call){
        .api_key = API_ALLOCATE_PRODUCER_IDS,
        .version = 0,
        .request = &ids->request,
        .response = &ids->response,
        .arena = &ids->arena,
        .completion = &ids->completion,
    };
    ids->submit(ids->controller, &ids->call);
}

static void on_block(struct completion *completion)
{
    struct producer_ids *ids = container_of(completion, struct producer_ids, completion);
    struct list done;
    list_init(&done);
    pthread_mutex_lock(&ids->lock);
    ids->is_fetching = false;
    bool has_failed = ids->response.error_code != KERR_NONE || ids->response.producer_id_len <= 0;
    if (!has_failed) {
        int64_t start = ids->response.producer_id_start, length = ids->response.producer_id_len;
        ids->following = (struct block){ start, start + length, start + length * 9 / 10 };
    }
    struct list *link;
    while ((link = list_pop(&ids->waits)) != NULL) {
        struct producer_id_wait *wait =
            container_of(link, struct producer_id_wait, completion.link);
        if (!take(ids, &wait->producer_id)) {
            if (!has_failed) { // more wait than a block has
                list_prepend(&ids->waits, link);
                break;
            }
            wait->error = KERR_COORDINATOR_LOAD_IN_PROGRESS;
        }
        list_append(&done, link);
    }
    // After a failure the next who asks tries again, not this thread.
    bool fetch_more = !has_failed && should_fetch(ids);
    pthread_mutex_unlock(&ids->lock);
    completions_run(&done);
    if (fetch_more)
        fetch(ids);
}

void producer_ids_take(struct producer_ids *ids, struct producer_id_wait *wait)
{
    wait->error = KERR_NONE;
    wait->producer_id = -1;
    pthread_mutex_lock(&ids->lock);
    bool is_done = take(ids, &wait->producer_id);
    if (!is_done)
        list_append(&ids->waits, &wait->completion.link);
    bool fetch_more = should_fetch(ids);
    pthread_mutex_unlock(&ids->lock);
    if (is_done)
        wait->completion.complete(&wait->completion);
    if (fetch_more)
        fetch(ids);
}
