// SPDX-License-Identifier: Apache-2.0
#include "raft/quorum_state.h"

#include <errno.h>
#include <jansson.h>

#include "base/mem.h"

static bool take_int32(const json_t *object, const char *name, int32_t *out)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value))
        return false;
    json_int_t number = json_integer_value(value);
    if (number < INT32_MIN || number > INT32_MAX)
        return false;
    *out = (int32_t)number;
    return true;
}

static bool take_voters(const json_t *object, struct quorum_state *out)
{
    const json_t *voters = json_object_get(object, "currentVoters");
    if (voters == NULL || json_is_null(voters))
        return true;
    if (!json_is_array(voters) || json_array_size(voters) > QUORUM_VOTERS_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(voters); i++)
        if (!take_int32(json_array_get(voters, i), "voterId", &out->voters[out->voters_count++]))
            return false;
    return true;
}

static bool take_state(const json_t *object, struct quorum_state *out)
{
    *out = QUORUM_STATE_NONE;
    int32_t data_version;
    if (!take_int32(object, "data_version", &data_version) || data_version < 0 || data_version > 1)
        return false;
    out->data_version = data_version;
    if (!take_int32(object, "leaderId", &out->leader_id) ||
        !take_int32(object, "leaderEpoch", &out->leader_epoch) ||
        !take_int32(object, "votedId", &out->voted_id))
        return false;
    if (data_version == 0)
        return take_voters(object, out);
    const json_t *directory = json_object_get(object, "votedDirectoryId");
    if (directory == NULL)
        return true;
    return json_is_string(directory) &&
           uuid_parse(str_of(json_string_value(directory)), &out->voted_directory_id);
}

int quorum_state_read(struct disk *disk, const char *metadata_dir, struct quorum_state *out)
{
    char *path = mem_printf("%s/%s", metadata_dir, QUORUM_STATE_FILE);
    struct strbuf text = STRBUF_EMPTY;
    int error = disk_read_whole(disk, path, &text);
    mem_free(path);
    if (error == 0) {
        json_t *object =
            json_loadb(text.size > 0 ? text.data : "", text.size, JSON_REJECT_DUPLICATES, NULL);
        if (object == NULL || !take_state(object, out))
            error = -EBADMSG;
        json_decref(object);
    }
    strbuf_fini(&text);
    return error;
}

int quorum_state_write(struct disk *disk, const char *metadata_dir,
                       const struct quorum_state *state)
{
    struct strbuf text = STRBUF_EMPTY;
    if (state->data_version == 0) {
        strbuf_printf(&text,
                      "{\"clusterId\":\"\",\"leaderId\":%d,\"leaderEpoch\":%d,\"votedId\":%d,"
                      "\"appliedOffset\":0,"
                      "\"currentVoters\":[",
                      state->leader_id, state->leader_epoch, state->voted_id);
        for (int32_t i = 0; i < state->voters_count; i++)
            strbuf_printf(&text, "%s{\"voterId\":%d}", i > 0 ? "," : "", state->voters[i]);
        strbuf_addz(&text, "],\"data_version\":0}");
    } else {
        char directory[UUID_TEXT_SIZE];
        uuid_format(state->voted_directory_id, directory);
        strbuf_printf(
            &text,
            "{\"leaderId\":%d,\"leaderEpoch\":%d,\"votedId\":%d,\"votedDirectoryId\":\"%s\","
            "\"data_version\":1}",
            state->leader_id, state->leader_epoch, state->voted_id, directory);
    }
    char *path = mem_printf("%s/%s", metadata_dir, QUORUM_STATE_FILE);
    int error = disk_write_atomic(disk, path, text.data, text.size);
    mem_free(path);
    strbuf_fini(&text);
    return error;
}
