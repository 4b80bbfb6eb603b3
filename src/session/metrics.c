// SPDX-License-Identifier: MIT
/* metrics.c -- a session's figures in Prometheus' text format, version 0.0.4: for each metric its HELP and TYPE lines, then a
 * sample, or one a node. tools/gen-metrics makes docs/reference/metrics.md from the tables below. Pure; any thread. */
#include <inttypes.h>
#include <stdio.h>

#include "base/fail.h"
#include "corm/cluster.h"
#include "session/core.h"

typedef enum metric_type { GAUGE, COUNTER } metric_type;

/* A number of corm_stats or corm_node_stats. */
typedef struct metric {
    uint16_t    at, size;
    metric_type type;
    const char *name, *help;
} metric;

#define OF(member) offsetof(corm_stats, member), sizeof((corm_stats *)0)->member
static const metric session_metrics[] = {
    { OF(nodes), GAUGE, "corm_nodes", "Nodes of the cluster that are known." },
    { OF(nodes_up), GAUGE, "corm_nodes_up", "Nodes with at least one ready connection." },
    { OF(connections), GAUGE, "corm_connections", "Ready connections to all nodes." },
    { OF(connecting), GAUGE, "corm_connecting", "Connections that are being made." },
    { OF(in_flight), GAUGE, "corm_in_flight", "Requests that wait for an answer." },
    { OF(queued), GAUGE, "corm_queued", "Requests that wait for a connection." },
    { OF(requests), COUNTER, "corm_requests_total", "Requests of the program that have ended." },
    { OF(errors), COUNTER, "corm_errors_total", "Requests that ended with an error." },
    { OF(timeouts), COUNTER, "corm_timeouts_total", "Requests that ended by their own time-out." },
    { OF(retries), COUNTER, "corm_retries_total", "Attempts made again after a failure." },
    { OF(speculations), COUNTER, "corm_speculations_total",
      "Attempts made beside one that took long." },
    { OF(speculations_won), COUNTER, "corm_speculations_won_total",
      "Requests that a speculative attempt answered first." },
    { OF(bytes_sent), COUNTER, "corm_sent_bytes_total", "Bytes written to connections." },
    { OF(bytes_received), COUNTER, "corm_received_bytes_total", "Bytes read from connections." },
    { OF(dials), COUNTER, "corm_dials_total", "Connections that were begun." },
    { OF(dial_failures), COUNTER, "corm_dial_failures_total",
      "Connections that could not be made." },
    { OF(dials_delayed), COUNTER, "corm_dials_delayed_total",
      "Connections held back by the budget of dials." },
    { OF(prepares), COUNTER, "corm_prepares_total", "Statements prepared by a node." },
    { OF(prepare_hits), COUNTER, "corm_prepare_hits_total",
      "Statements that were already prepared when asked for." },
    { OF(reprepares), COUNTER, "corm_reprepares_total",
      "Statements prepared again on a node that did not know them." },
    { OF(prepared_bytes), GAUGE, "corm_prepared_bytes",
      "Memory of the cache of prepared statements." },
    { OF(token_routed), COUNTER, "corm_token_routed_total",
      "Requests that went to a replica of their partition first." },
    { OF(protocol_version), GAUGE, "corm_protocol_version",
      "Version of the native protocol that is spoken." },
};
#undef OF

#define OF(member) offsetof(corm_node_stats, member), sizeof((corm_node_stats *)0)->member
static const metric node_metrics[] = {
    { OF(up), GAUGE, "corm_node_up", "1 when a connection is ready, else 0." },
    { OF(connections), GAUGE, "corm_node_connections", "Ready connections." },
    { OF(connecting), GAUGE, "corm_node_connecting", "Connections that are being made." },
    { OF(in_flight), GAUGE, "corm_node_in_flight", "Attempts that wait for an answer." },
    { OF(orphaned), GAUGE, "corm_node_orphaned",
      "Given up attempts whose late answer is awaited." },
    { OF(concurrency_limit), GAUGE, "corm_node_concurrency_limit",
      "Attempts that may be in flight, as the node's behaviour allows." },
    { OF(requests), COUNTER, "corm_node_requests_total", "Attempts sent." },
    { OF(errors), COUNTER, "corm_node_errors_total", "Attempts that failed." },
    { OF(timeouts), COUNTER, "corm_node_timeouts_total", "Attempts without an answer in time." },
    { OF(retries), COUNTER, "corm_node_retries_total", "Attempts that were retries." },
    { OF(speculations), COUNTER, "corm_node_speculations_total",
      "Attempts that were speculative." },
    { OF(bytes_sent), COUNTER, "corm_node_sent_bytes_total", "Bytes written." },
    { OF(bytes_received), COUNTER, "corm_node_received_bytes_total", "Bytes read." },
    { OF(dials), COUNTER, "corm_node_dials_total", "Connections that were begun." },
    { OF(dial_failures), COUNTER, "corm_node_dial_failures_total",
      "Connections that could not be made." },
    { OF(connections_closed), COUNTER, "corm_node_connections_closed_total",
      "Connections that were closed, by either side." },
    { OF(heartbeats), COUNTER, "corm_node_heartbeats_total",
      "Idle connections that were asked whether they live." },
    { OF(late_answers), COUNTER, "corm_node_late_answers_total",
      "Answers that came after their attempt was given up." },
};
#undef OF

