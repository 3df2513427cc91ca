// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli), the checksum of record batches and producer snapshots.
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *data, size_t size);
// The checksum of A followed by B, given crc32c(A).
uint32_t crc32c_extend(uint32_t crc_of_a, const void *b, size_t size);

#endif
