// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner_txns.h"

#include <stdlib.h>

#include "base/mem.h"
#include "record/batch_builder.h"

struct ongoing_txn {
    int64_t producer_id; // key of the map
    bool is_committing;
    bool is_aborting;
    bool is_observed; // a batch of the aborted transaction was met
    struct aborted_txn aborted;
};

static int by_first_offset(const void *a, const void *b)
{
    const struct aborted_txn *x = a, *y = b;
    if (x->first_offset != y->first_offset)
        return x->first_offset < y->first_offset ? -1 : 1;
    return (x->last_offset > y->last_offset) - (x->last_offset < y->last_offset);
}

void cleaner_txns_init(struct cleaner_txns *txns, struct aborted_txns *aborted)
{
    txns->_aborted = *aborted;
    *aborted = (struct aborted_txns){ 0 };
    txns->_next = 0;
    hashmap_init(&txns->_ongoing);
    if (txns->_aborted.count > 1)
        qsort(txns->_aborted.items, txns->_aborted.count, sizeof *txns->_aborted.items,
              by_first_offset);
}

void cleaner_txns_fini(struct cleaner_txns *txns)
{
    struct ongoing_txn *txn;
    for (size_t i = 0; (txn = hashmap_next(&txns->_ongoing, &i)) != NULL;)
        mem_free(txn);
    hashmap_fini(&txns->_ongoing);
    mem_free(txns->_aborted.items);
    txns->_aborted = (struct aborted_txns){ 0 };
}

static struct ongoing_txn *find(const struct cleaner_txns *txns, int64_t producer_id)
{
    return hashmap_find(&txns->_ongoing, &producer_id, sizeof producer_id);
}

static struct ongoing_txn *need(struct cleaner_txns *txns, int64_t producer_id)
{
    struct ongoing_txn *txn = find(txns, producer_id);
    if (txn == NULL) {
        txn = mem_new(struct ongoing_txn);
        txn->producer_id = producer_id;
        hashmap_put(&txns->_ongoing, &txn->producer_id, sizeof txn->producer_id, txn);
    }
    return txn;
}

static void drop_if_over(struct cleaner_txns *txns, struct ongoing_txn *txn)
{
    if (txn->is_committing || txn->is_aborting)
        return;
    hashmap_remove(&txns->_ongoing, &txn->producer_id, sizeof txn->producer_id);
    mem_free(txn);
}

// The aborted transactions that have begun by this offset.
static void consume_upto(struct cleaner_txns *txns, int64_t offset)
{
    for (; txns->_next < txns->_aborted.count; txns->_next++) {
        const struct aborted_txn *aborted = &txns->_aborted.items[txns->_next];
        if (aborted->first_offset > offset)
            break;
        struct ongoing_txn *txn = need(txns, aborted->producer_id);
        if (txn->is_aborting)
            continue;
        txn->is_aborting = true;
        txn->is_observed = false;
        txn->aborted = *aborted;
    }
}

bool cleaner_txns_on_batch(struct cleaner_txns *txns, const uint8_t *header)
{
    consume_upto(txns, batch_last_offset(header));
    if (!batch_is_transactional(header))
        return false;
    struct ongoing_txn *txn = need(txns, batch_producer_id(header));
    if (txn->is_aborting)
        txn->is_observed = true;
    else
        txn->is_committing = true;
    return txn->is_aborting;
}

bool cleaner_txns_on_marker(struct cleaner_txns *txns, const uint8_t *header, int type,
                            struct aborted_txn *kept)
{
    kept->producer_id = NO_PRODUCER_ID;
    consume_upto(txns, batch_last_offset(header));
    if (type < 0)
        return true;
    if (type != CONTROL_ABORT && type != CONTROL_COMMIT)
        return false;
    struct ongoing_txn *txn = find(txns, batch_producer_id(header));
    bool was_met = false;
    if (txn == NULL)
        return true;
    if (type == CONTROL_ABORT) {
        was_met = txn->is_aborting && txn->is_observed;
        if (was_met)
            *kept = txn->aborted;
        txn->is_aborting = false;
    } else {
        was_met = txn->is_committing;
        txn->is_committing = false;
    }
    drop_if_over(txns, txn);
    return !was_met;
}
