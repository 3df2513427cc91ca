// Generated from protocol/schema by protocol/generate.py. Do not edit.
// SPDX-License-Identifier: Apache-2.0

#include "protocol/registry.h"

#include "protocol/messages/boil.h"
#include "protocol/records/kettle.h"

static const struct field_desc boil_request_cup_fields[] = {
    {"name", NULL, 0, offsetof(struct boil_request_cup, name), -1, {1, 4}, {1, 0}, FIELD_STRING, FIELD_KEY},
    {"sizeMl", NULL, 250, offsetof(struct boil_request_cup, size_ml), -1, {1, 4}, {1, 0}, FIELD_INT32, FIELD_IGNORABLE},
};
static const uint16_t boil_request_cup_min_sizes[] = {6, 6, 6, 6};
static const struct boil_request_cup boil_request_cup_default = {
    .name = {.data = ""},
    .size_ml = 250,
};
const struct message_desc boil_request_cup_desc = {
    .name = "Cup",
    .struct_size = sizeof(struct boil_request_cup),
    .fields = boil_request_cup_fields,
    .field_count = 2,
    .defaults = &boil_request_cup_default,
    .min_sizes = boil_request_cup_min_sizes,
    .versions = {1, 4},
    .flexible_first = 2,
    .unknown_offset = offsetof(struct boil_request_cup, unknown_tagged_fields),
};

static const struct field_desc boil_request_rest_fields[] = {
    {"steam", NULL, 0, offsetof(struct boil_request_rest, steam), -1, {2, 4}, {2, 4}, FIELD_RECORDS, FIELD_NULL_DEFAULT},
    {"ratio", NULL, 0, offsetof(struct boil_request_rest, ratio), -1, {2, 4}, {1, 0}, FIELD_FLOAT64, 0},
};
static const uint16_t boil_request_rest_min_sizes[] = {10, 10, 10};
static const struct boil_request_rest boil_request_rest_default = {
    .steam = {.size = -1},
};
const struct message_desc boil_request_rest_desc = {
    .name = "BoilRequestRest",
    .struct_size = sizeof(struct boil_request_rest),
    .fields = boil_request_rest_fields,
    .field_count = 2,
    .defaults = &boil_request_rest_default,
    .min_sizes = boil_request_rest_min_sizes,
    .versions = {2, 4},
    .flexible_first = 2,
    .unknown_offset = offsetof(struct boil_request_rest, unknown_tagged_fields),
};

static const struct field_desc boil_request_lid_fields[] = {
    {"tight", NULL, 0, offsetof(struct boil_request_lid, tight), -1, {3, 4}, {1, 0}, FIELD_INT8, 0},
    {"ring", NULL, 0, offsetof(struct boil_request_lid, ring), -1, {4, 4}, {4, 4}, FIELD_BYTES, FIELD_IGNORABLE | FIELD_NULL_DEFAULT},
};
static const uint16_t boil_request_lid_min_sizes[] = {2, 3};
static const struct boil_request_lid boil_request_lid_default = {
    0,
};
const struct message_desc boil_request_lid_desc = {
    .name = "Lid",
    .struct_size = sizeof(struct boil_request_lid),
    .fields = boil_request_lid_fields,
    .field_count = 2,
    .defaults = &boil_request_lid_default,
    .min_sizes = boil_request_lid_min_sizes,
    .versions = {3, 4},
    .flexible_first = 2,
    .unknown_offset = offsetof(struct boil_request_lid, unknown_tagged_fields),
};

