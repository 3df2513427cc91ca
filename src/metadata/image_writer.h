// SPDX-License-Identifier: Apache-2.0
// The image as the records that make it again: what a snapshot holds, in Kafka's order: features (metadata.version
// first), brokers, controllers, topics with their partitions, configs, quotas, producer ids, ACLs, SCRAM, tokens.
#ifndef METADATA_IMAGE_WRITER_H
#define METADATA_IMAGE_WRITER_H

#include "metadata/metadata.h"
#include "metadata/metadata_record.h"

// Takes one record, valid during the call; false ends the writing.
typedef bool record_sink(void *arg, const struct metadata_entry *entry);

// Under the read lock, or on the controller's thread. False when the sink ended it.
bool image_write(const struct metadata *metadata, record_sink *sink, void *arg);

// Makes `to`, which is empty, the same as `from`.
void image_copy(const struct metadata *from, struct metadata *to);

// A partition of the image as its PartitionRecord, at the version of the image's metadata.version. Arrays borrowed.
struct partition_record;
void partition_to_record(const struct metadata *metadata, const struct metadata_topic *topic,
                         int32_t partition, struct partition_record *record);

#endif
