// SPDX-License-Identifier: Apache-2.0
// A deep copy of a message in one block of memory: what a coordinator or an image keeps of a decoded record whose
// bytes will go.
//
//     struct foo_value *kept = message_dup(&foo_value_desc, &decoded);   // strings and arrays are in the block
//     mem_free(kept);
//
// Unknown tagged fields are left out: nobody here can say what they mean for the state.
#ifndef PROTOCOL_MESSAGE_DUP_H
#define PROTOCOL_MESSAGE_DUP_H

#include "protocol/codec.h"

void *message_dup(const struct message_desc *desc, const void *in);

// Bytes of the block, for accounts of memory.
size_t message_dup_size(const struct message_desc *desc, const void *in);

#endif