static const struct field_desc boil_request_fields[] = {
    {"kettleId", NULL, 0, offsetof(struct boil_request, kettle_id), -1, {1, 4}, {1, 0}, FIELD_UUID, 0},
    {"clientId", NULL, 0, offsetof(struct boil_request, client_id), -1, {1, 4}, {1, 4}, FIELD_STRING, FIELD_CLASSIC},
    {"cups", &boil_request_cup_desc, 0, offsetof(struct boil_request, cups), -1, {1, 3}, {2, 3}, FIELD_STRUCT, FIELD_ARRAY},
    {"spare", &boil_request_cup_desc, 0, offsetof(struct boil_request, spare), 1, {3, 4}, {1, 0}, FIELD_STRUCT, 0},
    {"default", NULL, 1, offsetof(struct boil_request, default_), 0, {2, 4}, {1, 0}, FIELD_BOOL, 0},
    {"iSRNodes", NULL, 0, offsetof(struct boil_request, isr_nodes), -1, {1, 4}, {1, 4}, FIELD_INT32, FIELD_ARRAY | FIELD_NULL_DEFAULT},
    {"rest", &boil_request_rest_desc, 0, offsetof(struct boil_request, rest), -1, {2, 4}, {1, 0}, FIELD_STRUCT, FIELD_ARRAY},
    {"lid", &boil_request_lid_desc, 0, offsetof(struct boil_request, lid), -1, {3, 4}, {3, 4}, FIELD_STRUCT, FIELD_POINTER | FIELD_NULL_DEFAULT},
};
static const uint16_t boil_request_min_sizes[] = {26, 22, 23, 22};
static const uint8_t boil_request_tagged[] = {4, 3};
static const struct boil_request boil_request_default = {
    .client_id = {.data = ""},
    .spare = {
        .name = {.data = ""},
        .size_ml = 250,
    },
    .default_ = 1,
    .isr_nodes_count = -1,
};
const struct message_desc boil_request_desc = {
    .name = "BoilRequest",
    .struct_size = sizeof(struct boil_request),
    .fields = boil_request_fields,
    .field_count = 8,
    .tagged = boil_request_tagged,
    .tagged_count = 2,
    .defaults = &boil_request_default,
    .min_sizes = boil_request_min_sizes,
    .versions = {1, 4},
    .flexible_first = 2,
    .unknown_offset = offsetof(struct boil_request, unknown_tagged_fields),
    .kind = MESSAGE_REQUEST,
    .key = 2,
    .last_stable = 3,
    .listeners = LISTENER_BROKER | LISTENER_CONTROLLER,
};

static const struct field_desc boil_response_fields[] = {
    {"errorCode", NULL, 0, offsetof(struct boil_response, error_code), -1, {1, 4}, {1, 0}, FIELD_INT16, 0},
};
static const uint16_t boil_response_min_sizes[] = {2, 3, 3, 3};
static const struct boil_response boil_response_default = {
    0,
};
const struct message_desc boil_response_desc = {
    .name = "BoilResponse",
    .struct_size = sizeof(struct boil_response),
    .fields = boil_response_fields,
    .field_count = 1,
    .defaults = &boil_response_default,
    .min_sizes = boil_response_min_sizes,
    .versions = {1, 4},
    .flexible_first = 2,
    .unknown_offset = offsetof(struct boil_response, unknown_tagged_fields),
    .kind = MESSAGE_RESPONSE,
    .key = 2,
    .last_stable = 4,
};

static const struct field_desc kettle_record_inner_fields[] = {
    {"number", NULL, -1, offsetof(struct kettle_record_inner, number), -1, {0, 0}, {1, 0}, FIELD_INT64, 0},
    {"text", NULL, 0, offsetof(struct kettle_record_inner, text), -1, {0, 0}, {1, 0}, FIELD_STRING, 0},
};
static const uint16_t kettle_record_inner_min_sizes[] = {10};
static const struct kettle_record_inner kettle_record_inner_default = {
    .number = -1,
    .text = {.data = ""},
};
const struct message_desc kettle_record_inner_desc = {
    .name = "Inner",
    .struct_size = sizeof(struct kettle_record_inner),
    .fields = kettle_record_inner_fields,
    .field_count = 2,
    .defaults = &kettle_record_inner_default,
    .min_sizes = kettle_record_inner_min_sizes,
    .versions = {0, 0},
    .flexible_first = 0,
    .unknown_offset = offsetof(struct kettle_record_inner, unknown_tagged_fields),
};

