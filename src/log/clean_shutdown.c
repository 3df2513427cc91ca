// SPDX-License-Identifier: Apache-2.0
#include "log/clean_shutdown.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"

static char *marker_path(const char *dir)
{
    return mem_printf("%s/.kafka_cleanshutdown", dir);
}

bool clean_shutdown_read(struct disk *disk, const char *dir, int64_t *broker_epoch)
{
    char *path = marker_path(dir);
    struct strbuf text = STRBUF_EMPTY;
    int error = disk_read_whole(disk, path, &text);
    *broker_epoch = -1;
    if (error == 0) {
        json_t *root = json_loadb(strbuf_str(&text).data, text.size, 0, NULL);
        json_t *epoch = json_object_get(root, "brokerEpoch");
        if (json_is_integer(epoch))
            *broker_epoch = json_integer_value(epoch);
        json_decref(root);
    }
    strbuf_fini(&text);
    mem_free(path);
    return error == 0;
}

int clean_shutdown_write(struct disk *disk, const char *dir, int64_t broker_epoch)
{
    char *path = marker_path(dir);
    char *text = mem_printf("{\"version\":0,\"brokerEpoch\":%" PRId64 "}", broker_epoch);
    int error = disk_write_atomic(disk, path, text, strlen(text));
    mem_free(text);
    mem_free(path);
    return error;
}

int clean_shutdown_delete(struct disk *disk, const char *dir)
{
    char *path = marker_path(dir);
    int error = disk->ops->unlink(disk, path);
    mem_free(path);
    if (error == -ENOENT)
        return 0;
    return error != 0 ? error : disk->ops->sync_dir(disk, dir);
}
