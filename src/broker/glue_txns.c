// SPDX-License-Identifier: Apache-2.0
// Tested by broker_test.c.
#include "broker/glue_txns.h"

#include "api/marker_writer.h"
#include "api/node.h"
#include "base/mem.h"
#include "broker/glue_coordinator.h"
#include "config/config.h"
#include "metadata/metadata.h"

struct txns_glue {
    struct txns_glue_options options;
    struct coordinator_glue coordinator;
    struct marker_writer writer;
    struct txn_coordinator *txns;
    struct metadata_subscription subscription;
};

static int16_t read_version(struct metadata *metadata)
{
    metadata_lock_read(metadata);
    int16_t version = metadata_feature_level(metadata, "transaction.version");
    metadata_unlock(metadata);
    return version;
}

static void on_metadata(struct metadata_subscription *subscription,
                        const struct metadata_delta *delta)
{
    (void)delta;
    struct txns_glue *glue = container_of(subscription, struct txns_glue, subscription);
    txn_coordinator_set_version(glue->txns, read_version(glue->options.metadata));
}

static struct txn_config read_config(const struct config *config)
{
    return (struct txn_config){
        .max_timeout_ms = config_int(config, CONFIG_TRANSACTION_MAX_TIMEOUT_MS),
        .abort_interval_ms =
            config_int(config, CONFIG_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS),
        .id_expiration_ms = config_int(config, CONFIG_TRANSACTIONAL_ID_EXPIRATION_MS),
        .expiry_interval_ms =
            config_int(config, CONFIG_TRANSACTION_REMOVE_EXPIRED_TRANSACTION_CLEANUP_INTERVAL_MS),
        .two_phase_commit = config_bool(config, CONFIG_TRANSACTION_TWO_PHASE_COMMIT_ENABLE),
        .request_timeout_ms = config_int(config, CONFIG_REQUEST_TIMEOUT_MS),
        .load_buffer_bytes =
            (size_t)config_int(config, CONFIG_TRANSACTION_STATE_LOG_LOAD_BUFFER_SIZE),
    };
}

struct txns_glue *txns_glue_new(const struct txns_glue_options *options)
{
    struct txns_glue *glue = mem_new(struct txns_glue);
    glue->options = *options;
    glue->subscription.on_change = on_metadata;
    marker_writer_init(&glue->writer, options->node);
    coordinator_glue_init(&glue->coordinator,
                          &(struct coordinator_glue_options){ .topic = TXN_STATE_TOPIC,
                                                              .thread_name = "txn-loader",
                                                              .metadata = options->metadata,
                                                              .replicas = options->replicas });
    glue->txns = txn_coordinator_new(&(struct txn_coordinator_options){
        .config = read_config(options->config),
        .partition_count = coordinator_glue_partition_count(
            &glue->coordinator,
            config_int(options->config, CONFIG_TRANSACTION_STATE_LOG_NUM_PARTITIONS)),
        .version = read_version(options->metadata),
        .log = &glue->coordinator.log,
        .sink = &glue->writer.sink,
        .producer_ids = options->node->producer_ids,
        .clock = options->node->clock,
        .alarms = options->alarms,
        .trace = options->node->trace,
    });
    if (coordinator_glue_start(&glue->coordinator, txn_coordinator_engine(glue->txns)) != 0) {
        txns_glue_free(glue);
        return NULL;
    }
    metadata_subscribe(options->metadata, &glue->subscription);
    return glue;
}

struct txn_coordinator *txns_glue_coordinator(struct txns_glue *glue)
{
    return glue->txns;
}

void txns_glue_stop(struct txns_glue *glue)
{
    metadata_unsubscribe(glue->options.metadata, &glue->subscription);
    coordinator_glue_stop(&glue->coordinator);
}

void txns_glue_free(struct txns_glue *glue)
{
    if (glue == NULL)
        return;
    txn_coordinator_free(glue->txns);
    coordinator_glue_fini(&glue->coordinator);
    mem_free(glue);
}
