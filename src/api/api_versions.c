// SPDX-License-Identifier: Apache-2.0
// Tested by dispatch_test.c.
// ApiVersions: what this broker offers, the features it could have and those the cluster has agreed upon
// (KIP-35, KIP-511, KIP-584).
#include "api/dispatch.h"
#include "api/node.h"
#include "base/mem.h"
#include "controller/controller.h"
#include "metadata/feature_versions.h"
#include "metadata/metadata.h"
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

// Produce is offered from version 0 on, though 0 to 2 are refused: older releases of librdkafka conclude from a higher
// lowest version that the broker lacks compression codecs (KAFKA-18659).
static int16_t lowest_offered(const struct api *api)
{
    return api->key == API_PRODUCE ? 0 : api->lowest_version;
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
        offered->min_version = lowest_offered(api);
        offered->max_version = api->highest_version;
    }
}

static void add_supported(const struct request *request, struct api_versions_response *response,
                          const struct feature_support *feature)
{
    // Clients before version 4 take a lowest version of 0 for an error, so such features are not told to them.
    if (request->api_version < 4 && feature->min_supported_version == 0)
        return;
    struct api_versions_response_supported_feature_key *told =
        &response->supported_features[response->supported_features_count++];
    told->name = str_of(feature->name);
    told->min_version = feature->min_supported_version;
    told->max_version = feature->max_supported_version;
}

static void fill_supported_features(struct request *request, struct api_versions_response *response)
{
    response->supported_features =
        arena_array(&request->arena, struct api_versions_response_supported_feature_key,
                    features_supported_count + 1);
    for (size_t i = 0; i < features_supported_count; i++)
        add_supported(request, response, &features_supported[i]);
    add_supported(request, response, feature_find_supported("kraft.version"));
}

static void add_finalized(struct api_versions_response *response, struct str name, int16_t level)
{
    if (level == 0)
        return;
    struct api_versions_response_finalized_feature_key *told =
        &response->finalized_features[response->finalized_features_count++];
    told->name = name;
    told->min_version_level = told->max_version_level = level;
}

static void fill_finalized_features(struct request *request, struct api_versions_response *response)
{
    struct metadata *metadata = request->node->metadata;
    metadata_lock_read(metadata);
    size_t count = 0, at = 0;
    while (metadata_next_feature(metadata, &at) != NULL)
        count++;
    response->finalized_features =
        arena_array(&request->arena, struct api_versions_response_finalized_feature_key, count + 1);
    const struct metadata_feature *feature;
    for (at = 0; (feature = metadata_next_feature(metadata, &at)) != NULL;)
        add_finalized(response, arena_strz(&request->arena, feature->name), feature->level);
    response->finalized_features_epoch = metadata->offset;
    metadata_unlock(metadata);
    if (request->node->controller != NULL) // it is in the log's own records, not in the image
        add_finalized(response, str_of("kraft.version"),
                      controller_kraft_version(request->node->controller));
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
        fill_supported_features(request, response);
        fill_finalized_features(request, response);
    }
    fill_api_keys(request, response);
    request_reply(request);
}
