// SPDX-License-Identifier: Apache-2.0
#include "txn/producer_ids.h"

#include "base/testing.h"
#include "controller/controller.h"
#include "metadata/image.h"
#include "metadata/metadata.h"
#include "protocol/messages/allocate_producer_ids.h"

enum { DATA_NODE_ID = 1 };

// A controller that answers when told, with the next block of ten.
struct controller {
    struct controller_call *call;
    int calls;
    int64_t next;
    int64_t seen_epoch;
};

static void take_call(struct controller *controller, struct controller_call *call)
{
    CU_ASSERT_PTR_NULL(controller->call);
    CU_ASSERT_EQUAL(call->api_key, API_ALLOCATE_PRODUCER_IDS);
    const struct allocate_producer_ids_request *request = call->request;
    CU_ASSERT_EQUAL(request->broker_id, DATA_NODE_ID);
    controller->seen_epoch = request->broker_epoch;
    controller->call = call;
    controller->calls++;
}

static void answer_call(struct controller *controller, enum kafka_error error)
{
    struct controller_call *call = controller->call;
    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    controller->call = NULL;
    struct allocate_producer_ids_response *response = call->response;
    response->error_code = (int16_t)error;
    if (error == KERR_NONE) {
        response->producer_id_start = controller->next;
        response->producer_id_len = 10;
        controller->next += 10;
    }
    call->completion->complete(call->completion);
}

static int completed;

static void on_id(struct completion *completion)
{
    (void)completion;
    completed++;
}

static int64_t take_one(struct producer_ids *ids)
{
    struct producer_id_wait wait = { .completion = { .complete = on_id } };
    list_init(&wait.completion.link);
    int before = completed;
    producer_ids_take(ids, &wait);
    CU_ASSERT_EQUAL(completed, before + 1);
    CU_ASSERT_EQUAL(wait.error, KERR_NONE);
    return wait.producer_id;
}

static struct metadata *registered(void)
{
    struct metadata *metadata = metadata_new();
    image_broker_set(metadata, &(struct metadata_broker){ .id = DATA_NODE_ID,
                                                          .epoch = 77,
                                                          .cordoned_log_dirs_count = -1 });
    return metadata;
}

static void the_first_waits_the_others_do_not(void)
{
    struct metadata *metadata = registered();
    struct controller controller = { .next = 1000 };
    struct producer_ids *ids = producer_ids_new(&controller, metadata, DATA_NODE_ID, take_call);
    struct producer_id_wait first = { .completion = { .complete = on_id } }, second = first;
    list_init(&first.completion.link);
    list_init(&second.completion.link);
    completed = 0;
    producer_ids_take(ids, &first);
    producer_ids_take(ids, &second);
    CU_ASSERT_EQUAL(completed, 0);
    CU_ASSERT_EQUAL(controller.calls, 1);
    CU_ASSERT_EQUAL(controller.seen_epoch, 77);
    answer_call(&controller, KERR_NONE);
    CU_ASSERT_EQUAL(completed, 2);
    CU_ASSERT_EQUAL(first.producer_id, 1000);
    CU_ASSERT_EQUAL(second.producer_id, 1001);
    // The next block is asked for when one id in ten is left, and nobody waits for it.
    for (int64_t id = 1002; id < 1030; id++) {
        CU_ASSERT_EQUAL(take_one(ids), id);
        CU_ASSERT_EQUAL(controller.call != NULL, id % 10 >= 8);
        if (id % 10 == 9)
            answer_call(&controller, KERR_NONE);
    }
    producer_ids_free(ids);
    metadata_free(metadata);
}

static void a_failure_is_told_and_tried_again(void)
{
    struct metadata *metadata = registered();
    struct controller controller = { .next = 5 };
    struct producer_ids *ids = producer_ids_new(&controller, metadata, DATA_NODE_ID, take_call);
    struct producer_id_wait wait = { .completion = { .complete = on_id } };
    list_init(&wait.completion.link);
    completed = 0;
    producer_ids_take(ids, &wait);
    answer_call(&controller, KERR_NOT_CONTROLLER);
    CU_ASSERT_EQUAL(completed, 1);
    CU_ASSERT_EQUAL(wait.error, KERR_COORDINATOR_LOAD_IN_PROGRESS);
    CU_ASSERT_EQUAL(controller.calls, 1);
    producer_ids_take(ids, &wait);
    CU_ASSERT_EQUAL(controller.calls, 2);
    answer_call(&controller, KERR_NONE);
    CU_ASSERT_EQUAL(wait.error, KERR_NONE);
    CU_ASSERT_EQUAL(wait.producer_id, 5);
    producer_ids_free(ids);
    metadata_free(metadata);
}

static void more_may_wait_than_a_block_has(void)
{
    enum { WAITS = 25 };
    struct metadata *metadata = registered();
    struct controller controller = { .next = 0 };
    struct producer_ids *ids = producer_ids_new(&controller, metadata, DATA_NODE_ID, take_call);
    struct producer_id_wait waits[WAITS];
    completed = 0;
    for (int i = 0; i < WAITS; i++) {
        waits[i] = (struct producer_id_wait){ .completion = { .complete = on_id } };
        list_init(&waits[i].completion.link);
        producer_ids_take(ids, &waits[i]);
    }
    for (int block = 1; block <= 3; block++) {
        answer_call(&controller, KERR_NONE);
        CU_ASSERT_EQUAL(completed, block < 3 ? block * 10 : WAITS);
    }
    for (int i = 0; i < WAITS; i++)
        CU_ASSERT_EQUAL(waits[i].producer_id, i);
    CU_ASSERT_PTR_NULL(controller.call);
    producer_ids_free(ids);
    metadata_free(metadata);
}

TEST_MAIN("producer_ids", TEST(the_first_waits_the_others_do_not),
          TEST(a_failure_is_told_and_tried_again), TEST(more_may_wait_than_a_block_has))
