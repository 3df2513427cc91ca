// SPDX-License-Identifier: Apache-2.0
//
// The tests, one function a test; main.c names them.
#ifndef SUITE_H
#define SUITE_H

void test_produce(void);
void test_consume_from_beginning(void);
void test_consume_from_time(void);
void test_group_commit_resume(void);
void test_compression_gzip(void);
void test_compression_snappy(void);
void test_compression_lz4(void);
void test_compression_zstd(void);
void test_headers(void);
void test_null_key_value(void);
void test_message_1mb(void);
void test_message_too_large(void);
void test_idempotent_produce(void);
void test_transactions(void);
void test_acks_0(void);
void test_consumer_group_balance(void);
void test_offsets_watermarks(void);
void test_auto_create_topic(void);
void test_admin_topics(void);
void test_admin_create_partitions(void);
void test_admin_configs(void);
void test_admin_groups(void);

#endif
