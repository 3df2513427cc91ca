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

enum { ARGS_MAX = 16 };

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int least, most; // arguments behind HOST:PORT; -1: "--" and a command line
        int (*run)(const char *address, char **args);
    } loads[] = {
        { "start", -1, -1, run_start },
        { "restart", -1, -1, run_restart },
        { "produce", 7, 10, run_produce },
        { "consume", 4, 5, run_consume },
        { "latency", 5, 6, run_latency },
        { "fill", 6, 6, run_fill },
        { "lines", 3, 3, run_lines },
        { "producers", 6, 6, run_producers },
        { "create-topics", 5, 5, run_create_topics },
        { "delete-topics", 5, 5, run_delete_topics },
        { "raw", 4, 4, run_raw },
        { "connections", 3, 3, run_connections },
        { "join", 4, 4, run_join },
        { "join-classic", 3, 3, run_join_classic },
        { "transaction", 5, 5, run_transaction },
        { "open-transactions", 2, 2, run_open_transactions },
        { "share", 4, 4, run_share },
    };
    for (size_t i = 0; argc > 3 && i < sizeof loads / sizeof *loads; i++) {
        if (strcmp(argv[1], loads[i].name) != 0)
            continue;
        if (loads[i].least < 0 && argc > 4 && strcmp(argv[3], "--") == 0)
            return loads[i].run(argv[2], argv + 4);
        if (argc - 3 >= loads[i].least && argc - 3 <= loads[i].most) {
            char *args[ARGS_MAX] = { NULL };
            for (int a = 3; a < argc; a++)
                args[a - 3] = argv[a];
            return loads[i].run(argv[2], args);
        }
    }
    fail("usage: bench-load LOAD HOST:PORT …, see the heads of", "scripts/bench.d/load/*.c");
}
