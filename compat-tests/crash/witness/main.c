// SPDX-License-Identifier: Apache-2.0
// The witness of the crash tests: it writes down what a broker acknowledged, and tells later whether that is there.
//
//     witness produce  [options] BOOTSTRAP LEDGER TOPIC:PARTITIONS:CODEC:KIND…
//     witness transact [options] BOOTSTRAP LEDGER TOPIC:PARTITIONS:CODEC:KIND…
//     witness check-transactions [options] BOOTSTRAP LEDGER TOPIC:PARTITIONS:CODEC:KIND…
//     witness check    [options] BOOTSTRAP LEDGER TOPIC:PARTITIONS:CODEC:KIND…
//
// produce is one idempotent producer: it outlives the brokers and goes on until SIGTERM or --count messages, and ends
// when all that it sent was acknowledged. check reads everything and prints a line for whatever is missing, twice, out of
// order or different. Exit status: 0 all is as it must be, 1 something is not, 2 it could not be asked.
#include <err.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

atomic_bool client_stopping;

static void on_term(int signal_number)
{
    (void)signal_number;
    atomic_store(&client_stopping, true);
}

static const struct option long_options[] = {
    { "count", required_argument, NULL, 'n' },
    { "rate", required_argument, NULL, 'r' },
    { "seed", required_argument, NULL, 's' },
    { "counter", required_argument, NULL, 'c' },
    { "upto-call", required_argument, NULL, 'u' },
    { "commits", no_argument, NULL, 'o' },
    { "churn", no_argument, NULL, 't' },
    { "committed", no_argument, NULL, 'C' },
    { "name", required_argument, NULL, 'N' },
    { "pause", required_argument, NULL, 'p' },
    { NULL, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
    struct options options = {
        .rate = 2000, .pause_ms = 5, .seed = 1, .upto_call = UINT64_MAX, .name = "witness"
    };
    int option;
    if (argc < 2)
        errx(2, "produce, transact or check?");
    const char *what = argv[1];
    optind = 2;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'n':
            options.count = atoll(optarg);
            break;
        case 'r':
            options.rate = atoi(optarg);
            break;
        case 's':
            options.seed = strtoull(optarg, NULL, 10);
            break;
        case 'c':
            options.counter = optarg;
            break;
        case 'u':
            options.upto_call = strtoull(optarg, NULL, 10);
            break;
        case 'o':
            options.commits = true;
            break;
        case 't':
            options.churn = true;
            break;
        case 'C':
            options.committed = true;
            break;
        case 'p':
            options.pause_ms = atoi(optarg);
            break;
        case 'N':
            options.name = optarg;
            break;
        default:
            return 2;
        }
    }
    if (argc - optind < 3 || argc - optind - 2 > TOPICS_MAX)
        errx(2, "BOOTSTRAP LEDGER TOPIC:PARTITIONS:CODEC:KIND…");
    options.bootstrap = argv[optind];
    options.ledger = argv[optind + 1];
    for (int i = optind + 2; i < argc; i++)
        options.topics[options.topic_count++] = topic_parse(argv[i]);
    signal(SIGTERM, on_term);
    signal(SIGINT, on_term);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "produce") == 0)
        return produce_run(&options);
    if (strcmp(what, "transact") == 0)
        return transact_run(&options);
    if (strcmp(what, "check-transactions") == 0)
        return check_transactions_run(&options);
    if (strcmp(what, "check") == 0)
        return check_run(&options);
    errx(2, "produce, transact or check?");
}
