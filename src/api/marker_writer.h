// SPDX-License-Identifier: Apache-2.0
// Writes the markers that end transactions into partitions that this broker leads: for its own transaction coordinator,
// as its sink (txn/txn_markers.h), and for those of other brokers (WriteTxnMarkers).
//
//     marker ──> each partition: append the control batch ──> wait for its commit ──┐
//            └─> __consumer_offsets: the group coordinator writes and replays it  ──┴──> all there: on_written
//
// Where other brokers lead partitions, the sink of the coordinator will send them their share first.
#ifndef API_MARKER_WRITER_H
#define API_MARKER_WRITER_H

#include "txn/txn_markers.h"

struct node;

struct marker_writer {
    struct txn_marker_sink
        sink; // of the coordinator: partitions that the cluster does not have need no marker
    struct node *_node;
};

void marker_writer_init(struct marker_writer *writer, struct node *node);

// Writes it to all of its partitions and calls on_written, perhaps before it returns. The errors are those of a
// produce; UNKNOWN_TOPIC_OR_PARTITION for partitions that are not on this broker.
void marker_write(struct node *node, struct txn_marker *marker);

#endif
