// SPDX-License-Identifier: Apache-2.0
#include "share/share_start.h"

#include <stdlib.h>
#include <string.h>

enum kafka_error share_start_find(const struct share_start *how, struct partition *partition,
                                  int32_t leader_epoch, int64_t now_ms, int64_t *offset)
{
    enum partition_time_query query = how->kind == SHARE_START_LATEST     ? PARTITION_LATEST
                                      : how->kind == SHARE_START_EARLIEST ? PARTITION_EARLIEST
                                                                          : PARTITION_AT_TIME;
    struct log_timestamp_offset found;
    enum kafka_error error =
        partition_offset_for_time(partition, query, now_ms - how->duration_ms, true,
                                  READ_UNCOMMITTED, leader_epoch, true, &found);
    if (error == KERR_NONE && found.offset < 0)
        error = KERR_OFFSET_NOT_AVAILABLE;
    *offset = found.offset;
    return error;
}

// One number with its unit, of [-]PnDTnHnMn.nS. False at the end or where there is none.
static bool next_part(struct str *text, double *number, char *unit)
{
    char digits[32];
    size_t used = 0;
    while (used < text->size && used + 1 < sizeof digits &&
           (strchr("+-.0123456789", text->data[used]) != NULL))
        used++;
    if (used == 0 || used == text->size)
        return false;
    memcpy(digits, text->data, used);
    digits[used] = '\0';
    *number = strtod(digits, NULL);
    *unit = text->data[used] & ~0x20; // upper case
    text->data += used + 1;
    text->size -= used + 1;
    return true;
}

bool share_start_parse(struct str text, struct share_start *out)
{
    static const char prefix[] = "by_duration:";
    *out =
        (struct share_start){ str_eqz(text, "earliest") ? SHARE_START_EARLIEST : SHARE_START_LATEST,
                              0 };
    if (out->kind == SHARE_START_EARLIEST || str_eqz(text, "latest"))
        return true;
    if (!str_starts_with(text, prefix))
        return false;
    out->kind = SHARE_START_BY_DURATION;
    struct str rest = { text.data + sizeof prefix - 1, text.size - (sizeof prefix - 1) };
    bool is_time = false;
    double number, total = 0;
    char unit;
    if (rest.size == 0 || (rest.data[0] & ~0x20) != 'P')
        return false;
    for (rest.data++, rest.size--; rest.size > 0;) {
        if ((rest.data[0] & ~0x20) == 'T') {
            is_time = true;
            rest.data++;
            rest.size--;
            continue;
        }
        if (!next_part(&rest, &number, &unit))
            return false;
        total += number * (unit == 'D'   ? 86400e3
                           : !is_time    ? 0
                           : unit == 'H' ? 3600e3
                           : unit == 'M' ? 60e3
                                         : 1e3);
    }
    out->duration_ms = (int64_t)total;
    return true;
}
