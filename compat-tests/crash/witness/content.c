// SPDX-License-Identifier: Apache-2.0
#include "content.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct topic topic_parse(const char *text)
{
    char name[256], codec[16], kind[16];
    struct topic topic = { 0 };
    if (sscanf(text, "%255[^:]:%d:%15[^:]:%15s", name, &topic.partitions, codec, kind) != 4)
        errx(2, "no topic: %s", text);
    topic.name = strdup(name);
    topic.codec = strdup(codec);
    topic.kind = strcmp(kind, "full") == 0       ? TOPIC_FULL
                 : strcmp(kind, "retained") == 0 ? TOPIC_RETAINED
                                                 : TOPIC_COMPACTED;
    return topic;
}

uint64_t content_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

size_t content_make(int topic, int partition, int64_t number, enum topic_kind kind, uint8_t *value,
                    char *key)
{
    uint64_t random = (uint64_t)number * 0x9e3779b97f4a7c15u + (uint64_t)topic * 1000003u +
                      (uint64_t)partition * 7919u + 1;
    for (int i = 0; i < 4; i++)
        content_random(&random);
    size_t size = 24 + content_random(&random) % 300;
    if (number % 61 == 60)
        size = 4000 + content_random(&random) % 12000; // further apart than entries of an index
    int head = snprintf((char *)value, CONTENT_MAX, "%lld ", (long long)number);
    for (size_t i = (size_t)head; i < size; i++) // runs of a letter: worth compressing
        value[i] = i % 16 == 0 || i == (size_t)head ? (uint8_t)('a' + content_random(&random) % 26)
                                                    : value[i - 1];
    key[0] = '\0';
    if (kind == TOPIC_COMPACTED)
        snprintf(key, 32, "key-%d", (int)(content_random(&random) % CONTENT_KEYS));
    return size;
}

int64_t content_number(const void *value, size_t size)
{
    char head[24] = "";
    memcpy(head, value, size < sizeof head - 1 ? size : sizeof head - 1);
    char *end;
    long long number = strtoll(head, &end, 10);
    return end == head || *end != ' ' || number < 0 ? -1 : number;
}
