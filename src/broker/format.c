// SPDX-License-Identifier: Apache-2.0
#include "broker/format.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "broker/release.h"
#include "config/listeners.h"
#include "metadata/bootstrap.h"
#include "protocol/records/feature_level.h"

#define METADATA_DIR "__cluster_metadata-0"

struct voter {
    int32_t id;
    struct str host;
    uint16_t port;
    struct uuid directory_id;
};

enum { VOTERS_MAX = 64 };

struct format {
    const struct format_options *options;
    struct arena arena;
    struct node_identity identity;
    struct listeners listeners;
    const char *controller_listener; // the first of controller.listener.names
    bool has_dynamic_quorum;
    struct voter voters[VOTERS_MAX];
    size_t voters_count; // 0: none are written
    int16_t release;
    struct bootstrap_feature features[FEATURE_COUNT + 1]; // metadata.version first
    struct strbuf bootstrap;
};

static bool refuse(struct strbuf *message, const char *why)
{
    strbuf_addz(message, why);
    return false;
}

// Splits off what stands before `separator`; false when it is not there.
static bool take_until(struct str *rest, char separator, struct str *out)
{
    const char *at = rest->size == 0 ? NULL : memchr(rest->data, separator, rest->size);
    if (at == NULL)
        return false;
    *out = (struct str){ rest->data, (size_t)(at - rest->data) };
    *rest = (struct str){ at + 1, rest->size - out->size - 1 };
    return true;
}

// ID@HOST:PORT:DIRECTORY_ID, the host in brackets when it is IPv6.
static bool voter_parse(struct str text, struct voter *out, struct strbuf *message)
{
    struct str id, port, rest = text;
    int64_t number;
    if (!take_until(&rest, '@', &id))
        return refuse(message, "No @ found in dynamic voter string.");
    if (!str_to_int64(id, &number) || number > INT32_MAX)
        return refuse(message, "Failed to parse node id in dynamic voter string.");
    if (number < 0)
        return refuse(message, "Invalid negative node id in dynamic voter string.");
    out->id = (int32_t)number;
    if (rest.size == 0)
        return refuse(message, "No hostname found after node id.");
    if (rest.data[0] == '[') {
        rest = (struct str){ rest.data + 1, rest.size - 1 };
        if (!take_until(&rest, ']', &out->host))
            return refuse(message,
                          "Hostname began with left bracket, but no right bracket was found.");
        if (rest.size == 0 || rest.data[0] != ':')
            return refuse(message, "Port section must start with a colon.");
        rest = (struct str){ rest.data + 1, rest.size - 1 };
    } else if (!take_until(&rest, ':', &out->host)) {
        return refuse(message, "No colon following hostname could be found.");
    }
    if (!take_until(&rest, ':', &port))
        return refuse(message, "No colon following port could be found.");
    if (!str_to_int64(port, &number) || number < 0 || number > 65535)
        return refuse(message, "Failed to parse port in dynamic voter string.");
    out->port = (uint16_t)number;
    if (!uuid_parse(rest, &out->directory_id))
        return refuse(message, "Failed to parse directory ID in dynamic voter string.");
    return true;
}

static bool voters_parse(struct format *f, struct strbuf *message)
{
    struct str rest = str_of(f->options->initial_controllers);
    while (rest.size > 0) {
        struct str one = rest;
        if (!take_until(&rest, ',', &one))
            rest = (struct str){ rest.data + rest.size, 0 };
        one = str_trim(one);
        if (one.size == 0)
            continue;
        if (f->voters_count == VOTERS_MAX)
            return refuse(message, "Too many voters.");
        struct voter *voter = &f->voters[f->voters_count];
        if (!voter_parse(one, voter, message))
            return false;
        for (size_t i = 0; i < f->voters_count; i++) {
            if (f->voters[i].id != voter->id)
                continue;
            strbuf_printf(message, "Node id %d was specified more than once.", voter->id);
            return false;
        }
        f->voters_count++;
    }
    return f->voters_count > 0 || refuse(message, "No voters given.");
}

