// SPDX-License-Identifier: Apache-2.0
// The daemon.
//
//     odradekd [CONFIG] [--override name=value]… [--format]
//     odradekd format …
//     odradekd --version | --help
//
// CONFIG is Kafka's server.properties. Exit status: 0 after a clean stop on SIGTERM or SIGINT, 1 when the configuration
// cannot be served, with one line saying what to change; a second signal ends at once.
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock_posix.h"
#include "base/disk_posix.h"
#include "base/must.h"
#include "broker/broker.h"
#include "config.h"

// Two heaps: that many reactors rarely meet in one, and each costs resident memory.
enum { HEAPS_MAX = 2 };

static struct trace trace;

static const char usage[] =
    "usage: odradekd [CONFIG] [--override name=value]... [--format]\n"
    "       odradekd format -t CLUSTER_ID -c CONFIG [...]\n"
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

static void on_second_signal(int signal_number)
{
    _exit(128 + signal_number);
}

static void prepare_process(void)
{
    mallopt(M_ARENA_MAX, HEAPS_MAX);
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
    int signal_number;
    sigwait(&stops, &signal_number);
    trace_info(options->trace, "stopping signal=%s", signal_number == SIGTERM ? "TERM" : "INT");
    signal(SIGTERM, on_second_signal);
    signal(SIGINT, on_second_signal);
    pthread_sigmask(SIG_UNBLOCK, &stops, NULL);
    broker_stop(broker);
    trace_info(options->trace, "stopped");
    return 0;
}

// Name and value of an --override.
static bool apply_override(struct config *config, const char *text, struct strbuf *message)
{
    const char *equals = text == NULL ? NULL : strchr(text, '=');
    if (equals == NULL) {
        strbuf_addz(message, "--override needs name=value");
        return false;
    }
    struct str name = str_trim((struct str){ text, (size_t)(equals - text) });
    return config_set(config, CONFIG_SOURCE_STATIC_BROKER, name, str_of(equals + 1), message);
}

int main(int argc, char **argv)
{
    int64_t started_us = clock_monotonic_us(clock_posix());
    prepare_process();
    trace_init(&trace, clock_posix(), TRACE_INFO, STDERR_FILENO);
    must_set_hook(dump_trace);

    struct strbuf message = STRBUF_EMPTY;
    struct config *config = config_new();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--version") == 0) {
            puts("odradekd " VERSION);
            return 0;
        }
        if (strcmp(argv[i], "--override") == 0) {
            if (!apply_override(config, argv[++i], &message))
                return fail(&message);
        } else {
            fputs(usage, stderr);
            return 1;
        }
    }
    int status = serve(&(struct broker_options){
        .config = config,
        .disk = disk_posix(),
        .clock = clock_posix(),
        .trace = &trace,
        .started_us = started_us,
    });
    config_free(config);
    trace_fini(&trace);
    return status;
}
