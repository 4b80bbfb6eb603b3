// SPDX-License-Identifier: MIT
/* middleware_correlation.c -- gives each request an identifier: the thread's, or a new one. Any thread. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "corm/event.h"
#include "session/middleware.h"

typedef struct correlation {
    char payload[64];
} correlation;

static const char *identify(middleware_flow *flow) {
    const char *id = corm_correlation_id();
    if (*id) {
        snprintf(flow->correlation_id, sizeof flow->correlation_id, "%s", id);
    } else {
        corm_uuid_format(corm_uuid_random(), flow->correlation_id);
    }
    return flow->correlation_id;
}

/* One item more. */
static corm_status add_payload(middleware_flow *flow, const correlation *self, corm_error *err) {
    corm_request_options *options = &flow->request.options;
    corm_payload_item    *items =
        BASE_NEW_ARRAY(&flow->call->arena, corm_payload_item, options->payload_count + 1);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < options->payload_count; i++) items[i] = options->payload[i];
    corm_str id = corm_str_of(flow->correlation_id);
    items[options->payload_count].name = self->payload;
    items[options->payload_count++].value =
        (corm_bytes){ (const uint8_t *)(const void *)id.data, id.len };
    options->payload = items;
    return CORM_OK;
}

static corm_status begin(corm_request *request, void *context, corm_error *err) {
    const correlation *self = context;
    middleware_flow   *flow = middleware__flow(request);
    if (!request->correlation_id) request->correlation_id = identify(flow);
    bool carries = self->payload[0] && request->kind != CORM_REQUEST_PREPARE;
    return carries ? add_payload(flow, self, err) : CORM_OK;
}

static corm_status out_of_memory(corm_request *request, void *context, corm_error *err) {
    (void)request, (void)context;
    return base__fail_memory(err);
}

corm_middleware corm_correlation_middleware(const corm_correlation_options *options) {
    correlation *self = calloc(1, sizeof *self);
    if (self && options && options->payload) {
        snprintf(self->payload, sizeof self->payload, "%s", options->payload);
    }
    return (corm_middleware){ .name = "correlation",
                              .order = -100,
                              .begin = self ? begin : out_of_memory,
                              .release = free,
                              .context = self };
}
