// SPDX-License-Identifier: Apache-2.0
// Tested by feature_control_test.c, compat-tests/twin/features.
#include "controller/feature_control.h"

#include "base/java_order.h"
#include "controller/config_control.h"
#include "metadata/feature_versions.h"
#include "protocol/records/feature_level.h"

enum upgrade_type { UPGRADE = 1, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE };

#define METADATA_VERSION         "metadata.version"
#define KRAFT_VERSION            "kraft.version"
#define ELIGIBLE_LEADER_REPLICAS "eligible.leader.replicas.version"

// What is asked for, each feature once.
struct update {
    struct str name;
    int16_t level;
    int8_t type;
};

struct updates {
    struct update *items;
    size_t count;
};

// ---- the request --------------------------------------------------------------------------------------------

// Kafka keeps the updates in a hash table, looks at them in its order, and stops at the first that is wrong. Which
// error is told follows from the order: by bucket, and within one by insertion. A name that comes twice keeps its
// place, with what was said last.
static struct updates in_order(struct evaluation *evaluation,
                               const struct update_features_request *request)
{
    size_t count = 0, most = (size_t)request->feature_updates_count + 1;
    struct update *named = arena_array(evaluation->arena, struct update, most);
    struct str *names = arena_array(evaluation->arena, struct str, most);
    for (int32_t i = 0; i < request->feature_updates_count; i++) {
        const struct update_features_request_feature_update_key *asked =
            &request->feature_updates[i];
        size_t at = 0;
        while (at < count && !str_eq(names[at], asked->feature))
            at++;
        names[at] = asked->feature;
        named[at] =
            (struct update){ asked->feature, asked->max_version_level, asked->upgrade_type };
        count += at == count;
    }
    struct updates updates = { arena_array(evaluation->arena, struct update, most), count };
    const size_t *order =
        java_order_texts(names, count, java_buckets_grown(count), evaluation->arena);
    for (size_t i = 0; i < count; i++)
        updates.items[i] = named[order[i]];
    return updates;
}

static struct answer invalid(struct evaluation *evaluation, const struct update *update,
                             const char *why)
{
    return (struct answer){ KERR_INVALID_UPDATE_VERSION,
                            arena_printf(evaluation->arena,
                                         "Invalid update version %d for feature %.*s. %s",
                                         update->level, STR_ARG(update->name), why) };
}

// ---- who supports it ----------------------------------------------------------------------------------------

// NULL: the range has the level.
static const char *not_in_range(struct evaluation *evaluation, int16_t level, const char *who,
                                int32_t id, int16_t min, int16_t max)
{
    if (level >= min && level <= max)
        return NULL;
    if (max == 0)
        return arena_printf(evaluation->arena, "%s %d does not support this feature.", who, id);
    if (min == max)
        return arena_printf(evaluation->arena, "%s %d only supports versions %d", who, id, min);
    return arena_printf(evaluation->arena, "%s %d only supports versions %d-%d", who, id, min, max);
}

static const char *not_registered_for(struct evaluation *evaluation, const struct update *update,
                                      const char *who, int32_t id,
                                      const struct metadata_feature_range *features, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        if (str_eq(features[i].name, update->name))
            return not_in_range(evaluation, update->level, who, id,
                                features[i].min_supported_version,
                                features[i].max_supported_version);
    return not_in_range(evaluation, update->level, who, id, 0, 0);
}

// This node, every registered broker, every other registered controller.
static const char *why_not_supported(struct evaluation *evaluation, const struct update *update)
{
    const struct feature_support *ours =
        feature_find_supported(arena_str(evaluation->arena, update->name).data);
    const char *why =
        not_in_range(evaluation, update->level, "Local controller", evaluation->node_id,
                     ours == NULL ? 0 : ours->min_supported_version,
                     ours == NULL ? 0 : ours->max_supported_version);
    const struct metadata_broker *broker;
    for (size_t at = 0;
         why == NULL && (broker = metadata_next_broker(evaluation->metadata, &at)) != NULL;)
        why = not_registered_for(evaluation, update, "Broker", broker->id, broker->features,
                                 broker->features_count);
    if (why != NULL || !has_controller_registration(evaluation->metadata_version))
        return why;
    const struct metadata_controller *controller;
    for (size_t at = 0;
         why == NULL && (controller = metadata_next_controller(evaluation->metadata, &at)) != NULL;)
        if (controller->id != evaluation->node_id)
            why = not_registered_for(evaluation, update, "Controller", controller->id,
                                     controller->features, controller->features_count);
    return why;
}

// ---- a feature ----------------------------------------------------------------------------------------------

static void add_level(struct evaluation *evaluation, const struct update *update)
{
    struct feature_level_record *record =
        metadata_entries_add(&evaluation->records, METADATA_RECORD_FEATURE_LEVEL, 0);
    record->name = update->name;
    record->feature_level = update->level;
}

// A lower level loses nothing when no level between changed the records. Forcing it is not supported by Kafka either.
static struct answer update_metadata_version(struct evaluation *evaluation,
                                             const struct update *update)
{
    int16_t from = evaluation->metadata_version, to = update->level;
    if (to < from && metadata_version_changes_records(from, to))
        return (struct answer){
            KERR_INVALID_UPDATE_VERSION,
            arena_printf(evaluation->arena,
                         "Unsupported metadata.version downgrade from %d to %d. %s", from, to,
                         update->type == UNSAFE_DOWNGRADE
                             ? "Unsafe metadata downgrade is not supported in this version."
                             : "Refusing to perform the requested downgrade because it might "
                               "delete metadata information.")
        };
    add_level(evaluation, update);
    return ANSWER_OK;
}

