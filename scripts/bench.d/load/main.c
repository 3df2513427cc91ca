// SPDX-License-Identifier: Apache-2.0
// A load generator that costs little, for scripts/bench: requests are encoded once, sent pipelined, and answers are looked
// at only where they say "error" or "next offset".
//
//     bench-load LOAD HOST:PORT ARGUMENTS…
//
// Prints one line of name=value pairs; exits non-zero with a reason when anything goes wrong. The head of each load's
// file says what its arguments are.
#include <string.h>

#include "wire.h"

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int argument_count; // behind HOST:PORT; -1: "--" and a command line
        int (*run)(const char *address, char **args);
    } loads[] = {
        { "start", -1, run_start },
        { "produce", 7, run_produce },
        { "consume", 4, run_consume },
        { "latency", 5, run_latency },
        { "fill", 6, run_fill },
        { "producers", 6, run_producers },
        { "create-topics", 5, run_create_topics },
        { "delete-topics", 5, run_delete_topics },
        { "restart", -1, run_restart },
        { "commit", 4, run_commit },
        { "join", 3, run_join },
        { "transaction", 5, run_transaction },
    };
    for (size_t i = 0; argc > 3 && i < sizeof loads / sizeof *loads; i++) {
        if (strcmp(argv[1], loads[i].name) != 0)
            continue;
        if (loads[i].argument_count < 0 && argc > 4 && strcmp(argv[3], "--") == 0)
            return loads[i].run(argv[2], argv + 4);
        if (argc - 3 == loads[i].argument_count)
            return loads[i].run(argv[2], argv + 3);
    }
    fail("usage: bench-load LOAD HOST:PORT …, see the heads of", "scripts/bench.d/load/*.c");
}
