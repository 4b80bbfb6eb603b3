// SPDX-License-Identifier: MIT
/* testing.h -- a fake cluster for tests: nodes on loopback addresses that speak the native protocol, with scripted answers,
 * latency, and faults drawn from a seed. In libcorm-testing (pkg-config corm-testing), not in libcorm.
 *
 * Nodes are 127.0.0.1, 127.0.0.2 … on one free port. All nodes live on one thread of the fake's; all functions may be
 * called from any thread, and what they ask for has happened when they return. docs/testing.md has examples. */
#ifndef CORM_TESTING_H
#define CORM_TESTING_H

#include "corm/cluster.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_fake_cluster corm_fake_cluster;

/* Zero means default. */
typedef struct corm_fake_options {
    uint32_t    nodes;                       /* default: 1; at most 32 */
    uint32_t    data_centres;                /* nodes are spread over dc1, dc2 …. default: 1 */
    uint32_t    racks;                       /* within each: rack1, rack2 …. default: 1 */
    uint8_t     least_version, most_version; /* of the protocol. default: 3 to 5 */
    bool        no_lz4, no_snappy;
    const char *username, *password;       /* PasswordAuthenticator when set */
    const char *tls_certificate, *tls_key; /* PEM files: TLS when set */
    const char *tls_client_ca;             /* client certificates are required and checked */
    uint16_t    shards; /* announces itself as ScyllaDB with so many shards. default: 0 */
    uint64_t    seed;   /* of all that is random. default: 1 */
    uint32_t
        replication; /* of every keyspace, in each data centre. default: the lesser of 3 and its nodes */
    const char *keyspaces; /* "shop, users": that exist from the beginning. default: "shop" */
    bool        nat; /* source ports change on the way: the shard-aware port gives any shard */
} corm_fake_options;

CORM_API CORM_CHECKED corm_status corm_fake_start(corm_fake_cluster      **out,
                                                  const corm_fake_options *options,
                                                  corm_error              *err);
CORM_API void                     corm_fake_stop(corm_fake_cluster *fake); /* NULL is ignored */
/* "cassandra://127.0.0.1:PORT,127.0.0.2:PORT", of the nodes at the start; borrowed. */
CORM_API const char *corm_fake_uri(const corm_fake_cluster *fake);
CORM_API uint16_t    corm_fake_port(const corm_fake_cluster *fake);

/* ---- scripts ---- */

/* What a node does with a request that matches. The first rule that matches and is not used up decides; without one, the
 * node answers the system tables by itself, prepares any text, answers a SELECT with no rows, USE and DDL as a server
 * would, and anything else with Void. A page is a request. Times of a rule are counted over all nodes. */
typedef struct corm_fake_rule {
    int node; /* 0, 1 …; -1: every node */
    const char *
        match; /* the statement's text (of a batch: any of them) contains this. NULL: every text that is not
                          * about a system table, and not USE. Matches PREPARE only with on_prepare */
    bool     on_prepare; /* instead of QUERY, EXECUTE, BATCH */
    uint32_t skip;       /* requests that match and pass on first */
    uint32_t times;      /* used so often. 0: for ever */
    /* What it does: */
    uint32_t        delay_ms;
    bool            no_answer;        /* never */
    bool            close_connection; /* instead of answering */
    bool            answer_twice;
    corm_status     error; /* an ERROR of this status with the figures below */
    const char     *message;
    int32_t         received, required, failures;
    bool            data_present;
    corm_write_type write_type;
    const char
        *columns; /* rows: "k int, v text, u 'org.apache.cassandra.db.marshal.UserType(…)'" … */
    const char *rows; /* … and a row a line, CQL literals between bars: "1 | 'a'\n2 | null" */
    /* What a PREPARE of a text that matches is told of its bind markers: "k int, v text". The first is the partition
     * key. default: ints called as the markers, or p0, p1 … */
    const char *bind;
    uint32_t    page_rows;        /* cut into pages of so many. 0: as the request asks */
    bool        empty_first_page; /* a page without rows comes first, with more behind it */
    const char *warning;
} corm_fake_rule;

/* Adds a rule behind the others; texts are copied. Gives its number, for corm_fake_hits. Columns or rows that cannot be read
 * are said in the answer: an ERROR of CORM_SERVER_ERROR. */
CORM_API uint32_t corm_fake_add_rule(corm_fake_cluster *fake, const corm_fake_rule *rule);
CORM_API uint64_t corm_fake_hits(const corm_fake_cluster *fake, uint32_t rule);
CORM_API void     corm_fake_clear_rules(corm_fake_cluster *fake);

/* ---- faults by seed: chances from 0 to 1, for each answer behind the handshake ---- */

typedef struct corm_fake_faults {
    double   drop;  /* never answered */
    double   delay; /* by up to max_delay_ms */
    uint32_t max_delay_ms;
    double   duplicate; /* sent twice */
    double   close;     /* the connection is closed instead */
    double
           garbage; /* the answer's bytes are damaged (v5: the segment, so that its checksum tells; v4: the header) */
    double unprepared; /* EXECUTE is answered with UNPREPARED, and the statement is forgotten */
    double overloaded; /* instead of the answer to a QUERY, EXECUTE or BATCH */
    double split;      /* sent in small pieces */
} corm_fake_faults;
/* Of a node, or of all with -1; NULL: none. The same seed and the same order of requests at a node give the same faults. */
CORM_API void corm_fake_set_faults(corm_fake_cluster *fake, int node,
                                   const corm_fake_faults *faults);

/* ---- topology ---- */

/* Events are sent only where it is said. */
CORM_API void corm_fake_kill(corm_fake_cluster *fake,
                             uint32_t           node); /* connections reset, port closed */
CORM_API void corm_fake_revive(corm_fake_cluster *fake,
                               uint32_t           node); /* the same address, nothing prepared */
CORM_API void corm_fake_pause(corm_fake_cluster *fake,
                              uint32_t           node); /* accepts and reads nothing */
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
    uint64_t requests;         /* the queries, executes and batches … */
    uint64_t queries, executes,
        batches; /* … without those of system tables, which are in system_reads, and USE */
    uint64_t system_reads, uses, prepares, options, registers;
    uint64_t unprepared; /* answered so, by a fault or because the id was not known */
    uint64_t bytes_read;
} corm_fake_counts;
/* Of a node, or summed with -1. */
CORM_API corm_fake_counts corm_fake_count(const corm_fake_cluster *fake, int node);
/* Waits until the node (all together with -1) has counted so many `requests`, or timeout_ms passed; false then. */
CORM_API bool corm_fake_wait_requests(corm_fake_cluster *fake, int node, uint64_t at_least,
                                      uint32_t timeout_ms);
/* The last of the `requests` that a node saw (of all with -1), one "name=value" a line: kind, text, values, names,
 * consistency, serial, page_size, paging_state, timestamp, keyspace (v5), now (v5), skip_metadata, tracing, payload, version,
 * stream, shard … (docs/testing.md). What was not given is not there. malloc'ed; NULL when there was none. */
CORM_API char *corm_fake_last_request(const corm_fake_cluster *fake, int node);

#ifdef __cplusplus
}
#endif
#endif