/* Latencies, as a summary in seconds, with the largest beside it. */
static const char *const session_latency[] = { "corm_latency_seconds",
                                               "Time of a request with all its attempts." };
static const char *const node_latency[] = { "corm_node_latency_seconds",
                                            "Time of an attempt that was answered." };

static uint64_t read_number(const void *from, const metric *what) {
    const uint8_t *at = (const uint8_t *)from + what->at;
    uint32_t       four;
    uint64_t       eight;
    if (what->size == 1) return *at;
    if (what->size == sizeof four) {
        memcpy(&four, at, sizeof four);
        return four;
    }
    memcpy(&eight, at, sizeof eight);
    return eight;
}

static void put_head(base_buf *out, const char *name, const char *help, const char *type) {
    base__buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ---- labels ---- */

static void put_label(base_buf *out, const char *name, const char *value) {
    base__buf_printf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n') {
            base__buf_puts(out, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"') base__buf_u8(out, '\\');
        base__buf_u8(out, (uint8_t)*value);
    }
    base__buf_u8(out, '"');
}

/* Without braces; nothing for the whole session. */
static void put_node(base_buf *out, const corm_node_stats *node) {
    char text[96];
    if (!node) return;
    bool is_ipv6 = strchr(node->address, ':') != NULL;
    snprintf(text, sizeof text, is_ipv6 ? "[%.64s]:%u" : "%.64s:%u", node->address, node->port);
    put_label(out, "node", text);
    corm_uuid_format(node->host_id, text);
    base__buf_u8(out, ',');
    put_label(out, "host_id", text);
    base__buf_u8(out, ',');
    put_label(out, "dc", node->dc);
    base__buf_u8(out, ',');
    put_label(out, "rack", node->rack);
}

static void put_name(base_buf *out, const char *name, const char *ending,
                     const corm_node_stats *node) {
    base__buf_printf(out, "%s%s", name, ending);
    if (!node) return;
    base__buf_u8(out, '{');
    put_node(out, node);
    base__buf_u8(out, '}');
}

/* ---- samples ---- */

static void put_number(base_buf *out, const metric *what, const void *from,
                       const corm_node_stats *node) {
    put_name(out, what->name, "", node);
    base__buf_printf(out, " %" PRIu64 "\n", read_number(from, what));
}

static void put_seconds(base_buf *out, uint64_t us) {
    base__buf_printf(out, " %" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000);
}

static void put_quantile(base_buf *out, const char *name, const char *quantile, uint64_t us,
                         const corm_node_stats *node) {
    base__buf_printf(out, "%s{", name);
    put_node(out, node);
    if (node) base__buf_u8(out, ',');
    put_label(out, "quantile", quantile);
    base__buf_u8(out, '}');
    put_seconds(out, us);
}

static void put_summary(base_buf *out, const char *name, const corm_latencies *of,
                        const corm_node_stats *node) {
    put_quantile(out, name, "0.5", of->p50_us, node);
    put_quantile(out, name, "0.95", of->p95_us, node);
    put_quantile(out, name, "0.99", of->p99_us, node);
    put_quantile(out, name, "0.999", of->p999_us, node);
    put_quantile(out, name, "1", of->max_us, node);
    put_name(out, name, "_sum", node);
    put_seconds(out, of->mean_us * of->count);
    put_name(out, name, "_count", node);
    base__buf_printf(out, " %" PRIu64 "\n", of->count);
}

/* ---- all of it ---- */

static const char *type_name(metric_type type) {
    return type == COUNTER ? "counter" : "gauge";
}

static void put_session(base_buf *out, const corm_stats *stats) {
    for (size_t i = 0; i < sizeof session_metrics / sizeof session_metrics[0]; i++) {
        const metric *what = &session_metrics[i];
        put_head(out, what->name, what->help, type_name(what->type));
        put_number(out, what, stats, NULL);
    }
    put_head(out, session_latency[0], session_latency[1], "summary");
    put_summary(out, session_latency[0], &stats->latencies, NULL);
}

static void put_nodes(base_buf *out, const corm_stats *stats) {
    if (stats->node_count == 0) return;
    for (size_t i = 0; i < sizeof node_metrics / sizeof node_metrics[0]; i++) {
        const metric *what = &node_metrics[i];
        put_head(out, what->name, what->help, type_name(what->type));
        for (uint32_t n = 0; n < stats->node_count; n++) {
            put_number(out, what, &stats->node_stats[n], &stats->node_stats[n]);
        }
    }
    put_head(out, node_latency[0], node_latency[1], "summary");
    for (uint32_t n = 0; n < stats->node_count; n++) {
        const corm_node_stats *node = &stats->node_stats[n];
        put_summary(out, node_latency[0], &node->latencies, node);
    }
}

corm_status corm_session_metrics(corm_session *session, char **text, corm_error *err) {
    const corm_stats *stats;
    base_buf          out = { 0 };
    *text = NULL;
    CORM_TRY(corm_session_stats(session, &stats, err));
    put_session(&out, stats);
    put_nodes(&out, stats);
    corm_stats_free(stats);
    *text = (char *)(uintptr_t)base__buf_cstr(&out);
    corm_status status = base__buf_status(&out, err);
    if (status == CORM_OK) return CORM_OK;
    *text = NULL;
    base__buf_free(&out);
    return status;
}
