// SPDX-License-Identifier: Apache-2.0
// Tested by configs_test.c.
#include "api/config_alterations.h"

#include "api/node.h"
#include "metadata/metadata.h"

struct config_alterations *config_alterations_new(struct request *request, bool is_replacement,
                                                  bool validate_only, int32_t count)
{
    struct config_alterations *alterations = arena_new(&request->arena, struct config_alterations);
    alterations->request = request;
    alterations->is_replacement = is_replacement;
    alterations->validate_only = validate_only;
    alterations->items = arena_array(&request->arena, struct config_alteration_item, count + 1);
    alterations->count = count;
    return alterations;
}

static void decide(struct config_alteration_item *item, enum kafka_error error, struct str message)
{
    item->is_decided = true;
    item->error = error;
    item->message = error == KERR_NONE ? STR_NULL : message;
}

// Of two for the same resource both are refused.
static void refuse_repetitions(struct config_alterations *alterations)
{
    for (int32_t i = 0; i < alterations->count; i++) {
        for (int32_t k = 0; k < i; k++) {
            struct config_alteration_item *one = &alterations->items[i],
                                          *other = &alterations->items[k];
            if (one->type != other->type || !str_eq(one->name, other->name))
                continue;
            struct str why = str_of("Each resource must appear at most once.");
            decide(one, KERR_INVALID_REQUEST, why);
            decide(other, KERR_INVALID_REQUEST, why);
        }
    }
}

// The resource's overrides as the image has them, copied.
static struct config_entry *overrides_copy(struct request *request,
                                           const struct config_alteration_item *item, size_t *count)
{
    struct metadata *metadata = request->node->metadata;
    struct config_entry *copy = NULL;
    metadata_lock_read(metadata);
    const struct metadata_configs *configs =
        metadata_find_configs(metadata, (enum config_resource)item->type, item->name);
    *count = configs == NULL ? 0 : configs->count;
    if (*count > 0)
        copy = arena_array(&request->arena, struct config_entry, *count);
    for (size_t i = 0; i < *count; i++)
        copy[i] = (struct config_entry){ arena_str(&request->arena, configs->entries[i].name),
                                         arena_str(&request->arena, configs->entries[i].value) };
    metadata_unlock(metadata);
    return copy;
}

static enum trace_level trace_level_of(const char *level)
{
    switch (level[0]) {
    case 'T':
    case 'D':
        return TRACE_DEBUG;
    case 'I':
        return TRACE_INFO;
    case 'W':
        return TRACE_WARN;
    default:
        return TRACE_ERROR;
    }
}

static void check_item(struct config_alterations *alterations, struct config_alteration_item *item)
{
    struct request *request = alterations->request;
    struct strbuf message = STRBUF_EMPTY;
    const char *level = NULL;
    struct config_alteration alteration = { .config = request->node->config,
                                            .type = item->type,
                                            .name = item->name,
                                            .is_replacement = alterations->is_replacement,
                                            .changes = item->changes,
                                            .changes_count = (size_t)item->changes_count };
    bool is_logger = item->type == CONFIG_RESOURCE_BROKER_LOGGER && !alterations->is_replacement;
    enum kafka_error error;
    if (is_logger) {
        error = config_alter_check_logger(&alteration, &level, &message);
    } else {
        if (item->type == CONFIG_RESOURCE_BROKER)
            alteration.overrides = overrides_copy(request, item, &alteration.overrides_count);
        error = config_alter_check(&alteration, &message);
    }
    if (error != KERR_NONE || is_logger)
        decide(item, error, arena_str(&request->arena, strbuf_str(&message)));
    // Lines in the making on other threads may still go by the old level.
    if (error == KERR_NONE && level != NULL && !alterations->validate_only)
        __atomic_store_n(&request->node->trace->level, trace_level_of(level), __ATOMIC_RELAXED);
    strbuf_fini(&message);
}

int32_t config_alterations_check(struct config_alterations *alterations)
{
    int32_t left = 0;
    refuse_repetitions(alterations);
    for (int32_t i = 0; i < alterations->count; i++) {
        struct config_alteration_item *item = &alterations->items[i];
        if (!item->is_decided)
            check_item(alterations, item);
        left += !item->is_decided;
    }
    return left;
}

static void on_completed(struct completion *completion)
{
    struct config_alterations *alterations =
        container_of(completion, struct config_alterations, completion);
    alterations->on_decided(alterations);
}

void config_alterations_submit(struct config_alterations *alterations, const void *request,
                               void *response,
                               void (*on_decided)(struct config_alterations *alterations))
{
    alterations->on_decided = on_decided;
    alterations->completion.complete = on_completed;
    alterations->call = (struct controller_call){
        .api_key = alterations->request->api_key,
        .version = alterations->request->api_version,
        .request = request,
        .response = response,
        .arena = &alterations->request->arena,
        .completion = &alterations->completion,
    };
    controller_submit(alterations->request->node->controller, &alterations->call);
}

void config_alterations_decide(struct config_alterations *alterations, int8_t type, struct str name,
                               int16_t error_code, struct str message)
{
    for (int32_t i = 0; i < alterations->count; i++) {
        struct config_alteration_item *item = &alterations->items[i];
        if (!item->is_decided && item->type == type && str_eq(item->name, name))
            decide(item, (enum kafka_error)error_code, message);
    }
}
