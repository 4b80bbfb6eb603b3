// SPDX-License-Identifier: MIT
/* testing.h -- a fake cluster for tests: nodes on loopback addresses that speak the native protocol, with scripted answers,
 * latency, and faults drawn from a seed. In libcorm-testing (pkg-config corm-testing), not in libcorm.
 *
 * Nodes are 127.0.0.1, 127.0.0.2 … on one free port; each has a thread-safe script. All functions may be called from
 * any thread. They run on one thread of the fake's. */
#ifndef CORM_TESTING_H
#define CORM_TESTING_H

#include "corm/cluster.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_fake_cluster corm_fake_cluster;

/* Zero means default. */
typedef struct corm_fake_options {
    uint32_t    nodes;        /* default: 1; at most 32 */
    uint32_t    data_centres; /* nodes are spread over dc1, dc2 …. default: 1 */
    uint32_t    racks;        /* within each: rack1, rack2 …. default: 1 */
    uint8_t     least_version, most_version; /* of the protocol. default: 3 to 5 */
    bool        no_lz4, no_snappy;
    const char *username, *password; /* PasswordAuthenticator when set */
    const char *tls_certificate, *tls_key; /* PEM files: TLS when set */
    const char *tls_client_ca;             /* client certificates are required and checked */
    uint16_t    shards;   /* announces itself as ScyllaDB with so many shards. default: 0 */
    uint64_t    seed;     /* of all that is random. default: 1 */
    uint32_t    replication; /* of every keyspace. default: the lesser of 3 and `nodes` */
} corm_fake_options;

CORM_API CORM_CHECKED corm_status corm_fake_start(corm_fake_cluster **out, const corm_fake_options *options,
                                                  corm_error *err);
CORM_API void                     corm_fake_stop(corm_fake_cluster *fake); /* NULL is ignored */
/* "cassandra://127.0.0.1,127.0.0.2:PORT"; borrowed. */
CORM_API const char *corm_fake_uri(const corm_fake_cluster *fake);
CORM_API uint16_t    corm_fake_port(const corm_fake_cluster *fake);

/* ---- scripts ---- */

/* What a node does with a request that matches. The first rule that matches and is not used up decides; without one, the
 * node answers the system tables by itself, prepares any text, answers a SELECT with no rows and anything else with Void. */
typedef struct corm_fake_rule {
    int         node;    /* 0, 1 …; -1: every node */
    const char *match;   /* the statement's text contains this. NULL: everything. Matches PREPARE only with on_prepare */
    bool        on_prepare; /* instead of QUERY, EXECUTE, BATCH */
    uint32_t    skip;    /* requests that match and pass on first */
    uint32_t    times;   /* used so often. 0: for ever */
    /* What it does: */
    uint32_t    delay_ms;
    bool        no_answer;        /* never */
    bool        close_connection; /* instead of answering */
    bool        answer_twice;
    corm_status error;            /* an ERROR of this status with the figures below */
    const char *message;
    int32_t     received, required, failures;
    bool        data_present;
    corm_write_type write_type;
    const char *columns; /* rows: "k int, v text" … */
    const char *rows;    /* … and a row a line, CQL literals between bars: "1 | 'a'\n2 | null" */
    uint32_t    page_rows; /* cut into pages of so many. 0: as the request asks */
    bool        empty_first_page; /* a page without rows comes first, with more behind it */
    const char *warning;
} corm_fake_rule;

/* Adds a rule behind the others; texts are copied. Gives its number, for corm_fake_hits. */
CORM_API uint32_t corm_fake_add_rule(corm_fake_cluster *fake, const corm_fake_rule *rule);
CORM_API uint64_t corm_fake_hits(const corm_fake_cluster *fake, uint32_t rule);
CORM_API void     corm_fake_clear_rules(corm_fake_cluster *fake);

/* ---- faults by seed: chances from 0 to 1, for each answer ---- */

typedef struct corm_fake_faults {
    double   drop;       /* never answered */
    double   delay;      /* by up to max_delay_ms */
    uint32_t max_delay_ms;
    double   duplicate;  /* sent twice */
    double   close;      /* the connection is closed instead */
    double   garbage;    /* the answer's bytes are damaged (CRC in v5) */
    double   unprepared; /* EXECUTE is answered with UNPREPARED, and the statement is forgotten */
    double   overloaded;
    double   split;      /* sent in small pieces */
} corm_fake_faults;
CORM_API void corm_fake_set_faults(corm_fake_cluster *fake, int node, const corm_fake_faults *faults);

/* ---- topology ---- */

CORM_API void corm_fake_kill(corm_fake_cluster *fake, uint32_t node);   /* connections reset, port closed */
CORM_API void corm_fake_revive(corm_fake_cluster *fake, uint32_t node); /* the same address, nothing prepared */
CORM_API void corm_fake_pause(corm_fake_cluster *fake, uint32_t node);  /* accepts and reads nothing */
CORM_API void corm_fake_resume(corm_fake_cluster *fake, uint32_t node);
/* The node with this host id moves to another address (127.0.0.`last`), as after a restart in a container. */
CORM_API void corm_fake_move(corm_fake_cluster *fake, uint32_t node, uint8_t last);
CORM_API void corm_fake_add_node(corm_fake_cluster *fake); /* with NEW_NODE and UP events */
CORM_API void corm_fake_remove_node(corm_fake_cluster *fake, uint32_t node); /* with REMOVED_NODE */
/* Sends an event on registered connections though nothing happened: "UP", "DOWN", "NEW_NODE" …. */
CORM_API void corm_fake_send_event(corm_fake_cluster *fake, const char *change, uint32_t node);
/* All nodes but the first announce another schema version, until called with false. */
CORM_API void corm_fake_disagree(corm_fake_cluster *fake, bool disagree);

/* ---- what it saw ---- */

typedef struct corm_fake_counts {
    uint64_t connections;      /* accepted, ever */
    uint64_t open_connections; /* now */
    uint64_t requests;         /* QUERY, EXECUTE, BATCH without Corm's own of system tables */
    uint64_t queries, executes, batches, prepares, options, registers;
    uint64_t bytes_read;
} corm_fake_counts;
/* Of a node, or summed with -1. */
CORM_API corm_fake_counts corm_fake_count(const corm_fake_cluster *fake, int node);
/* Waits until the node has seen `requests` more … or timeout_ms passed; false then. */
CORM_API bool corm_fake_wait_requests(corm_fake_cluster *fake, int node, uint64_t at_least,
                                      uint32_t timeout_ms);
/* The last request's parts as seen by a node: text, consistency, keyspace (v5), timestamp, flags …, one "name=value" a
 * line; malloc'ed. */
CORM_API char *corm_fake_last_request(const corm_fake_cluster *fake, int node);

#ifdef __cplusplus
}
#endif
#endif
