// SPDX-License-Identifier: Apache-2.0
// What Kafka 4.3.1's TimelineHashMap printed after the same puts and removals.
#include "group/timeline_order.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/testing.h"

enum { MOST = 16 };

struct model {
    struct timeline map;
    const char *keys[MOST];
    uint64_t places[MOST];
    size_t count;
};

static void put(struct model *m, const char *key)
{
    size_t at = 0;
    while (at < m->count && strcmp(m->keys[at], key) != 0)
        at++;
    bool is_new = at == m->count;
    m->places[at] = timeline_put(&m->map, m->count, is_new, m->places[at]);
    m->keys[at] = key;
    m->count += is_new;
}

static void take_away(struct model *m, const char *key)
{
    size_t at = 0;
    while (strcmp(m->keys[at], key) != 0)
        at++;
    m->count--;
    m->keys[at] = m->keys[m->count];
    m->places[at] = m->places[m->count];
}

static void expect(const struct model *m, const char *order)
{
    struct timeline_entry entries[MOST];
    char got[100] = "";
    for (size_t i = 0; i < m->count; i++)
        entries[i] = (struct timeline_entry){ str_java_hash(str_of(m->keys[i])), m->places[i],
                                              (void *)(uintptr_t)m->keys[i] };
    timeline_sort(&m->map, entries, m->count);
    for (size_t i = 0; i < m->count; i++) {
        const char *key = entries[i].value;
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%s", i > 0 ? "," : "", key);
    }
    CU_ASSERT_STRING_EQUAL(got, order);
}

// "Aa" and "BB" have one hash.
static void as_kafka_printed(void)
{
    struct model m = { .map = TIMELINE_INIT };
    put(&m, "a");
    put(&m, "b");
    expect(&m, "b,a");
    put(&m, "c");
    put(&m, "Aa");
    expect(&m, "c,Aa,b,a");
    put(&m, "BB");
    put(&m, "d");
    put(&m, "e");
    expect(&m, "c,BB,Aa,e,b,d,a");
    take_away(&m, "Aa");
    put(&m, "Aa");
    expect(&m, "c,Aa,BB,e,b,d,a");
    put(&m, "f");
    put(&m, "g");
    put(&m, "h");
    expect(&m, "f,c,h,Aa,BB,e,b,g,d,a");
    take_away(&m, "c");
    take_away(&m, "d");
    take_away(&m, "e");
    take_away(&m, "f");
    put(&m, "a");
    put(&m, "b");
    put(&m, "i");
    expect(&m, "h,Aa,BB,b,g,i,a");
}

TEST_MAIN("timeline_order", TEST(as_kafka_printed))