static bool standalone_voter(struct format *f, struct strbuf *message)
{
    if (!config_list_has(f->options->config, CONFIG_PROCESS_ROLES, "controller"))
        return refuse(message, "You can only use --standalone on a controller.");
    const struct listener *listener = listeners_find(&f->listeners, f->controller_listener);
    if (listener == NULL)
        return refuse(message, "No controller listeners found.");
    const char *host =
        listener->advertised_host[0] != '\0' ? listener->advertised_host : "localhost";
    f->voters[0] = (struct voter){ config_int(f->options->config, CONFIG_NODE_ID), str_of(host),
                                   (uint16_t)listener->advertised_port, uuid_random() };
    f->voters_count = 1;
    return true;
}

// Where the voters are kept: in the configuration (controller.quorum.voters) or in the quorum's own log.
static bool quorum_decide(struct format *f, struct strbuf *message)
{
    const struct format_options *o = f->options;
    bool is_controller = config_list_has(o->config, CONFIG_PROCESS_ROLES, "controller");
    f->has_dynamic_quorum = config_list(o->config, CONFIG_CONTROLLER_QUORUM_VOTERS).count == 0;
    if (!f->has_dynamic_quorum && (o->initial_controllers != NULL || o->standalone))
        return refuse(message,
                      "You cannot specify controller.quorum.voters and format the node with "
                      "--initial-controllers or --standalone. If you want to use dynamic "
                      "quorum, please remove controller.quorum.voters and specify "
                      "controller.quorum.bootstrap.servers instead.");
    if (o->initial_controllers != NULL && !voters_parse(f, message))
        return false;
    if (o->standalone && !standalone_voter(f, message))
        return false;
    if (!o->no_initial_controllers && is_controller && f->has_dynamic_quorum &&
        f->voters_count == 0)
        return refuse(message,
                      "Because controller.quorum.voters is not set on this controller, you "
                      "must specify one of the following: --standalone, "
                      "--initial-controllers, or --no-initial-controllers.");
    return true;
}

struct asked {
    struct str name;
    int16_t level;
};

static bool asked_parse(const char *text, struct asked *out, struct strbuf *message)
{
    const char *equals = strchr(text, '=');
    int64_t level;
    if (equals == NULL) {
        strbuf_printf(message, "Can't parse feature=level string %s: equals sign not found.", text);
        return false;
    }
    out->name = str_trim((struct str){ text, (size_t)(equals - text) });
    struct str number = str_trim(str_of(equals + 1));
    if (!str_to_int64(number, &level) || level < INT16_MIN || level > INT16_MAX) {
        strbuf_printf(message,
                      "Can't parse feature=level string %s: unable to parse %.*s as a short.", text,
                      STR_ARG(number));
        return false;
    }
    out->level = (int16_t)level;
    return true;
}

static bool release_decide(struct format *f, struct strbuf *message)
{
    const struct format_options *o = f->options;
    bool with_testing = config_bool(o->config, CONFIG_UNSTABLE_FEATURE_VERSIONS_ENABLE);
    f->release = with_testing ? RELEASE_TESTING : RELEASE_LATEST;
    if (o->release_version != NULL) {
        f->release = release_find(str_of(o->release_version), with_testing, message);
        if (f->release == 0)
            return false;
    }
    for (size_t i = 0; i < o->features_count; i++) {
        struct asked asked;
        if (!asked_parse(o->features[i], &asked, message))
            return false;
        if (!str_eqz(asked.name, "metadata.version"))
            continue;
        if (o->release_version != NULL)
            return refuse(message,
                          "Use --release-version instead of --feature metadata.version=X to "
                          "avoid ambiguity.");
        if (asked.level < RELEASE_FIRST || asked.level > RELEASE_TESTING) {
            strbuf_printf(
                message,
                "No MetadataVersion with feature level %d. Valid feature levels are from %d "
                "to %d.",
                asked.level, (int)RELEASE_FIRST, (int)RELEASE_TESTING);
            return false;
        }
        f->release = asked.level;
    }
    if (f->release <= RELEASE_LATEST || with_testing)
        return true;
    strbuf_printf(message, "metadata.version %s is not yet stable.", release_name(f->release));
    return false;
}

