// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/producer_id_control.h"

#include "controller/broker_control.h"
#include "protocol/records/producer_ids.h"

struct answer allocate_producer_ids(struct evaluation *evaluation,
                                    const struct allocate_producer_ids_request *request,
                                    struct allocate_producer_ids_response *response)
{
    struct answer answer =
        broker_check_epoch(evaluation, request->broker_id, request->broker_epoch);
    if (answer.error != KERR_NONE)
        return answer;
    int64_t first =
        evaluation->metadata->next_producer_id < 0 ? 0 : evaluation->metadata->next_producer_id;
    if (first > INT64_MAX - PRODUCER_ID_BLOCK_SIZE)
        return (struct answer){
            KERR_UNKNOWN_SERVER_ERROR,
            "Exhausted all producerIds as the next block's end producerId has exceeded the int64 "
            "type limit"
        };
    struct producer_ids_record *record =
        metadata_entries_add(&evaluation->records, METADATA_RECORD_PRODUCER_IDS, 0);
    record->broker_id = request->broker_id;
    record->broker_epoch = request->broker_epoch;
    record->next_producer_id = first + PRODUCER_ID_BLOCK_SIZE;
    response->producer_id_start = first;
    response->producer_id_len = PRODUCER_ID_BLOCK_SIZE;
    return ANSWER_OK;
}
