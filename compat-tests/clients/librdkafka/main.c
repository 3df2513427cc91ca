// SPDX-License-Identifier: Apache-2.0
//
// The suite of librdkafka: $BOOTSTRAP and $RUN_ID must be set. An argument runs one test alone.
#include <stdio.h>
#include <stdlib.h>

#include <librdkafka/rdkafka.h>

#include "lines.h"
#include "suite.h"

static const struct lines_test tests[] = {
    {"produce", test_produce},
    {"consume-from-beginning", test_consume_from_beginning},
    {"consume-from-time", test_consume_from_time},
    {"group-commit-resume", test_group_commit_resume},
    {"compression-gzip", test_compression_gzip},
    {"compression-snappy", test_compression_snappy},
    {"compression-lz4", test_compression_lz4},
    {"compression-zstd", test_compression_zstd},
    {"headers", test_headers},
    {"null-key-value", test_null_key_value},
    {"message-1mb", test_message_1mb},
    {"message-too-large", test_message_too_large},
    {"idempotent-produce", test_idempotent_produce},
    {"transactions", test_transactions},
    {"acks-0", test_acks_0},
    {"consumer-group-balance", test_consumer_group_balance},
    {"offsets-watermarks", test_offsets_watermarks},
    {"auto-create-topic", test_auto_create_topic},
    {"admin-topics", test_admin_topics},
    {"admin-create-partitions", test_admin_create_partitions},
    {"admin-configs", test_admin_configs},
    {"admin-groups", test_admin_groups},
};

int main(int argc, char **argv)
{
    if (getenv("BOOTSTRAP") == NULL || getenv("RUN_ID") == NULL) {
        fprintf(stderr, "BOOTSTRAP and RUN_ID must be set\n");
        return 2;
    }
    printf("# librdkafka %s\n", rd_kafka_version_str());
    return lines_run(tests, (int)(sizeof tests / sizeof *tests), argc > 1 ? argv[1] : NULL);
}