static const struct field_desc kettle_record_fields[] = {
    {"nested", &kettle_record_inner_desc, 0, offsetof(struct kettle_record, nested), 0, {0, 0}, {0, 0}, FIELD_STRUCT, FIELD_POINTER},
};
static const uint16_t kettle_record_min_sizes[] = {1};
static const uint8_t kettle_record_tagged[] = {0};
static const struct kettle_record kettle_record_default = {
    .nested = (struct kettle_record_inner *)&kettle_record_inner_default,
};
const struct message_desc kettle_record_desc = {
    .name = "KettleRecord",
    .struct_size = sizeof(struct kettle_record),
    .fields = kettle_record_fields,
    .field_count = 1,
    .tagged = kettle_record_tagged,
    .tagged_count = 1,
    .defaults = &kettle_record_default,
    .min_sizes = kettle_record_min_sizes,
    .versions = {0, 0},
    .flexible_first = 0,
    .unknown_offset = offsetof(struct kettle_record, unknown_tagged_fields),
    .kind = MESSAGE_RECORD,
    .key = 1,
    .last_stable = 0,
};

static const struct field_desc kettle_key_fields[] = {
    {"port", NULL, 0, offsetof(struct kettle_key, port), -1, {0, 0}, {1, 0}, FIELD_UINT16, 0},
};
static const uint16_t kettle_key_min_sizes[] = {2};
static const struct kettle_key kettle_key_default = {
    0,
};
const struct message_desc kettle_key_desc = {
    .name = "KettleKey",
    .struct_size = sizeof(struct kettle_key),
    .fields = kettle_key_fields,
    .field_count = 1,
    .defaults = &kettle_key_default,
    .min_sizes = kettle_key_min_sizes,
    .versions = {0, 0},
    .flexible_first = INT16_MAX,
    .kind = MESSAGE_KEY,
    .key = 3,
    .last_stable = 0,
};

static const uint16_t kettle_value_min_sizes[] = {0, 1};
static const struct kettle_value kettle_value_default = {
    0,
};
const struct message_desc kettle_value_desc = {
    .name = "KettleValue",
    .struct_size = sizeof(struct kettle_value),
    .defaults = &kettle_value_default,
    .min_sizes = kettle_value_min_sizes,
    .versions = {0, 1},
    .flexible_first = 1,
    .unknown_offset = offsetof(struct kettle_value, unknown_tagged_fields),
    .kind = MESSAGE_VALUE,
    .key = 3,
    .last_stable = 1,
};

static const uint16_t spout_min_sizes[] = {0};
static const struct spout spout_default = {
    0,
};
const struct message_desc spout_desc = {
    .name = "Spout",
    .struct_size = sizeof(struct spout),
    .defaults = &spout_default,
    .min_sizes = spout_min_sizes,
    .versions = {0, 0},
    .flexible_first = INT16_MAX,
    .kind = MESSAGE_DATA,
    .last_stable = 0,
};

const struct message_desc *const message_descs[] = {
    &boil_request_desc,
    &boil_response_desc,
    &kettle_record_desc,
    &kettle_key_desc,
    &kettle_value_desc,
    &spout_desc,
    NULL,
};

const struct message_desc *const request_descs[API_COUNT] = {
    [2] = &boil_request_desc,
};

const struct message_desc *const response_descs[API_COUNT] = {
    [2] = &boil_response_desc,
};

const struct message_desc *const record_descs[RECORD_DOMAIN_COUNT][RECORD_TYPE_COUNT] = {
    [RECORD_DOMAIN_METADATA][1] = &kettle_record_desc,
    [RECORD_DOMAIN_GROUP][3] = &kettle_key_desc,
};

const struct message_desc *const record_value_descs[RECORD_DOMAIN_COUNT][RECORD_TYPE_COUNT] = {
    [RECORD_DOMAIN_GROUP][3] = &kettle_value_desc,
};

const char *const api_names[API_COUNT] = {
    [2] = "Boil",
};
