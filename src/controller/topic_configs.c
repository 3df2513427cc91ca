// SPDX-License-Identifier: Apache-2.0
// Tested by controller_test.c.
#include "controller/topic_configs.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// In an arena, in milliseconds when the synonym counts in larger units (log.retention.hours).
static struct str converted(const struct evaluation *evaluation, struct str text, int64_t factor)
{
    int64_t number;
    if (factor <= 1 || !str_to_int64(text, &number))
        return text;
    return str_of(arena_printf(evaluation->arena, "%lld", (long long)(number * factor)));
}

// A copy: the next call may change the image before the response of this one is sent.
static struct str dynamic_value(const struct evaluation *evaluation, const char *resource,
                                enum config_key key)
{
    const struct metadata_configs *configs =
        metadata_find_configs(evaluation->metadata, CONFIG_RESOURCE_BROKER, str_of(resource));
    if (configs == NULL)
        return STR_NULL;
    return arena_str(evaluation->arena, metadata_config_value(configs, config_def_of(key)->name));
}

static struct str static_value(const struct evaluation *evaluation, enum config_key key)
{
    const struct config_value *value =
        config_layer_value(evaluation->config, key, CONFIG_SOURCE_STATIC_BROKER);
    return value == NULL ? STR_NULL : str_of(value->text);
}

struct topic_config topic_config_effective(const struct evaluation *evaluation, enum topic_key key,
                                           const struct config_entry *overrides,
                                           size_t overrides_count)
{
    const struct config_def *def = topic_def_of(key);
    for (size_t i = overrides_count; i > 0; i--)
        if (str_eqz(overrides[i - 1].name, def->name))
            return (struct topic_config){ overrides[i - 1].value, CONFIG_SOURCE_TOPIC };
    char node[16];
    snprintf(node, sizeof node, "%d", evaluation->node_id);
    const struct config_synonym *synonyms = topic_synonyms_of(key)->items;
    static const enum config_source layers[] = { CONFIG_SOURCE_DYNAMIC_BROKER,
                                                 CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER,
                                                 CONFIG_SOURCE_STATIC_BROKER };
    for (size_t layer = 0; layer < sizeof layers / sizeof *layers; layer++) {
        for (const struct config_synonym *synonym = synonyms; synonym->factor != 0; synonym++) {
            struct str value =
                layers[layer] == CONFIG_SOURCE_STATIC_BROKER
                    ? static_value(evaluation, synonym->key)
                    : dynamic_value(evaluation,
                                    layers[layer] == CONFIG_SOURCE_DYNAMIC_BROKER ? node : "",
                                    synonym->key);
            if (value.data != NULL)
                return (struct topic_config){ converted(evaluation, value, synonym->factor),
                                              layers[layer] };
        }
    }
    return (struct topic_config){ str_of(def->default_text), CONFIG_SOURCE_DEFAULT };
}

static struct str topic_value(const struct evaluation *evaluation,
                              const struct metadata_topic *topic, enum topic_key key)
{
    const struct config_entry *overrides = topic->configs == NULL ? NULL : topic->configs->entries;
    size_t count = topic->configs == NULL ? 0 : topic->configs->count;
    return topic_config_effective(evaluation, key, overrides, count).value;
}

int32_t topic_min_isr(const struct evaluation *evaluation, const struct metadata_topic *topic)
{
    int64_t min_isr = 1;
    str_to_int64(topic_value(evaluation, topic, TOPIC_MIN_INSYNC_REPLICAS), &min_isr);
    int32_t replicas = topic->partitions_count > 0 ? topic->partitions[0].replicas_count : 1;
    return min_isr < replicas ? (int32_t)min_isr : replicas;
}

bool topic_unclean_election(const struct evaluation *evaluation, const struct metadata_topic *topic)
{
    return str_eqz(topic_value(evaluation, topic, TOPIC_UNCLEAN_LEADER_ELECTION_ENABLE), "true");
}

static enum topic_key by_name[TOPIC_KEY_COUNT];

static int compare_keys(const void *a, const void *b)
{
    return strcmp(topic_def_of(*(const enum topic_key *)a)->name,
                  topic_def_of(*(const enum topic_key *)b)->name);
}

static void sort_keys(void)
{
    for (int i = 0; i < TOPIC_KEY_COUNT; i++)
        by_name[i] = (enum topic_key)i;
    qsort(by_name, TOPIC_KEY_COUNT, sizeof *by_name, compare_keys);
}

const enum topic_key *topic_keys_by_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, sort_keys);
    return by_name;
}
