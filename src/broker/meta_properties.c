// SPDX-License-Identifier: Apache-2.0
#include "broker/meta_properties.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "config/properties.h"

#define META_PROPERTIES_FILE "meta.properties"

void meta_properties_fini(struct meta_properties *meta)
{
    mem_free(meta->cluster_id);
    *meta = (struct meta_properties){ NULL, -1, UUID_ZERO };
}

static bool fields_read(const struct properties *p, struct meta_properties *out,
                        struct strbuf *message)
{
    const char *version = properties_get(p, "version"),
               *cluster_id = properties_get(p, "cluster.id");
    const char *node_id = properties_get(p, "node.id");
    const char *directory_id = properties_get(p, "directory.id");
    int64_t id;
    if (version == NULL || strcmp(version, "0") == 0)
        strbuf_addz(message, "version 0: the directory was formatted for a cluster with ZooKeeper");
    else if (strcmp(version, "1") != 0)
        strbuf_printf(message, "Unknown meta.properties version number %s", version);
    else if (node_id == NULL || !str_to_int64(str_of(node_id), &id) || id < 0 || id > INT32_MAX)
        strbuf_addz(message,
                    node_id == NULL ? "node.id was not found." : "node.id is not a number.");
    else if (cluster_id == NULL)
        strbuf_addz(message, "cluster.id was not found.");
    else if (directory_id != NULL && !uuid_parse(str_of(directory_id), &out->directory_id))
        strbuf_printf(message, "Unable to read directory.id as a Uuid: %s", directory_id);
    else if (directory_id != NULL && uuid_is_reserved(out->directory_id))
        strbuf_printf(message, "Invalid reserved directory ID %s", directory_id);
    else {
        out->node_id = (int32_t)id;
        out->cluster_id = mem_strdup(cluster_id);
        return true;
    }
    return false;
}

static int file_read(struct disk *disk, const char *path, struct properties *p,
                     struct strbuf *message)
{
    struct strbuf text = STRBUF_EMPTY;
    int error = disk_read_whole(disk, path, &text);
    if (error == 0 && !properties_parse(p, strbuf_str(&text), message))
        error = -EBADMSG;
    strbuf_fini(&text);
    return error;
}

int meta_properties_read(struct disk *disk, const char *dir, struct meta_properties *out,
                         struct strbuf *message)
{
    struct properties p = PROPERTIES_EMPTY;
    struct strbuf why = STRBUF_EMPTY;
    char *path = mem_printf("%s/" META_PROPERTIES_FILE, dir);
    *out = (struct meta_properties){ NULL, -1, UUID_ZERO };
    int error = file_read(disk, path, &p, &why);
    if (error == 0 && !fields_read(&p, out, &why))
        error = -EBADMSG;
    if (error == -EBADMSG)
        strbuf_printf(message, "%s: %s", path, why.data);
    strbuf_fini(&why);
    properties_fini(&p);
    mem_free(path);
    return error;
}

int meta_properties_write(struct disk *disk, const char *dir, const struct meta_properties *meta,
                          int64_t now_ms)
{
    struct properties p = PROPERTIES_EMPTY;
    struct strbuf out = STRBUF_EMPTY, ignored = STRBUF_EMPTY;
    char *path = mem_printf("%s/" META_PROPERTIES_FILE, dir);
    char directory_id[UUID_TEXT_SIZE], node_id[16], date[64];
    struct tm tm;
    time_t seconds = (time_t)(now_ms / 1000);
    int error = file_read(disk, path, &p, &ignored); // what else stands there is kept
    snprintf(node_id, sizeof node_id, "%d", meta->node_id);
    uuid_format(meta->directory_id, directory_id);
    properties_set(&p, str_of("node.id"), str_of(node_id));
    if (!uuid_is_zero(meta->directory_id))
        properties_set(&p, str_of("directory.id"), str_of(directory_id));
    properties_set(&p, str_of("version"), str_of("1"));
    properties_set(&p, str_of("cluster.id"), str_of(meta->cluster_id));
    strftime(date, sizeof date, "%a %b %d %H:%M:%S UTC %Y", gmtime_r(&seconds, &tm));
    strbuf_printf(&out, "#\n#%s\n", date);
    properties_format(&p, &out);
    if (error == 0 || error == -ENOENT)
        error = disk_write_atomic(disk, path, out.data, out.size);
    strbuf_fini(&out);
    strbuf_fini(&ignored);
    properties_fini(&p);
    mem_free(path);
    return error;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct log_dir_identity *)a)->path,
                  ((const struct log_dir_identity *)b)->path);
}

const struct log_dir_identity *node_identity_find(const struct node_identity *identity,
                                                  const char *path)
{
    for (size_t i = 0; i < identity->count; i++)
        if (strcmp(identity->dirs[i].path, path) == 0)
            return &identity->dirs[i];
    return NULL;
}

static void dirs_collect(const struct config *config, struct node_identity *out)
{
    struct config_list dirs = config_log_dirs(config);
    const char *metadata_dir = config_metadata_log_dir(config);
    out->dirs = mem_zalloc((dirs.count + 1) * sizeof *out->dirs);
    for (size_t i = 0; i <= dirs.count; i++) {
        const char *path = i < dirs.count ? dirs.items[i] : metadata_dir;
        if (node_identity_find(out, path) == NULL)
            out->dirs[out->count++].path = path;
    }
    qsort(out->dirs, out->count, sizeof *out->dirs, by_path);
    for (size_t i = 0; i < out->count; i++)
        out->dirs[i].is_metadata = strcmp(out->dirs[i].path, metadata_dir) == 0;
}

