// SPDX-License-Identifier: Apache-2.0
// ApiVersions: what this broker offers, the features it could have and those the cluster has agreed upon
// (KIP-35, KIP-511, KIP-584).
#include "api/dispatch.h"
#include "base/mem.h"
#include "protocol/messages/api_versions.h"

// Letters and digits, with '-' and '.' between them (KIP-511).
static bool is_software_word(struct str word)
{
    for (size_t i = 0; i < word.size; i++) {
        char c = word.data[i];
        bool is_alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alphanumeric && ((c != '-' && c != '.') || i == 0 || i == word.size - 1))
            return false;
    }
    return word.size > 0;
}

static void keep_word(struct str *kept, struct str word)
{
    if (str_eq(*kept, word))
        return;
    mem_free((void *)(uintptr_t)kept->data);
    *kept = (struct str){ str_dup(word), word.size };
}

static void fill_api_keys(struct request *request, struct api_versions_response *response)
{
    size_t capacity = 0;
    for (const struct api *api = api_all(); api->handle != NULL; api++)
        capacity++;
    response->api_keys =
        arena_array(&request->arena, struct api_versions_response_api_version, capacity);
    for (const struct api *api = api_all(); api->handle != NULL; api++) {
        if (!api_is_for(api, request->client))
            continue;
        struct api_versions_response_api_version *offered =
            &response->api_keys[response->api_keys_count++];
        offered->api_key = (int16_t)api->key;
        offered->min_version = api->lowest_version;
        offered->max_version = api->highest_version;
    }
}

void handle_api_versions(struct request *request)
{
    const struct api_versions_request *body = request->body;
    struct api_versions_response *response = request->response;
    if (request->api_version >= 3) {
        if (!is_software_word(body->client_software_name) ||
            !is_software_word(body->client_software_version)) {
            response->error_code = KERR_INVALID_REQUEST;
            request_reply(request);
            return;
        }
        keep_word(&request->client->software_name, body->client_software_name);
        keep_word(&request->client->software_version, body->client_software_version);
    }
    fill_api_keys(request, response);
    request_reply(request);
}