static struct bootstrap_feature *feature_of(struct format *f, struct str name)
{
    for (size_t i = 0; i < FEATURE_COUNT + 1; i++)
        if (str_eqz(name, f->features[i].name))
            return &f->features[i];
    return NULL;
}

static bool kraft_version_is_kept(const struct format *f, int16_t level, struct strbuf *message)
{
    if ((level != 0) == f->has_dynamic_quorum)
        return true;
    if (f->has_dynamic_quorum)
        return refuse(message,
                      "Cannot set kraft.version to 0 if controller.quorum.voters is empty and "
                      "one of the flags --standalone, --initial-controllers, or "
                      "--no-initial-controllers is used. For dynamic controllers support, try "
                      "removing the --feature flag for kraft.version.");
    strbuf_printf(
        message,
        "Cannot set kraft.version to %d unless controller.quorum.voters is empty and one of "
        "the flags --standalone, --initial-controllers, or --no-initial-controllers is used. "
        "For dynamic controllers support, try using one of --standalone, "
        "--initial-controllers, or --no-initial-controllers and removing "
        "controller.quorum.voters.",
        level);
    return false;
}

static bool features_decide(struct format *f, struct strbuf *message)
{
    f->features[0] = (struct bootstrap_feature){ "metadata.version", f->release };
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        f->features[i + 1] =
            (struct bootstrap_feature){ feature_names[i],
                                        feature_default_level(feature_names[i], f->release) };
    feature_of(f, str_of("kraft.version"))->level = f->has_dynamic_quorum;
    for (size_t i = 0; i < f->options->features_count; i++) {
        struct asked asked;
        asked_parse(f->options->features[i], &asked, message);
        struct bootstrap_feature *feature = feature_of(f, asked.name);
        if (feature == NULL) {
            strbuf_printf(message,
                          "Unsupported feature: %.*s. Supported features are: "
                          "eligible.leader.replicas.version, group.version, kraft.version, "
                          "share.version, streams.version, transaction.version",
                          STR_ARG(asked.name));
            return false;
        }
        feature->level = asked.level;
        if (strcmp(feature->name, "kraft.version") == 0 &&
            !kraft_version_is_kept(f, asked.level, message))
            return false;
    }
    for (size_t i = 1; i < FEATURE_COUNT + 1; i++) {
        const struct bootstrap_feature *feature = &f->features[i];
        const struct feature_level *level =
            feature_level_find(str_of(feature->name), feature->level);
        if (level == NULL) {
            strbuf_printf(message, "No feature:%s with feature level %d", feature->name,
                          feature->level);
            return false;
        }
        if (level->needs_release > f->release) {
            strbuf_printf(
                message,
                "%s could not be set to %d because it depends on metadata.version level %d",
                feature->name, feature->level, level->needs_release);
            return false;
        }
    }
    return true;
}

// The line "Bootstrap metadata: …", as Java prints the records.
static void bootstrap_make(struct format *f, struct strbuf *out)
{
    struct metadata_entries entries;
    metadata_entries_init(&entries, &f->arena);
    bootstrap_entries(&entries, f->features, FEATURE_COUNT + 1, NULL, 0);
    bootstrap_encode(&f->bootstrap, &entries, f->options->now_ms);
    strbuf_addz(out, "Bootstrap metadata: BootstrapMetadata(records=[");
    for (size_t i = 0; i < entries.count; i++) {
        const struct feature_level_record *record = entries.items[i].body;
        strbuf_printf(out,
                      "%sApiMessageAndVersion(FeatureLevelRecord(name='%.*s', featureLevel=%d) at "
                      "version 0)",
                      i > 0 ? ", " : "", STR_ARG(record->name), record->feature_level);
    }
    strbuf_printf(out, "], metadataVersionLevel=%d, source=format command)\n", f->release);
}

