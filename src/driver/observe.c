// SPDX-License-Identifier: MIT
/* observe.c -- what the user's hooks hear of a request: its begin, its end, slowness, warnings. Requests nobody watches cost
 * nothing here. begin runs on the thread that asks, the others on the loop's. */
#include "driver/request_parts.h"

bool driver__is_observed(const driver_settings *settings) {
    const corm_hooks *hooks = &settings->options.hooks;
    return hooks->end || hooks->warning || (hooks->slow && settings->options.slow_query_ms > 0);
}

/* Zero-terminated; a text that is not is copied into *copy. */
static const char *cql_of(const wire_request *wire, base_buf *copy) {
    if (wire->kind == WIRE_BATCH) return "BATCH";
    if (wire->kind == WIRE_EXECUTE) return driver__prepared_of(wire->prepared)->text.data;
    base__buf_put_str(copy, wire->text);
    const char *text = base__buf_cstr(copy);
    return text ? text : "";
}

void *driver__observe_begin(const driver_settings *settings, const wire_request *wire) {
    const corm_hooks *hooks = &settings->options.hooks;
    if (!hooks->begin) return NULL;
    base_buf copy = { 0 };
    void    *span = hooks->begin(hooks->context, cql_of(wire, &copy));
    base__buf_free(&copy);
    return span;
}

void driver__observe_end(driver_request *r, corm_status status, uint64_t latency_us) {
    const driver_settings *settings = &r->cluster->settings;
    const corm_hooks      *hooks = &settings->options.hooks;
    base_buf               copy = { 0 };
    corm_request_record    record = {
           .cql = cql_of(r->wire, &copy),
           .node = r->asked ? &r->asked->view : NULL,
           .status = status,
           .latency_us = latency_us,
           .retries = r->retries,
           .speculations = r->speculations,
           .consistency = (corm_consistency)(r->sent.options.consistency + 1),
           .tracing_id = r->answer->tracing_id,
           .span = r->span,
    };
    uint64_t slow_us = (uint64_t)settings->options.slow_query_ms * 1000;
    r->cluster->calling++;
    if (hooks->end) hooks->end(hooks->context, &record);
    if (hooks->slow && slow_us > 0 && latency_us >= slow_us) hooks->slow(hooks->context, &record);
    r->cluster->calling--;
    base__buf_free(&copy);
}

void driver__observe_warnings(driver_request *r) {
    const corm_hooks *hooks = &r->cluster->settings.options.hooks;
    uint32_t          count = wire__warning_count(r->answer);
    for (uint32_t i = 0; i < count && hooks->warning; i++) {
        base_buf copy = { 0 };
        base__buf_put_str(&copy, wire__warning(r->answer, i));
        const char *text = base__buf_cstr(&copy);
        r->cluster->calling++;
        if (text) hooks->warning(hooks->context, text);
        r->cluster->calling--;
        base__buf_free(&copy);
    }
}
