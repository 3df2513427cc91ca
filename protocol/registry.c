// SPDX-License-Identifier: Apache-2.0
#include "protocol/registry.h"

#include "base/must.h"

static bool is_api(int16_t api_key)
{
    return api_key >= 0 && api_key < API_COUNT;
}

const struct message_desc *message_request_desc(int16_t api_key)
{
    return is_api(api_key) ? request_descs[api_key] : NULL;
}

const struct message_desc *message_response_desc(int16_t api_key)
{
    return is_api(api_key) ? response_descs[api_key] : NULL;
}

const char *api_name(int16_t api_key)
{
    return is_api(api_key) ? api_names[api_key] : NULL;
}

int16_t message_request_header_version(int16_t api_key, int16_t version)
{
    const struct message_desc *desc = message_request_desc(api_key);
    must(desc != NULL);
    return version >= desc->flexible_first ? 2 : 1;
}

int16_t message_response_header_version(int16_t api_key, int16_t version)
{
    const struct message_desc *desc = message_response_desc(api_key);
    must(desc != NULL);
    return api_key != API_API_VERSIONS && version >= desc->flexible_first;
}

const struct message_desc *record_desc(enum record_domain domain, int type)
{
    must(domain < RECORD_DOMAIN_COUNT);
    return type >= 0 && type < RECORD_TYPE_COUNT ? record_descs[domain][type] : NULL;
}

const struct message_desc *record_value_desc(enum record_domain domain, int type)
{
    must(domain < RECORD_DOMAIN_COUNT);
    return type >= 0 && type < RECORD_TYPE_COUNT ? record_value_descs[domain][type] : NULL;
}

const struct message_desc *message_find(const char *name)
{
    for (const struct message_desc *const *desc = message_descs; *desc != NULL; desc++)
        if (strcmp((*desc)->name, name) == 0)
            return *desc;
    return NULL;
}