static const struct voter *own_voter(const struct format *f)
{
    for (size_t i = 0; i < f->voters_count; i++)
        if (f->voters[i].id == config_int(f->options->config, CONFIG_NODE_ID))
            return &f->voters[i];
    return NULL;
}

static int genesis_write(struct format *f, const char *dir)
{
    struct voters_record record = { .voters_count = (int32_t)f->voters_count };
    struct strbuf genesis = STRBUF_EMPTY;
    record.voters = arena_array(&f->arena, struct voters_record_voter, f->voters_count);
    for (size_t i = 0; i < f->voters_count; i++) {
        const struct voter *v = &f->voters[i];
        record.voters[i] = voters_of_one(&f->arena, v->id, v->directory_id,
                                         str_of(f->controller_listener), v->host, v->port)
                               ->voters[0];
    }
    genesis_encode(&genesis, &record, f->options->now_ms);
    char *folder = mem_printf("%s/" METADATA_DIR, dir);
    char *path = mem_printf("%s/" GENESIS_FILE, folder);
    int error = disk_mkdirs(f->options->disk, folder);
    if (error == 0)
        error = disk_write_atomic(f->options->disk, path, genesis.data, genesis.size);
    strbuf_fini(&genesis);
    mem_free(path);
    mem_free(folder);
    return error;
}

static bool dir_write(struct format *f, const struct log_dir_identity *dir, struct strbuf *out,
                      struct strbuf *message)
{
    const struct format_options *o = f->options;
    const struct voter *own = own_voter(f);
    bool is_dynamic = dir->is_metadata && f->voters_count > 0;
    const char *kind = !is_dynamic   ? (dir->is_metadata ? "metadata directory" : "data directory")
                       : own != NULL ? "dynamic metadata voter directory"
                                     : "dynamic metadata directory";
    strbuf_printf(out, "Formatting %s %s with metadata.version %s.\n", kind, dir->path,
                  release_name(f->release));
    struct meta_properties meta = { (char *)o->cluster_id, config_int(o->config, CONFIG_NODE_ID),
                                    is_dynamic && own != NULL ? own->directory_id : uuid_random() };
    char *path = mem_printf("%s/" BOOTSTRAP_FILE, dir->path);
    int error = disk_mkdirs(o->disk, dir->path);
    if (error == 0)
        error = disk_write_atomic(o->disk, path, f->bootstrap.data, f->bootstrap.size);
    if (error == 0 && is_dynamic)
        error = genesis_write(f, dir->path);
    if (error == 0)
        error = meta_properties_write(o->disk, dir->path, &meta, o->now_ms);
    mem_free(path);
    if (error != 0)
        strbuf_printf(message, "Error while writing meta.properties file %s: %s", dir->path,
                      strerror(-error));
    return error == 0;
}

static bool dirs_write(struct format *f, struct strbuf *out, struct strbuf *message)
{
    const struct node_identity *identity = &f->identity;
    size_t empty = 0;
    for (size_t i = 0; i < identity->count; i++) {
        const struct log_dir_identity *dir = &identity->dirs[i];
        empty += dir->error == -ENOENT;
        if (dir->error == 0 && !f->options->ignore_formatted) {
            strbuf_printf(message,
                          "Log directory %s is already formatted. Use --ignore-formatted to ignore "
                          "this directory and format the others.",
                          dir->path);
            return false;
        }
        if (dir->error != 0 && dir->error != -ENOENT)
            strbuf_printf(out, "I/O error trying to read log directory %s. Ignoring...\n",
                          dir->path);
    }
    if (empty == 0 && identity->formatted_count == 0)
        return refuse(message, "No available log directories to format.");
    if (empty == 0) {
        strbuf_addz(out, "All of the log directories are already formatted.\n");
        return true;
    }
    bootstrap_make(f, out);
    for (size_t i = 0; i < identity->count; i++)
        if (identity->dirs[i].error == -ENOENT && !dir_write(f, &identity->dirs[i], out, message))
            return false;
    return true;
}

