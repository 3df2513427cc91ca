// SPDX-License-Identifier: Apache-2.0
// Tested by broker_test.c.
#include "broker/glue_groups.h"

#include <strings.h>

#include "base/mem.h"
#include "broker/glue_coordinator.h"
#include "config/config.h"
#include "metadata/metadata.h"

struct groups_glue {
    struct groups_glue_options options;
    struct coordinator_glue coordinator;
    struct group_coordinator *groups;
    struct metadata_subscription subscription;
};

static void on_metadata(struct metadata_subscription *subscription,
                        const struct metadata_delta *delta)
{
    struct groups_glue *glue = container_of(subscription, struct groups_glue, subscription);
    group_coordinator_metadata_changed(glue->groups, glue->options.metadata, delta);
}

static void run(void *arg)
{
    group_coordinator_run(((struct groups_glue *)arg)->groups);
}

static void wake(void *arg)
{
    coordinator_glue_wake(arg);
}

// ---- life ------------------------------------------------------------------------------------------

// NULL past the end of the list. What is neither of the two is a Java class, which is refused at start.
static const char *assignor_at(const struct config *config, size_t place)
{
    struct config_list list = config_list(config, CONFIG_GROUP_CONSUMER_ASSIGNORS);
    return place < list.count ? list.items[place] : NULL;
}

static bool has_policy(const struct config *config, const char *direction)
{
    const char *policy = config_str(config, CONFIG_GROUP_CONSUMER_MIGRATION_POLICY);
    return strcasecmp(policy, direction) == 0 || strcasecmp(policy, "bidirectional") == 0;
}

static struct group_config read_config(const struct config *config)
{
    return (struct group_config){
        .min_session_timeout_ms = config_int(config, CONFIG_GROUP_MIN_SESSION_TIMEOUT_MS),
        .max_session_timeout_ms = config_int(config, CONFIG_GROUP_MAX_SESSION_TIMEOUT_MS),
        .max_size = config_int(config, CONFIG_GROUP_MAX_SIZE),
        .initial_rebalance_delay_ms = config_int(config, CONFIG_GROUP_INITIAL_REBALANCE_DELAY_MS),
        .offset_metadata_max_bytes = config_int(config, CONFIG_OFFSET_METADATA_MAX_BYTES),
        .offsets_retention_ms =
            config_int(config, CONFIG_OFFSETS_RETENTION_MINUTES) * INT64_C(60000),
        .retention_check_interval_ms =
            config_long(config, CONFIG_OFFSETS_RETENTION_CHECK_INTERVAL_MS),
        .commit_timeout_ms = config_int(config, CONFIG_OFFSETS_COMMIT_TIMEOUT_MS),
        .compression = config_int(config, CONFIG_OFFSETS_TOPIC_COMPRESSION_CODEC),
        .load_buffer_bytes = (size_t)config_int(config, CONFIG_OFFSETS_LOAD_BUFFER_SIZE),
        .consumer_max_size = config_int(config, CONFIG_GROUP_CONSUMER_MAX_SIZE),
        .regex_refresh_interval_ms =
            config_int(config, CONFIG_GROUP_CONSUMER_REGEX_REFRESH_INTERVAL_MS),
        .consumer_assignors = { assignor_at(config, 0), assignor_at(config, 1) },
        .share_max_size = config_int(config, CONFIG_GROUP_SHARE_MAX_SIZE),
        .share_initialize_retry_ms =
            config_int(config, CONFIG_GROUP_SHARE_INITIALIZE_RETRY_INTERVAL_MS),
        .streams_max_size = config_int(config, CONFIG_GROUP_STREAMS_MAX_SIZE),
        .can_upgrade = has_policy(config, "upgrade"),
        .can_downgrade = has_policy(config, "downgrade"),
    };
}

struct groups_glue *groups_glue_new(const struct groups_glue_options *options)
{
    struct groups_glue *glue = mem_new(struct groups_glue);
    glue->options = *options;
    glue->subscription.on_change = on_metadata;
    coordinator_glue_init(&glue->coordinator,
                          &(struct coordinator_glue_options){ .topic = GROUP_OFFSETS_TOPIC,
                                                              .thread_name = "group-loader",
                                                              .metadata = options->metadata,
                                                              .replicas = options->replicas,
                                                              .run = run,
                                                              .arg = glue });
    glue->groups = group_coordinator_new(&(struct group_coordinator_options){
        .config = read_config(options->config),
        .partition_count = coordinator_glue_partition_count(
            &glue->coordinator, config_int(options->config, CONFIG_OFFSETS_TOPIC_NUM_PARTITIONS)),
        .settings = options->config,
        .log = &glue->coordinator.log,
        .clock = options->clock,
        .alarms = options->alarms,
        .trace = options->trace,
        .wake = wake,
        .arg = &glue->coordinator,
    });
    if (coordinator_glue_start(&glue->coordinator, group_coordinator_engine(glue->groups)) != 0) {
        groups_glue_free(glue);
        return NULL;
    }
    group_coordinator_take_metadata(glue->groups, options->metadata);
    metadata_subscribe(options->metadata, &glue->subscription);
    return glue;
}

struct group_coordinator *groups_glue_coordinator(struct groups_glue *glue)
{
    return glue->groups;
}

void groups_glue_stop(struct groups_glue *glue)
{
    metadata_unsubscribe(glue->options.metadata, &glue->subscription);
    coordinator_glue_stop(&glue->coordinator);
}

void groups_glue_free(struct groups_glue *glue)
{
    if (glue == NULL)
        return;
    group_coordinator_free(glue->groups);
    coordinator_glue_fini(&glue->coordinator);
    mem_free(glue);
}
