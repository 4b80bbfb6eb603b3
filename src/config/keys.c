// SPDX-License-Identifier: MIT
/* keys.c -- the table of everything that can be set. tools/gen-config makes docs/reference/config.md of it. Pure but for arenas. */
#include <stdio.h>

#include "base/text.h"
#include "config/core.h"

enum { DAY_MS = 24 * 3600 * 1000, NEAR = 4 };

static const char *const migrations[] = { "safe", "alter", "drop", "none", NULL };

#define AT(member) offsetof(corm_config, member)
#define SETTING(NAME, otherwise, what)                                                             \
    { NAME, CONFIG_SETTING, 0, 0, 0, NULL, NULL, otherwise, what, false }
#define SECRET_SETTING(NAME, otherwise, what)                                                      \
    { NAME, CONFIG_SETTING, 0, 0, 0, NULL, NULL, otherwise, what, true }
#define FLAG(NAME, at, otherwise, what)                                                            \
    { NAME, CONFIG_FLAG, AT(at), 0, 0, NULL, NULL, otherwise, what, false }
#define TEXT(NAME, at, values, otherwise, what)                                                    \
    { NAME, CONFIG_TEXT, AT(at), 0, 0, NULL, values, otherwise, what, false }
#define SECRET(NAME, at, otherwise, what)                                                          \
    { NAME, CONFIG_TEXT, AT(at), 0, 0, NULL, "a text", otherwise, what, true }
#define NUMBER(NAME, KIND, at, least, most, otherwise, what)                                       \
    { NAME, KIND, AT(at), least, most, NULL, NULL, otherwise, what, false }
#define LIST(NAME, at, values, otherwise, what)                                                    \
    { NAME, CONFIG_LIST, AT(at), 0, 32, NULL, values, otherwise, what, false }