bool format_run(const struct format_options *options, struct strbuf *out, struct strbuf *message)
{
    struct format f = { .options = options, .bootstrap = STRBUF_EMPTY };
    if (!listeners_resolve(options->config, &f.listeners, message))
        return false;
    arena_init(&f.arena);
    f.controller_listener = config_list(options->config, CONFIG_CONTROLLER_LISTENER_NAMES).items[0];
    bool ok =
        release_decide(&f, message) && quorum_decide(&f, message) && features_decide(&f, message);
    if (ok)
        ok = node_identity_load(options->disk, options->config, options->cluster_id, &f.identity,
                                message) &&
             dirs_write(&f, out, message);
    node_identity_fini(&f.identity);
    listeners_fini(&f.listeners);
    strbuf_fini(&f.bootstrap);
    arena_fini(&f.arena);
    return ok;
}

static void add_lines(struct strbuf *out, const char *one, const char *several,
                      const struct strbuf *lines, size_t count)
{
    if (count > 0)
        strbuf_printf(out, "%s:\n%s\n", count == 1 ? one : several, lines->data);
}

bool format_info(struct disk *disk, const struct config *config, struct strbuf *out)
{
    struct node_identity identity;
    struct strbuf found = STRBUF_EMPTY, problems = STRBUF_EMPTY, ignored = STRBUF_EMPTY;
    size_t found_count = 0, problem_count = 0;
    const struct meta_properties *first = NULL;
    // Every directory is shown, also when they do not agree: so they are read one by one.
    node_identity_load(disk, config, NULL, &identity, &ignored);
    for (size_t i = 0; i < identity.count; i++) {
        struct log_dir_identity *dir = &identity.dirs[i];
        struct disk_stat stat;
        struct strbuf why = STRBUF_EMPTY;
        int error = disk->ops->stat(disk, dir->path, &stat);
        if (error != 0 || !stat.is_directory) {
            strbuf_printf(&problems, "  %s %s\n", dir->path,
                          error != 0 ? "does not exist" : "is not a directory");
            problem_count++;
            continue;
        }
        strbuf_printf(&found, "  %s\n", dir->path);
        found_count++;
        meta_properties_fini(&dir->meta);
        error = meta_properties_read(disk, dir->path, &dir->meta, &why);
        const char *wrong = NULL;
        if (error == -ENOENT)
            strbuf_printf(&problems, "  %s is not formatted.\n", dir->path);
        else if (error != 0)
            strbuf_printf(&problems, "  Error loading %s\n",
                          error == -EBADMSG ? why.data : strerror(-error));
        else if (first != NULL && strcmp(first->cluster_id, dir->meta.cluster_id) != 0)
            wrong = "Mismatched cluster IDs between storage directories.";
        else if (first != NULL && first->node_id != dir->meta.node_id)
            wrong = "Mismatched node IDs between storage directories.";
        if (wrong != NULL)
            strbuf_printf(&problems, "  %s\n", wrong);
        problem_count += error != 0 || wrong != NULL;
        if (error == 0 && first == NULL)
            first = &dir->meta;
        strbuf_fini(&why);
    }
    add_lines(out, "Found log directory", "Found log directories", &found, found_count);
    if (first != NULL) {
        char id[UUID_TEXT_SIZE];
        uuid_format(first->directory_id, id);
        strbuf_printf(out, "Found metadata: {cluster.id=%s, ", first->cluster_id);
        if (!uuid_is_zero(first->directory_id))
            strbuf_printf(out, "directory.id=%s, ", id);
        strbuf_printf(out, "node.id=%d, version=1}\n\n", first->node_id);
    }
    add_lines(out, "Found problem", "Found problems", &problems, problem_count);
    node_identity_fini(&identity);
    strbuf_fini(&found);
    strbuf_fini(&problems);
    strbuf_fini(&ignored);
    return problem_count == 0;
}
