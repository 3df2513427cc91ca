// SPDX-License-Identifier: Apache-2.0
// share HOST:PORT GROUP TOPIC RECORDS BATCH: one member of a share group (KIP-932) that reads partition 0 of TOPIC, and accepts
// what it acquired with its next ShareFetch, until so many records are accepted. BATCH: how many to acquire at once, at most.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "wire.h"

enum { MAX_WAIT_MS = 500, ACQUIRED_MAX = 4096, LIMIT_MS = 120000, ACCEPT = 1 };

struct range {
    int64_t first, last;
};

struct share {
    int fd;
    const char *group;
    const char *topic;
    uint8_t topic_id[16];
    int32_t session_epoch, batch;
    struct range acquired[ACQUIRED_MAX];
    size_t count, accepted, requests;
    struct out out;
};

static const char *const member_id = "AAAAAAAAAAAAAAAAAAAABA"; // a uuid, as the brokers want it

static const uint8_t *skip_compact(const uint8_t *at)
{
    uint32_t size = take_uvarint(&at);
    return at + (size > 0 ? size - 1 : 0);
}

// Heartbeats until the member is given the topic; its id is told with that.
static void join(struct share *share)
{
    int32_t epoch = 0;
    for (double begin = now_ms(); now_ms() - begin < LIMIT_MS;) {
        struct out *out = &share->out;
        begin_request(out, SHARE_GROUP_HEARTBEAT, 1);
        add_int(out, 0, 1);
        add_compact(out, share->group);
        add_compact(out, member_id);
        add_int(out, epoch, 4);
        add_int(out, 0, 1); // rack
        add_int(out, epoch == 0 ? 2 : 0, 1);
        if (epoch == 0)
            add_compact(out, share->topic);
        add_int(out, 0, 1);
        end_request(out);
        const uint8_t *at = call(share->fd, out) + 5 + 4;
        if (get_be16(at) != 0)
            fail_with("ShareGroupHeartbeat was answered with error", get_be16(at));
        at = skip_compact(skip_compact(at + 2)); // message, member
        epoch = (int32_t)get_be32(at);
        at += 8;
        if (*at != 1 || at[1] < 2) {
            nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL); // as often as that, it may be asked
            continue;
        }
        memcpy(share->topic_id, at + 2, 16);
        return;
    }
    fail("share:", "the member was assigned nothing");
}

static void ask(struct share *share)
{
    struct out *out = &share->out;
    begin_request(out, SHARE_FETCH, 1);
    add_int(out, 0, 1);
    add_compact(out, share->group);
    add_compact(out, member_id);
    add_int(out, share->session_epoch, 4);
    add_int(out, MAX_WAIT_MS, 4);
    add_int(out, 1, 4);
    add_int(out, 1 << 20, 4);
    add_int(out, share->batch, 4); // records at most
    add_int(out, share->batch, 4);
    add_int(out, 2, 1); // one topic
    memcpy(out->data + out->size, share->topic_id, 16);
    out->size += 16;
    add_int(out, 2, 1); // one partition
    add_int(out, 0, 4);
    add_uvarint(out, share->count + 1);
    for (size_t i = 0; i < share->count; i++) {
        add_int(out, share->acquired[i].first, 8);
        add_int(out, share->acquired[i].last, 8);
        add_int(out, 2, 1);
        add_int(out, ACCEPT, 1);
        add_int(out, 0, 1); // no tags
    }
    add_int(out, 0, 2); // no tags of the partition, the topic
    add_int(out, 1, 1); // nothing forgotten
    add_int(out, 0, 1); // no tags
    end_request(out);
}

// What was acquired; what was sent before is accepted then.
static void take(struct share *share, const uint8_t *at)
{
    at += 5 + 4;
    if (get_be16(at) != 0)
        fail_with("ShareFetch was answered with error", get_be16(at));
    at = skip_compact(at + 2) + 4; // message, lock timeout
    uint32_t topics = take_uvarint(&at);
    for (size_t i = 0; i < share->count; i++)
        share->accepted += (size_t)(share->acquired[i].last - share->acquired[i].first + 1);
    share->count = 0;
    if (topics < 2)
        return;
    at += 16;
    if (take_uvarint(&at) < 2)
        return;
    if (get_be16(at + 4) != 0)
        fail_with("ShareFetch of the partition was answered with error", get_be16(at + 4));
    at = skip_compact(at + 6);
    if (get_be16(at) != 0)
        fail_with("acknowledgements were answered with error", get_be16(at));
    at = skip_compact(at + 2) + 8 + 1; // message, the leader with its tags
    at = skip_compact(at);             // records
    uint32_t ranges = take_uvarint(&at);
    for (uint32_t i = 1; i < ranges; i++, at += 8 + 8 + 2 + 1) {
        if (share->count == ACQUIRED_MAX)
            fail("share:", "too many ranges were acquired");
        share->acquired[share->count++] = (struct range){ (int64_t)get_be64(at), (int64_t)get_be64(at + 8) };
    }
}

int run_share(const char *address, char **args)
{
    struct share share = { .fd = try_connect(address), .group = args[0], .topic = args[1], .batch = (int32_t)strtol(args[3], NULL, 10) };
    size_t total = strtoul(args[2], NULL, 10);
    if (share.fd < 0)
        fail("cannot connect to", address);
    share.out.data = malloc(4096 + ACQUIRED_MAX * 19);
    join(&share);
    double begin = 0;
    size_t before = 0;
    while (share.accepted - before < total) {
        ask(&share);
        take(&share, call(share.fd, &share.out));
        share.session_epoch++;
        share.requests++;
        if (begin == 0 && share.count > 0) { // the share partition is there: from here on the clock runs
            begin = now_ms();
            before = share.accepted;
            share.requests = 0;
        }
    }
    double seconds = (now_ms() - begin) / 1e3;
    printf("seconds=%.3f records=%zu requests=%zu records_per_second=%.0f requests_per_second=%.0f\n", seconds,
           share.accepted - before, share.requests, (double)(share.accepted - before) / seconds, (double)share.requests / seconds);
    return 0;
}
