// SPDX-License-Identifier: Apache-2.0
// Prints a message as JSON, character for character what Kafka's own JsonConverter classes print:
// fields of the version in the order of the schema, tagged fields only where they are not the
// default, unknown tagged fields never, bytes in base64, uuids as Kafka's text.
#ifndef PROTOCOL_JSON_H
#define PROTOCOL_JSON_H

#include "base/strbuf.h"
#include "protocol/codec.h"

enum json_records {
    JSON_RECORDS_EMPTY, // "records":"", as Kafka does by default: it has no JSON for batches
    JSON_RECORDS_SIZE,  // "recordsSizeInBytes":123, as in Kafka's request log
};

// Appends the message to `out`. The version must be one that the message has. Bytes of a string
// that are not UTF-8 are shown as U+FFFD, as Java does.
void json_print(const struct message_desc *desc, int16_t version, enum json_records records,
                const void *in, struct strbuf *out);

#endif
