// SPDX-License-Identifier: Apache-2.0
#include "broker/format_command.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "broker/format.h"
#include "broker/release.h"
#include "config/config_load.h"

enum { FEATURES_MAX = 32 };

struct arguments {
    const char *cluster_id, *config, *release, *initial_controllers;
    bool ignore_formatted, standalone, no_initial_controllers, add_scram, help;
    const char *features[FEATURES_MAX];
    size_t features_count;
};

struct flag {
    const char *name, *letter;
    const char *commands; // which take it
    bool has_value;
};

static const struct flag flags[] = {
    { "--config", "-c", "format info", true },
    { "--cluster-id", "-t", "format", true },
    { "--release-version", "-r", "format version-mapping", true },
    { "--feature", "-f", "format feature-dependencies", true },
    { "--initial-controllers", "-I", "format", true },
    { "--add-scram", "-S", "format", true },
    { "--ignore-formatted", "-g", "format", false },
    { "--standalone", "-s", "format", false },
    { "--no-initial-controllers", "-N", "format", false },
};

static const char *const commands[] = { "format", "info", "random-uuid", "version-mapping",
                                        "feature-dependencies" };

static const char usage[] =
    "usage: odradekd format --config CONFIG --cluster-id CLUSTER_ID [--ignore-formatted]\n"
    "                       [--release-version RELEASE] [--feature NAME=LEVEL]...\n"
    "                       [--standalone | --no-initial-controllers | --initial-controllers "
    "VOTERS]\n"
    "       odradekd info --config CONFIG\n"
    "       odradekd random-uuid\n"
    "       odradekd version-mapping [--release-version RELEASE]\n"
    "       odradekd feature-dependencies --feature NAME=LEVEL...\n";

bool format_command_is(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i]) == 0)
            return true;
    return false;
}

static int fail(const char *command, const char *why)
{
    fprintf(stderr, "odradekd %s: %s\n", command, why);
    return 1;
}

static void take(struct arguments *args, const char *letter, const char *value)
{
    switch (letter[1]) {
    case 'c':
        args->config = value;
        break;
    case 't':
        args->cluster_id = value;
        break;
    case 'r':
        args->release = value;
        break;
    case 'I':
        args->initial_controllers = value;
        break;
    case 'f':
        if (args->features_count < FEATURES_MAX)
            args->features[args->features_count++] = value;
        break;
    case 'S':
        args->add_scram = true;
        break;
    case 'g':
        args->ignore_formatted = true;
        break;
    case 's':
        args->standalone = true;
        break;
    default:
        args->no_initial_controllers = true;
        break;
    }
}