/* {name, …, default, sentence}: a line of the page each. */
static const config_key keys[] = {
    { "uri", CONFIG_URI, AT(uri), 0, 0, NULL,
      "corm:FOLDER, corm::memory:, cassandra://… or scylla://…", "none",
      "The store or the cluster that is opened.", false },
    /* session */
    SETTING("session.keyspace", "the URI's", "The keyspace of names without one."),
    SETTING("session.create_keyspace", "false", "Makes the keyspace when it is missing."),
    SETTING("session.page_size", "5000", "Rows a page."),
    SETTING("session.consistency", "local_one", "The consistency of requests that do not say one."),
    SETTING("session.durability", "full",
            "Whether acknowledged writes are on disk (embedded store)."),
    SETTING("session.read_only", "false", "Refuses writes (embedded store)."),
    SETTING("session.create", "true", "Makes the folder when it is missing (embedded store)."),
    SETTING("session.worker_threads", "2", "Threads of asynchronous reads (embedded store)."),
    /* cluster */
    SETTING("cluster.dc", "that of the first contact point that answers",
            "The data centre whose nodes are asked."),
    SETTING("cluster.rack", "none", "The rack whose nodes are preferred."),
    SETTING("cluster.balancing", "default", "How nodes are chosen."),
    SETTING("cluster.remote_nodes", "0",
            "Nodes of each other data centre that may be asked when no local one can."),
    SETTING("cluster.token_awareness", "true", "Asks the replicas of a row first."),
    SETTING("cluster.shard_awareness", "true", "Asks ScyllaDB's shards themselves."),
    SETTING("cluster.allow", "all", "Nodes that may be asked."),
    SETTING("cluster.deny", "none", "Nodes that may not be asked."),
    TEXT("cluster.username", parts.cluster.username, "a name", "the URI's", "Who logs in."),
    SECRET("cluster.password", parts.cluster.password, "the URI's", "Their password."),
    SETTING("cluster.tls", "false", "Encrypts connections."),
    SETTING("cluster.tls_ca", "the system's", "Authorities that are trusted (PEM)."),
    SETTING("cluster.tls_cert", "none", "The client's certificate (PEM)."),
    SETTING("cluster.tls_key", "in the certificate's file", "The client's key (PEM)."),
    SECRET_SETTING("cluster.tls_key_password", "none", "The key's password."),
    SETTING("cluster.tls_verify", "full", "What is checked of the node's certificate."),
    SETTING("cluster.tls_server_name", "the contact point's name, else the address",
            "The name that the node's certificate must have."),
    SETTING("cluster.tls13_only", "false", "Takes no older TLS than 1.3."),
    SETTING("cluster.protocol_version", "5", "The highest version of the native protocol to try."),
    SETTING("cluster.compression", "none", "How frames are compressed."),
    SETTING("cluster.pool_size", "10", "Connections to each node."),
    SETTING("cluster.pool_max_size", "50", "The most connections to each node."),
    SETTING("cluster.pool_idle_timeout_ms", "30000",
            "When connections beyond pool_size that have nothing to do are closed."),
    SETTING("cluster.pool_max_queued", "65536", "Requests that may wait for a connection."),
    SETTING("cluster.requests_per_connection", "1024", "Requests of one connection under way."),
    SETTING("cluster.health_check", "true", "Asks idle connections whether they live."),
    SETTING("cluster.health_interval_ms", "30000", "How often they are asked."),
    SETTING("cluster.health_timeout_ms", "5000", "How long they may take to answer."),
    SETTING("cluster.retry", "default", "The policy of sending again."),
    SETTING("cluster.retries", "3", "How often the backoff policy sends again."),
    SETTING("cluster.backoff", "exponential", "How the pauses between grow."),
    SETTING("cluster.retry_base_delay_ms", "100", "The first pause."),
    SETTING("cluster.retry_max_delay_ms", "10000", "The longest pause."),
    SETTING("cluster.speculative_delay_ms", "none",
            "When a second node is asked beside the first."),
    SETTING("cluster.speculative_percentile", "none", "The same by the latency's percentile."),
    SETTING("cluster.speculative_executions", "1", "How many more nodes are asked."),
    SETTING("cluster.reconnect_base_delay_ms", "500",
            "The first pause before a node is dialled again."),
    SETTING("cluster.reconnect_max_delay_ms", "60000", "The longest pause."),
    SETTING("cluster.dials_per_second", "50", "Connections that are begun in a second."),
    SETTING("cluster.prepares_per_second", "500",
            "Statements that are prepared again in a second."),
    SETTING("cluster.concurrency_limit", "true",
            "Adapts the number of requests to what a node can do."),
    SETTING("cluster.connect_timeout_ms", "5000", "How long connecting may take."),
    SETTING("cluster.request_timeout_ms", "15000",
            "How long a request may take, with all retries."),
    SETTING("cluster.schema_agreement_ms", "10000",
            "How long nodes are waited for to agree on a schema."),
    SETTING("cluster.slow_query_ms", "none",
            "Requests that take so long are logged by the driver."),
    SETTING("cluster.prepared_cache_bytes", "33554432",
            "Bytes of prepared statements that are kept."),
    SETTING("cluster.max_frame_bytes", "268435456", "The longest message that is taken."),
    SETTING("cluster.client_timestamps", "true", "Writes have the client's timestamps."),
    SETTING("cluster.schema_metadata", "true", "Knows replication, for routing."),
    SETTING("cluster.application_name", "none", "Shown by the server's system_views.clients."),
    SETTING("cluster.application_version", "none", "Likewise."),
    /* db */
    { "db.migration", CONFIG_WORD, AT(migration), 0, 0, migrations, "safe, alter, drop or none",
      "safe", "What loading a model may do to its table.", false },
    NUMBER("db.unique_lease_ms", CONFIG_U32, db.unique_lease_ms, 1, DAY_MS, "10000",
           "How long an unfinished reservation of a unique value holds."),
    /* server */
    TEXT("server.listen", server.listen, "a numeric address", "127.0.0.1",
         "Where `corm_server_start` listens."),
    NUMBER("server.port", CONFIG_I32, server.port, 1, UINT16_MAX, "9042", "Its port."),
    FLAG("server.auth", server.auth, "false", "Clients log in as roles of the store."),
    FLAG("server.allow_everybody", server.allow_everybody, "false",
         "Lets clients of other machines in without a password."),
    TEXT("server.tls_cert", server.tls_certificate_file, "a file", "none",
         "The certificate, with its chain (PEM)."),
    TEXT("server.tls_key", server.tls_key_file, "a file", "in the certificate's file",
         "Its key (PEM)."),
    SECRET("server.tls_key_password", server.tls_key_password, "none", "The key's password."),
    TEXT("server.tls_client_ca", server.tls_client_ca_file, "a file", "none",
         "Clients must show a certificate of this authority."),
    NUMBER("server.loops", CONFIG_U32, server.loops, 1, 64, "one a processor, at most 4",
           "Threads that connections are spread over."),
    NUMBER("server.read_threads", CONFIG_U32, server.read_threads, 1, 256, "2",
           "Threads that parse and read."),
    NUMBER("server.max_connections", CONFIG_U32, server.max_connections, 1, 1000000, "8192",
           "Connections."),
    NUMBER("server.max_requests", CONFIG_U32, server.max_requests, 1, UINT32_MAX, "16384",
           "Requests under way."),
    NUMBER("server.max_requests_per_connection", CONFIG_U32, server.max_requests_per_connection, 1,
           32768, "4096", "Requests of one connection under way."),
    NUMBER("server.max_request_bytes", CONFIG_U64, server.max_request_bytes, 1, UINT64_MAX,
           "268435456", "Bytes of requests under way."),
    NUMBER("server.max_message_bytes", CONFIG_U64, server.max_message_bytes, 1, UINT64_MAX,
           "16777216", "Bytes of one message."),
    NUMBER("server.max_unread_bytes", CONFIG_U64, server.max_unread_bytes, 1, UINT64_MAX, "8388608",
           "Bytes of answers that a client does not take."),
    NUMBER("server.max_prepared", CONFIG_U32, server.max_prepared, 1, UINT32_MAX, "10000",
           "Statements that are kept."),
    NUMBER("server.handshake_ms", CONFIG_U32, server.handshake_ms, 1, DAY_MS, "10000",
           "When a connection that is not ready is closed."),
    NUMBER("server.idle_ms", CONFIG_U32, server.idle_ms, 1, DAY_MS, "never",
           "When a connection without requests is closed."),
    NUMBER("server.slow_ms", CONFIG_U32, server.slow_ms, 1, DAY_MS, "30000",
           "When a connection that takes nothing of its answers is closed."),
    NUMBER("server.stop_ms", CONFIG_U32, server.stop_ms, 1, DAY_MS, "10000",
           "How long requests go on when the server stops."),
    /* log */
    FLAG("log.enabled", log_enabled, "false",
         "A line on standard error for each request (docs/middleware.md)."),
    FLAG("log.correlation", correlation, "false",
         "Each request has an identifier, which lines show."),
    FLAG("log.values", log.values, "false", "Lines show values."),
    FLAG("log.literals", log.literals, "false", "Lines show literals of texts."),
    FLAG("log.failures_only", log.failures_only, "false", "Only requests that failed."),
    LIST("log.masked", log.masked, "\"column\", \"table.column\" or \"*\"", "none",
         "Columns whose values are shown as ***."),
    NUMBER("log.slow_ms", CONFIG_U32, log.slow_ms, 1, DAY_MS, "all",
           "Only requests that took so long, and failures."),
    /* guard */
    FLAG("guard.enabled", guard_enabled, "false",
         "Refuses requests by the rules of this section (docs/middleware.md)."),
    { "guard.refused", CONFIG_CLASSES, AT(guard.refused), 0, 0, NULL,
      "select, insert, update, delete, batch, truncate, schema, roles, use, other, writes", "none",
      "Classes of statements that are refused.", false },
    LIST("guard.tables", guard.tables, "\"keyspace.table\", \"keyspace.*\" or \"table\"", "all",
         "Only these tables, and system tables for reading."),
    LIST("guard.refused_tables", guard.refused_tables,
         "\"keyspace.table\", \"keyspace.*\" or \"table\"", "none", "Tables that are refused."),
    FLAG("guard.no_filtering", guard.no_filtering, "false", "Refuses ALLOW FILTERING."),
    FLAG("guard.no_unbounded_reads", guard.no_unbounded_reads, "false",
         "Refuses SELECT without WHERE and LIMIT."),
    FLAG("guard.no_literals", guard.no_literals, "false", "Values must be markers."),
    NUMBER("guard.most_statements", CONFIG_U32, guard.most_statements, 1, 65535, "any number",
           "Statements of a batch."),
};

