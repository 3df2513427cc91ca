// SPDX-License-Identifier: Apache-2.0
// The order in which Java's HashMap and HashSet give their elements. Kafka's assignors and the lists in its records
// and answers follow it, so it decides who gets which partition, and which error is told; to do as Kafka does is to
// iterate as Java does:
//
//     by bucket: (hash ^ hash >>> 16) & (buckets - 1), and within a bucket by the order of insertion
//
// Growing a table keeps the order within a bucket, so only the final number of buckets counts. Not followed: buckets
// that Java turns into trees (more than 8 elements in one), where its order may differ.
#ifndef BASE_JAVA_ORDER_H
#define BASE_JAVA_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/uuid.h"

int32_t java_hash_uuid(
    struct uuid id); // Kafka's Uuid.hashCode; of a text: str_java_hash; of an int: itself

// Buckets of a table that was made without a size and grew to `count` elements.
size_t java_buckets_grown(size_t count);
// Of one that was made from a collection of `count`.
size_t java_buckets_copied(size_t count);
// Of one made with new HashMap<>(capacity), before any element.
size_t java_buckets_sized(size_t capacity);
// One element was added, `count` with it.
size_t java_buckets_after(size_t buckets, size_t count);

// HashMap.computeIfAbsent and merge differ from put: a new key goes before those of its bucket, and the table grows
// before it is looked for, whether it is there or not, instead of after. Buckets for the call, `count` keys being
// there. The place of a new key in a list of insertions is the front.
size_t java_buckets_before_compute(size_t buckets, size_t count);

// Where in a table of so many buckets an element with this hash is.
uint32_t java_bucket(int32_t hash, size_t buckets);
// order[k]: which of the elements, by its place of insertion, comes k-th. In the arena.
size_t *java_order(const int32_t *hashes, size_t count, size_t buckets, struct arena *arena);
// The same for texts.
size_t *java_order_texts(const struct str *texts, size_t count, size_t buckets,
                         struct arena *arena);
// The same for integers, which are their own hashes: sorts them in place.
void java_order_ints(int32_t *values, size_t count, size_t buckets, struct arena *arena);

#endif