static bool dir_agrees(const struct node_identity *identity, size_t position, int32_t node_id,
                       struct strbuf *message)
{
    const struct log_dir_identity *dir = &identity->dirs[position];
    if (strcmp(dir->meta.cluster_id, identity->cluster_id) != 0) {
        strbuf_printf(
            message, "Invalid cluster.id in: %s/" META_PROPERTIES_FILE ". Expected %s, but read %s",
            dir->path, identity->cluster_id, dir->meta.cluster_id);
        return false;
    }
    if (dir->meta.node_id != node_id) {
        strbuf_printf(
            message,
            "Stored node id %d doesn't match previous node id %d in %s/" META_PROPERTIES_FILE
            ". If you moved your data, make sure your configured node id matches. If you "
            "intend to create a new node, you should remove all data in your data directories.",
            dir->meta.node_id, node_id, dir->path);
        return false;
    }
    for (size_t i = 0; i < position && !uuid_is_zero(dir->meta.directory_id); i++) {
        const struct log_dir_identity *other = &identity->dirs[i];
        if (other->error != 0 || !uuid_eq(other->meta.directory_id, dir->meta.directory_id))
            continue;
        char id[UUID_TEXT_SIZE];
        uuid_format(dir->meta.directory_id, id);
        strbuf_printf(message,
                      "Duplicate directory ID %s found. It was the ID of %s, but also of %s", id,
                      other->path, dir->path);
        return false;
    }
    return true;
}

bool node_identity_load(struct disk *disk, const struct config *config, const char *cluster_id,
                        struct node_identity *out, struct strbuf *message)
{
    *out = (struct node_identity){ .cluster_id = cluster_id };
    dirs_collect(config, out);
    int32_t node_id = config_int(config, CONFIG_NODE_ID);
    for (size_t i = 0; i < out->count; i++) {
        struct log_dir_identity *dir = &out->dirs[i];
        struct strbuf why = STRBUF_EMPTY;
        dir->error = meta_properties_read(disk, dir->path, &dir->meta, &why);
        // Elsewhere it makes the directory one that cannot be used, as in Kafka.
        bool is_wrong = dir->error == -EBADMSG && dir->is_metadata;
        if (is_wrong)
            strbuf_add(message, why.data, why.size);
        strbuf_fini(&why);
        if (is_wrong)
            return false;
        if (dir->error != 0 && dir->error != -ENOENT && dir->is_metadata) {
            strbuf_printf(
                message,
                "Encountered I/O error in metadata log directory %s. Cannot continue. (%s)",
                dir->path, strerror(-dir->error));
            return false;
        }
        if (dir->error != 0)
            continue;
        out->formatted_count++;
        if (out->cluster_id == NULL)
            out->cluster_id = dir->meta.cluster_id;
        if (!dir_agrees(out, i, node_id, message))
            return false;
    }
    return true;
}

// A metadata log that nobody would read.
static bool has_stray_metadata(struct disk *disk, const struct node_identity *identity,
                               const struct log_dir_identity *dir, struct strbuf *message)
{
    char *path = mem_printf("%s/__cluster_metadata-0", dir->path);
    bool is_there = !dir->is_metadata && disk_exists(disk, path);
    for (size_t i = 0; is_there && i < identity->count; i++)
        if (identity->dirs[i].is_metadata)
            strbuf_printf(message,
                          "Found unexpected metadata location in data directory `%s` (the "
                          "configured metadata directory is %s).",
                          path, identity->dirs[i].path);
    mem_free(path);
    return is_there;
}

bool node_identity_complete(struct disk *disk, struct node_identity *identity, int64_t now_ms,
                            struct strbuf *message)
{
    if (identity->formatted_count == 0) {
        strbuf_addz(message, "log.dirs: No readable meta.properties files found.");
        return false;
    }
    for (size_t i = 0; i < identity->count; i++) {
        struct log_dir_identity *dir = &identity->dirs[i];
        if (dir->error == -ENOENT) {
            strbuf_printf(message,
                          "log.dirs: No `" META_PROPERTIES_FILE "` found in %s (have you run "
                          "'odradekd format' to format the directory?)",
                          dir->path);
            return false;
        }
        if (dir->error == 0 && has_stray_metadata(disk, identity, dir, message))
            return false;
        if (dir->error != 0 || !uuid_is_zero(dir->meta.directory_id))
            continue;
        dir->meta.directory_id = uuid_random();
        dir->error = meta_properties_write(disk, dir->path, &dir->meta, now_ms);
        if (dir->error != 0 && dir->is_metadata) {
            strbuf_printf(message, "log.dirs: cannot write %s/" META_PROPERTIES_FILE ": %s",
                          dir->path, strerror(-dir->error));
            return false;
        }
    }
    return true;
}

void node_identity_fini(struct node_identity *identity)
{
    for (size_t i = 0; i < identity->count; i++)
        meta_properties_fini(&identity->dirs[i].meta);
    mem_free(identity->dirs);
    *identity = (struct node_identity){ .dirs = NULL };
}
