// SPDX-License-Identifier: Apache-2.0
// Tested by snapshot_test.c.
#include "metadata/bootstrap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "metadata/feature_versions.h"
#include "metadata/snapshot.h"
#include "protocol/records/feature_level.h"
#include "protocol/records/user_scram_credential.h"

static int compare_features(const void *a, const void *b)
{
    const struct bootstrap_feature *x = a;
    const struct bootstrap_feature *y = b;
    bool x_first = strcmp(x->name, "metadata.version") == 0;
    bool y_first = strcmp(y->name, "metadata.version") == 0;
    return x_first != y_first ? y_first - x_first : strcmp(x->name, y->name);
}

void bootstrap_entries(struct metadata_entries *entries, const struct bootstrap_feature *features,
                       size_t features_count,
                       const struct user_scram_credential_record *credentials,
                       size_t credentials_count)
{
    struct bootstrap_feature *sorted =
        arena_array(entries->arena, struct bootstrap_feature, features_count + 1);
    if (features_count > 0)
        memcpy(sorted, features, features_count * sizeof *sorted);
    qsort(sorted, features_count, sizeof *sorted, compare_features);
    for (size_t i = 0; i < features_count; i++) {
        if (sorted[i].level == 0 || strcmp(sorted[i].name, "kraft.version") == 0)
            continue;
        struct feature_level_record *record =
            metadata_entries_add(entries, METADATA_RECORD_FEATURE_LEVEL, 0);
        record->name = str_of(sorted[i].name);
        record->feature_level = sorted[i].level;
    }
    for (size_t i = 0; i < credentials_count; i++) {
        struct user_scram_credential_record *record =
            metadata_entries_add(entries, METADATA_RECORD_USER_SCRAM_CREDENTIAL, 0);
        *record = credentials[i];
    }
}

void bootstrap_encode(struct strbuf *out, const struct metadata_entries *entries, int64_t now_ms)
{
    struct snapshot_head head = { 0 }; // the time is 0 too, as Kafka's
    snapshot_encode(out, 0, &head, entries, now_ms);
}

void genesis_encode(struct strbuf *out, const struct voters_record *voters, int64_t now_ms)
{
    struct snapshot_head head = { now_ms, KRAFT_VERSION_LATEST, voters };
    snapshot_encode(out, 0, &head, NULL, now_ms);
}

int bootstrap_read(struct disk *disk, const char *log_dir, struct metadata_entries *entries,
                   const char **reason)
{
    char *path = mem_printf("%s/%s", log_dir, BOOTSTRAP_FILE);
    struct strbuf file = STRBUF_EMPTY;
    int error = disk_read_whole(disk, path, &file);
    mem_free(path);
    if (error == -ENOENT) {
        struct bootstrap_feature version = { "metadata.version", METADATA_VERSION_LATEST };
        bootstrap_entries(entries, &version, 1, NULL, 0);
        error = 0;
    } else if (error == 0) {
        struct snapshot_head head;
        struct bytes bytes = { (const uint8_t *)file.data, file.size };
        if (!snapshot_decode_entries(bytes, &head, entries, reason))
            error = -EBADMSG;
    }
    strbuf_fini(&file);
    return error;
}