// It is no record of the image but one of the quorum, so the response waits for a record beside it.
static struct answer update_kraft_version(struct evaluation *evaluation,
                                          const struct update *update)
{
    if (update->type == UPGRADE) {
        evaluation->kraft_upgrade = update->level > evaluation->kraft_version ? update->level : 0;
        metadata_entries_add(&evaluation->records, METADATA_RECORD_NO_OP, 0);
        return ANSWER_OK;
    }
    if (update->level != evaluation->kraft_version)
        return invalid(evaluation, update, "Can't downgrade the version of this feature.");
    return ANSWER_OK;
}

// A level may need one of metadata.version: as it is, or as the same request will make it.
static const char *why_not_with(struct evaluation *evaluation, const struct update *update,
                                const struct updates *updates)
{
    int16_t metadata_version = evaluation->metadata_version;
    for (size_t i = 0; i < updates->count; i++)
        if (str_eqz(updates->items[i].name, METADATA_VERSION))
            metadata_version = updates->items[i].level;
    if (update->level >= 1 && metadata_version < METADATA_VERSION_MIN)
        return arena_printf(evaluation->arena,
                            "%.*s could not be set to %d because it depends on metadata.version=%d "
                            "(3.3-IV3)",
                            STR_ARG(update->name), update->level, METADATA_VERSION_MIN);
    int16_t needed = str_eqz(update->name, ELIGIBLE_LEADER_REPLICAS) && update->level >= 1
                         ? METADATA_VERSION_ELIGIBLE_LEADER_REPLICAS
                         : 0;
    if (metadata_version < needed)
        return arena_printf(
            evaluation->arena,
            "%.*s could not be set to %d because it depends on metadata.version level %d",
            STR_ARG(update->name), update->level, needed);
    return NULL;
}

static struct answer update_feature(struct evaluation *evaluation, const struct update *update,
                                    const struct updates *updates)
{
    if (update->type < UPGRADE || update->type > UNSAFE_DOWNGRADE)
        return invalid(evaluation, update,
                       "The controller does not support the given upgrade type.");
    if (update->level < 0)
        return invalid(evaluation, update, "A feature version cannot be less than 0.");
    const char *why = why_not_supported(evaluation, update);
    if (why != NULL)
        return invalid(evaluation, update, why);
    bool is_kraft_version = str_eqz(update->name, KRAFT_VERSION);
    int16_t present = is_kraft_version
                          ? evaluation->kraft_version
                          : metadata_feature_level(evaluation->metadata,
                                                   arena_str(evaluation->arena, update->name).data);
    if (update->level < present && update->type == UPGRADE)
        return invalid(evaluation, update,
                       "Can't downgrade the version of this feature without setting the upgrade "
                       "type to either safe or unsafe downgrade.");
    if (update->level > present && update->type != UPGRADE)
        return invalid(evaluation, update, "Can't downgrade to a newer version.");
    if (is_kraft_version)
        return update_kraft_version(evaluation, update);
    if (str_eqz(update->name, METADATA_VERSION))
        return update_metadata_version(evaluation, update);
    why = why_not_with(evaluation, update, updates);
    if (why != NULL)
        return invalid(evaluation, update, why);
    add_level(evaluation, update);
    return ANSWER_OK;
}

// ---- all of them --------------------------------------------------------------------------------------------

static bool enables_elr(const struct updates *updates)
{
    for (size_t i = 0; i < updates->count; i++)
        if (str_eqz(updates->items[i].name, ELIGIBLE_LEADER_REPLICAS) &&
            updates->items[i].level > 0)
            return true;
    return false;
}

static void add_results(struct evaluation *evaluation,
                        const struct update_features_request *request,
                        struct update_features_response *response)
{
    response->results =
        arena_array(evaluation->arena, struct update_features_response_updatable_feature_result,
                    request->feature_updates_count + 1);
    response->results_count = request->feature_updates_count;
    for (int32_t i = 0; i < request->feature_updates_count; i++) {
        response->results[i].feature = request->feature_updates[i].feature;
        response->results[i].error_message = str_of(kafka_error_name(KERR_NONE));
    }
}

struct answer update_features(struct evaluation *evaluation, int16_t version,
                              const struct update_features_request *request,
                              struct update_features_response *response)
{
    struct updates updates = in_order(evaluation, request);
    response->error_message = STR_NULL;
    bool has_min_isr_first = !request->validate_only && enables_elr(&updates);
    if (has_min_isr_first)
        add_elr_safety_configs(evaluation);
    for (size_t i = 0; i < updates.count; i++) {
        struct answer answer = update_feature(evaluation, &updates.items[i], &updates);
        if (answer.error == KERR_NONE)
            continue;
        evaluation->kraft_upgrade = 0;
        answer.message = arena_printf(evaluation->arena,
                                      "The update failed for all features since the following "
                                      "feature had an error: %s",
                                      answer.message);
        return answer;
    }
    if (request->validate_only) {
        metadata_entries_cut(&evaluation->records, 0);
        evaluation->kraft_upgrade = 0;
    }
    if (version <= 1)
        add_results(evaluation, request, response);
    return ANSWER_OK;
}
