// SPDX-License-Identifier: MIT
/* fake_seen.c -- what a node has seen: counts, and the last request as text. The fake's thread. */
#include "testing/fake.h"

static const char *const consistencies[] = { "ANY",          "ONE",         "TWO",
                                             "THREE",        "QUORUM",      "ALL",
                                             "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL",
                                             "LOCAL_SERIAL", "LOCAL_ONE" };

static const char *consistency_name(wire_consistency consistency) {
    return consistency <= WIRE_LOCAL_ONE ? consistencies[consistency] : "?";
}

static void put_values(base_buf *out, const cql_value *values, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        base__buf_puts(out, i ? "," : "");
        if (values[i].len == -1)
            base__buf_puts(out, "null");
        else if (values[i].len < 0)
            base__buf_puts(out, "unset");
        else
            base__put_hex(out, (corm_bytes){ values[i].data, (size_t)values[i].len });
    }
    base__buf_puts(out, "\n");
}

static void put_line(base_buf *out, const char *name, corm_str text) {
    base__buf_printf(out, "%s=", name);
    base__buf_put_str(out, text);
    base__buf_puts(out, "\n");
}

static void put_options(base_buf *out, const wire_options *options) {
    base__buf_printf(out, "consistency=%s\n", consistency_name(options->consistency));
    if (options->serial_consistency) {
        base__buf_printf(out, "serial=%s\n", consistency_name(options->serial_consistency));
    }
    if (options->page_size > 0) base__buf_printf(out, "page_size=%d\n", (int)options->page_size);
    if (options->paging_state.data) {
        base__buf_puts(out, "paging_state=");
        base__put_hex(out, options->paging_state);
        base__buf_puts(out, "\n");
    }
    if (options->has_timestamp) {
        base__buf_printf(out, "timestamp=%lld\n", (long long)options->timestamp);
    }
    if (options->keyspace.data) put_line(out, "keyspace", options->keyspace);
    if (options->has_now) base__buf_printf(out, "now=%d\n", (int)options->now_in_seconds);
    if (options->skip_metadata) base__buf_puts(out, "skip_metadata=true\n");
}

static void put_frame(base_buf *out, const fake_conn *conn, const wire_frame *frame) {
    base__buf_printf(out, "version=%u\nstream=%d\n", (unsigned)frame->version, (int)frame->stream);
    if (frame->flags & WIRE_FLAG_TRACING) base__buf_puts(out, "tracing=true\n");
    if (conn->keyspace.len > 0) put_line(out, "used_keyspace", conn->keyspace);
    if (conn->node->fake->options.shards > 0) {
        base__buf_printf(out, "shard=%u\n", (unsigned)conn->shard);
    }
}

static void put_payload(base_buf *out, const wire_frame *frame) {
    wire_prefix       prefix;
    wire_payload_item item;
    corm_error        err;
    if (wire__prefix_read(frame, &prefix, &err) != CORM_OK) return;
    for (uint32_t i = 0; wire__payload_item(prefix.payload, i, &item); i++) {
        put_line(out, "payload", item.name);
    }
}

static void put_statement(base_buf *out, const wire_request *request, const corm_str *written,
                          uint32_t count) {
    static const char *const kinds[] = { "QUERY", "PREPARE", "EXECUTE", "BATCH" };
    static const char *const batches[] = { "LOGGED", "UNLOGGED", "COUNTER" };
    base__buf_printf(out, "kind=%s\n", kinds[request->kind]);
    if (request->kind == WIRE_BATCH && request->batch_kind < 3) {
        base__buf_printf(out, "batch=%s\nstatements=%u\n", batches[request->batch_kind],
                         (unsigned)count);
    }
    for (uint32_t i = 0; i < count; i++) {
        bool batch = request->kind == WIRE_BATCH;
        put_line(out, "text", written[i]);
        base__buf_puts(out, "values=");
        put_values(out, batch ? request->batch[i].values : request->values,
                   batch ? request->batch[i].value_count : request->value_count);
    }
    for (uint32_t i = 0; request->names && i < request->value_count; i++) {
        put_line(out, "name", request->names[i]);
    }
}

static void count_kind(corm_fake_counts *counts, wire_request_kind kind) {
    counts->requests++;
    if (kind == WIRE_QUERY) counts->queries++;
    if (kind == WIRE_EXECUTE) counts->executes++;
    if (kind == WIRE_BATCH) counts->batches++;
}

void fake__saw(fake_conn *conn, const wire_frame *frame, const wire_request_read *read,
               const corm_str *written, uint32_t count) {
    fake_node *node = conn->node;
    base_buf  *out = &node->last_request;
    base__buf_clear(out);
    put_statement(out, &read->request, written, count);
    put_options(out, &read->request.options);
    put_frame(out, conn, frame);
    put_payload(out, frame);
    count_kind(&node->counts, read->request.kind);
    node->fake->last_node = node;
    uv_mutex_lock(&node->fake->lock);
    atomic_store(&node->requests, node->counts.requests);
    uv_cond_broadcast(&node->fake->seen);
    uv_mutex_unlock(&node->fake->lock);
}