enum { KEYS = sizeof keys / sizeof *keys };
_Static_assert(sizeof keys / sizeof *keys <= (size_t)CONFIG_MOST_KEYS,
               "corm_config.values has a place for each");

const config_key *config__key(size_t index) {
    return index < KEYS ? &keys[index] : NULL;
}

const config_key *config__find(corm_str name) {
    for (size_t i = 0; i < KEYS; i++) {
        if (corm_str_equal(name, corm_str_of(keys[i].name))) return &keys[i];
    }
    return NULL;
}

const char *config__hint(base_arena *arena, corm_str name) {
    const char *nearest = NULL;
    size_t      least = NEAR;
    char        text[128];
    for (size_t i = 0; i < KEYS; i++) {
        size_t distance = base__edit_distance(name, corm_str_of(keys[i].name));
        if (distance < least) nearest = keys[i].name;
        if (distance < least) least = distance;
    }
    if (!nearest) return "";
    snprintf(text, sizeof text, ", did you mean '%s'?", nearest);
    const char *copy = base__arena_str(arena, corm_str_of(text)).data;
    return copy ? copy : "";
}

const char *config__values(const config_key *key, base_arena *arena) {
    char text[64];
    if (key->values) return key->values;
    switch (key->kind) {
    case CONFIG_SETTING: return session__setting_values(corm_str_of(strchr(key->name, '.') + 1));
    case CONFIG_FLAG: return "true or false";
    default: break;
    }
    snprintf(text, sizeof text, "%llu to %llu", (unsigned long long)key->least,
             (unsigned long long)key->most);
    const char *copy = base__arena_str(arena, corm_str_of(text)).data;
    return copy ? copy : "a number";
}

bool config__sounds_secret(const char *name) {
    static const char *const words[] = { "password", "secret", "token", "key", "credential" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(name, words[i])) return true;
    }
    return false;
}