// "--flag value", "--flag=value", "-f value". Kafka's feature-dependencies and version-mapping take several
// values after one flag, and so do we.
static bool parse(int argc, char **argv, struct arguments *args)
{
    const struct flag *open = NULL;
    for (int i = 2; i < argc; i++) {
        const char *text = argv[i], *equals = strchr(text, '=');
        const struct flag *found = NULL;
        if (strcmp(text, "-h") == 0 || strcmp(text, "--help") == 0) {
            args->help = true;
            return true;
        }
        if (text[0] != '-' && open != NULL && strcmp(open->letter, "-f") == 0) {
            take(args, open->letter, text);
            continue;
        }
        size_t size = equals != NULL && text[1] == '-' ? (size_t)(equals - text) : strlen(text);
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            if ((strlen(flags[k].name) == size && strncmp(flags[k].name, text, size) == 0) ||
                strcmp(flags[k].letter, text) == 0)
                found = &flags[k];
        if (found == NULL || strstr(found->commands, argv[1]) == NULL) {
            fprintf(stderr, "%sodradekd %s: unrecognized arguments: '%s'\n", usage, argv[1], text);
            return false;
        }
        bool joined = size < strlen(text);
        if (found->has_value && !joined && i + 1 == argc) {
            fprintf(stderr, "%sodradekd %s: argument %s/%s: expected one argument\n", usage,
                    argv[1], found->name, found->letter);
            return false;
        }
        take(args, found->letter, !found->has_value ? NULL : joined ? equals + 1 : argv[++i]);
        open = found;
    }
    return true;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

static struct config *load(const struct arguments *args, struct disk *disk)
{
    struct config_source_files from = { disk, args->config, NULL, 0, environment };
    struct strbuf message = STRBUF_EMPTY;
    struct config *config = config_load(&from, &message);
    if (config == NULL)
        fprintf(stderr, "odradekd: %s\n", message.data);
    strbuf_fini(&message);
    return config;
}

static int finish(const char *command, bool ok, struct strbuf *out, struct strbuf *message)
{
    fwrite(out->data != NULL ? out->data : "", 1, out->size, stdout);
    fflush(stdout);
    if (!ok && message->size > 0)
        fail(command, message->data);
    strbuf_fini(out);
    strbuf_fini(message);
    return ok ? 0 : 1;
}

static int run_format(const struct arguments *args, struct disk *disk, struct clock *clock)
{
    if (args->config == NULL || args->cluster_id == NULL) {
        fputs(usage, stderr);
        return fail("format", args->config == NULL ? "argument --config/-c is required"
                                                   : "argument --cluster-id/-t is required");
    }
    if (args->standalone + args->no_initial_controllers + (args->initial_controllers != NULL) > 1)
        return fail("format", "only one of --standalone, --no-initial-controllers and "
                              "--initial-controllers is allowed");
    if (args->add_scram)
        return fail("format", "--add-scram: this release has no SCRAM");
    struct config *config = load(args, disk);
    if (config == NULL)
        return 1;
    struct format_options options = {
        .disk = disk,
        .config = config,
        .now_ms = clock_wall_ms(clock),
        .cluster_id = args->cluster_id,
        .ignore_formatted = args->ignore_formatted,
        .standalone = args->standalone,
        .no_initial_controllers = args->no_initial_controllers,
        .initial_controllers = args->initial_controllers,
        .release_version = args->release,
        .features = args->features,
        .features_count = args->features_count,
    };
    struct strbuf out = STRBUF_EMPTY, message = STRBUF_EMPTY;
    bool ok = format_run(&options, &out, &message);
    config_free(config);
    return finish("format", ok, &out, &message);
}

static int run_info(const struct arguments *args, struct disk *disk)
{
    if (args->config == NULL) {
        fputs(usage, stderr);
        return fail("info", "argument --config/-c is required");
    }
    struct config *config = load(args, disk);
    if (config == NULL)
        return 1;
    struct strbuf out = STRBUF_EMPTY, message = STRBUF_EMPTY;
    bool ok = format_info(disk, config, &out);
    config_free(config);
    return finish("info", ok, &out, &message);
}

static int run_version_mapping(const struct arguments *args)
{
    struct strbuf out = STRBUF_EMPTY, message = STRBUF_EMPTY;
    const char *name = args->release != NULL ? args->release : release_name(RELEASE_LATEST);
    int16_t release = release_find(str_of(name), true, &message);
    if (release != 0)
        strbuf_printf(&out, "metadata.version=%d (%s)\n", release, name);
    for (size_t i = 0; release != 0 && i < FEATURE_COUNT; i++)
        strbuf_printf(&out, "%s=%d\n", feature_names[i],
                      feature_default_level(feature_names[i], release));
    return finish("version-mapping", release != 0, &out, &message);
}

static bool add_dependencies(const char *text, struct strbuf *out, struct strbuf *message)
{
    const char *equals = strchr(text, '=');
    struct str name = str_trim((struct str){ text, equals == NULL ? 0 : (size_t)(equals - text) });
    struct str number = equals == NULL ? STR_NULL : str_trim(str_of(equals + 1));
    int64_t level;
    bool known = false;
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        known = known || str_eqz(name, feature_names[i]);
    bool is_release = str_eqz(name, "metadata.version");
    if (equals == NULL) {
        strbuf_printf(message,
                      "Invalid feature format: %s. Expected format: 'feature=version' (e.g. "
                      "'group.version=1')",
                      text);
    } else if (!str_to_int64(number, &level) || level < INT16_MIN || level > INT16_MAX) {
        strbuf_printf(message, "Invalid version format: %.*s for feature %.*s", STR_ARG(number),
                      STR_ARG(name));
    } else if (is_release && (level < RELEASE_FIRST || level > RELEASE_TESTING)) {
        strbuf_printf(message, "Unknown metadata.version %d", (int)level);
    } else if (is_release) {
        strbuf_printf(out, "metadata.version=%d (%s) has no dependencies.\n", (int)level,
                      release_name((int16_t)level));
        return true;
    } else if (!known) {
        strbuf_printf(message, "Unknown feature: %.*s", STR_ARG(name));
    } else {
        const struct feature_level *found = feature_level_find(name, (int16_t)level);
        if (found == NULL)
            strbuf_printf(message, "Feature level %d is not supported for feature %.*s", (int)level,
                          STR_ARG(name));
        else if (found->needs_release == 0)
            strbuf_printf(out, "%.*s=%d has no dependencies.\n", STR_ARG(name), (int)level);
        else
            strbuf_printf(out, "%.*s=%d requires:\n    metadata.version=%d (%s)\n", STR_ARG(name),
                          (int)level, found->needs_release, release_name(found->needs_release));
        return found != NULL;
    }
    return false;
}

int format_command_run(int argc, char **argv, struct disk *disk, struct clock *clock)
{
    struct arguments args = { .config = NULL };
    if (!parse(argc, argv, &args))
        return 1;
    if (args.help) {
        fputs(usage, stdout);
        return 0;
    }
    if (strcmp(argv[1], "format") == 0)
        return run_format(&args, disk, clock);
    if (strcmp(argv[1], "info") == 0)
        return run_info(&args, disk);
    if (strcmp(argv[1], "version-mapping") == 0)
        return run_version_mapping(&args);
    struct strbuf out = STRBUF_EMPTY, message = STRBUF_EMPTY;
    bool ok = true;
    if (strcmp(argv[1], "random-uuid") == 0) {
        char id[UUID_TEXT_SIZE];
        uuid_format(uuid_random(), id);
        strbuf_printf(&out, "%s\n", id);
    }
    for (size_t i = 0; ok && i < args.features_count; i++)
        ok = add_dependencies(args.features[i], &out, &message);
    return finish(argv[1], ok, &out, &message);
}
