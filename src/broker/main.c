// SPDX-License-Identifier: Apache-2.0
// The daemon.
//
//     odradekd [CONFIG] [--override name=value]… [--format]
//     odradekd format … | info … | random-uuid | …      (broker/format_command.h)
//     odradekd --version | --help
//
// CONFIG is Kafka's server.properties. Exit status: 0 after a clean stop on SIGTERM or SIGINT, 1 when the configuration
// cannot be served, with one line saying what to change; a second signal ends at once.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/mem.h"
#include "base/must.h"
#include "broker/broker.h"
#include "broker/format_command.h"
#include "config.h"
#include "config/config_load.h"

static struct trace trace;

static const char usage[] =
    "usage: odradekd [CONFIG] [--override name=value]... [--format]\n"
    "       odradekd format -t CLUSTER_ID -c CONFIG [...]\n"
    "       odradekd info -c CONFIG | random-uuid | version-mapping | feature-dependencies\n"
    "       odradekd --version | --help\n"
    "\n"
    "CONFIG is a server.properties as Apache Kafka reads it. Without CONFIG the broker serves on "
    "localhost:9092\n"
    "and keeps its data in ./odradek-data, which it formats on first use.\n"
    "\n"
    "  --override name=value   a setting that counts more than the file's\n"
    "  --format                format directories that are not yet, then start\n";

static void dump_trace(void)
{
    trace_dump_ring(&trace);
}

// Who sends a signal to a process and to its group, as timeout(1) does, means one stop, not two.
enum { SECOND_SIGNAL_AFTER_US = 500000 };
static int64_t first_signal_us;

static void on_second_signal(int signal_number)
{
    if (clock_monotonic_us(clock_posix()) - first_signal_us > SECOND_SIGNAL_AFTER_US)
        _exit(128 + signal_number);
}

static void on_fatal(void)
{
    kill(getpid(), SIGTERM); // to serve()
}

static void prepare_process(void)
{
    mem_set_up_heaps();
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int fail(struct strbuf *message)
{
    fprintf(stderr, "odradekd: %s\n", message->data != NULL ? message->data : "failed");
    strbuf_fini(message);
    return 1;
}

// Waits for a signal on this thread; all others inherit them blocked.
static int serve(const struct broker_options *options)
{
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);

    struct strbuf message = STRBUF_EMPTY;
    struct broker *broker = broker_start(options, &message);
    if (broker == NULL)
        return fail(&message);
    mem_give_back(); // a start needs more than what is there after it
    int signal_number;
    sigwait(&stops, &signal_number);
    trace_info(options->trace, "stopping signal=%s", signal_number == SIGTERM ? "TERM" : "INT");
    first_signal_us = clock_monotonic_us(clock_posix());
    signal(SIGTERM, on_second_signal);
    signal(SIGINT, on_second_signal);
    pthread_sigmask(SIG_UNBLOCK, &stops, NULL);
    bool is_clean = broker_stop(broker);
    trace_info(options->trace, "stopped");
    return is_clean ? 0 : 1;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

struct arguments {
    const char *path; // of CONFIG; NULL: none
    const char **overrides;
    size_t override_count;
    bool format;
};

// False when this is no way to call it.
static bool parse_arguments(int argc, char **argv, struct arguments *out)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--override") == 0 && i + 1 < argc)
            out->overrides[out->override_count++] = argv[++i];
        else if (strcmp(argv[i], "--format") == 0)
            out->format = true;
        else if (argv[i][0] != '-' && out->path == NULL)
            out->path = argv[i];
        else
            return false;
    }
    return true;
}

static int run(const struct arguments *arguments, int64_t started_us)
{
    struct strbuf message = STRBUF_EMPTY;
    struct config_source_files from = {
        .disk = disk_posix(),
        .path = arguments->path,
        .overrides = arguments->overrides,
        .override_count = arguments->override_count,
        .environment = environment,
    };
    struct config *config = config_load(&from, &message);
    if (config == NULL)
        return fail(&message);
    int status = serve(&(struct broker_options){
        .config = config,
        .disk = disk_posix(),
        .clock = clock_posix(),
        .trace = &trace,
        .on_fatal = on_fatal,
        .format = arguments->format || arguments->path == NULL,
        .started_us = started_us,
    });
    config_free(config);
    return status;
}

int main(int argc, char **argv)
{
    int64_t started_us = clock_monotonic_us(clock_posix());
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("odradekd " VERSION);
        return 0;
    }
    if (format_command_is(argc, argv))
        return format_command_run(argc, argv, disk_posix(), clock_posix());
    struct arguments arguments = { .overrides = mem_zalloc((size_t)argc * sizeof(char *)) };
    int status = 1;
    if (parse_arguments(argc, argv, &arguments)) {
        prepare_process();
        trace_init(&trace, clock_posix(), TRACE_INFO, STDERR_FILENO);
        must_set_hook(dump_trace);
        status = run(&arguments, started_us);
        trace_fini(&trace);
    } else {
        fputs(usage, stderr);
    }
    mem_free(arguments.overrides);
    return status;
}
