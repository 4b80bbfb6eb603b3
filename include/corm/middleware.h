// SPDX-License-Identifier: MIT
/* middleware.h -- functions around every request of a session: statements, prepares, executions, batches and pages, waited for or not.
 *
 *   corm_middleware list[] = { corm_correlation_middleware(NULL), corm_log_middleware(&log), corm_guard_middleware(&rules), { 0 } };
 *   corm_db_open(&db, uri, &(corm_db_options){ .session = { .middleware = list } });
 *
 * Begin functions are called in the order of `.order`, then of the list; end functions in reverse, of those whose begin function
 * let the request go on. A begin function may change the request's options, refuse it by returning an error, or answer it itself;
 * then the others behind it, and the store, do not see it.
 *
 * Begin runs on the caller's thread (of an asynchronous request on the one that sends it), end there, or on a worker of the session's;
 * on a cluster, of an asynchronous request, on the thread of its callback. Neither may wait for an asynchronous request. */
#ifndef CORM_MIDDLEWARE_H
#define CORM_MIDDLEWARE_H

#include "corm/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum corm_request_kind {
    CORM_REQUEST_TEXT, /* a statement as a text */
    CORM_REQUEST_PREPARE,
    CORM_REQUEST_EXECUTE, /* of a prepared statement */
    CORM_REQUEST_BATCH
} corm_request_kind;

/* What statements are, as bits. */
typedef enum corm_statement_class {
    CORM_STATEMENT_SELECT = 1 << 0,
    CORM_STATEMENT_INSERT = 1 << 1,
    CORM_STATEMENT_UPDATE = 1 << 2,
    CORM_STATEMENT_DELETE = 1 << 3,
    CORM_STATEMENT_BATCH = 1 << 4,
    CORM_STATEMENT_TRUNCATE = 1 << 5,
    CORM_STATEMENT_SCHEMA = 1 << 6, /* CREATE, ALTER, DROP of anything but roles */
    CORM_STATEMENT_ROLES = 1 << 7,  /* roles and permissions */
    CORM_STATEMENT_USE = 1 << 8,
    CORM_STATEMENT_OTHER = 1 << 9, /* LIST, DESCRIBE */
    CORM_STATEMENT_WRITES = CORM_STATEMENT_INSERT | CORM_STATEMENT_UPDATE | CORM_STATEMENT_DELETE |
                            CORM_STATEMENT_BATCH | CORM_STATEMENT_TRUNCATE
} corm_statement_class;

/* One statement of a request, read from its text without a schema. Texts are borrowed. */
typedef struct corm_statement_info {
    corm_str             text;
    corm_statement_class statement_class; /* 0: the text is no CQL */
    corm_str keyspace;       /* the table's: the statement's, else the request's. May be empty */
    corm_str table;          /* or what else it is about; empty: nothing by name */
    bool     is_conditional; /* IF … */
    bool     allow_filtering;
    bool     is_unbounded; /* a SELECT without WHERE and without LIMIT */
    bool     has_literals; /* values that are not markers */
    uint32_t value_count;  /* that go with it */
} corm_statement_info;

/* A request on its way. Valid until the end function has returned. */
typedef struct corm_request {
    corm_request_kind kind;
    bool              asynchronous;
    corm_str          keyspace; /* for names without one */
    uint32_t          statement_count;
    /* To be changed by begin functions; what they point to must live until the end. Zero where the request has none. Of a prepare
     * only what routes it. */
    corm_request_options options;
    const char          *correlation_id; /* NULL: none */
    /* In end functions: */
    corm_status       status;
    const corm_error *error; /* NULL: success */
    int64_t           duration_ns;
    bool              answered_here; /* by a middleware */
    void             *data;          /* what begin leaves here its own end finds */
} corm_request;

struct corm_middleware {
    const char *name;  /* ends a list: NULL */
    int32_t     order; /* smaller: begins earlier, ends later */
    corm_status (*begin)(corm_request *request, void *context, corm_error *err); /* may be NULL */
    void (*end)(corm_request *request, void *context);                           /* may be NULL */
    void (*release)(void *context); /* nobody calls it any more; may be NULL */
    void *context;
};

/* A session in front of another, whose requests go through the list. `behind` stays the caller's, and either may be closed first;
 * closing `behind` waits for requests of both, and then the one in front answers CORM_CLOSED. The list and the names are copied; on
 * failure contexts are not released. corm_session_options.middleware does the same when a session is opened. */
CORM_API CORM_CHECKED corm_status corm_session_with_middleware(corm_session         **out,
                                                               corm_session          *behind,
                                                               const corm_middleware *list,
                                                               corm_error            *err);
/* Adds to such a session; requests under way do not see it. CORM_ALREADY_EXISTS; CORM_UNSUPPORTED: the session was not opened with
 * middleware (an empty list is enough). */
CORM_API CORM_CHECKED corm_status corm_middleware_add(corm_session          *session,
                                                      const corm_middleware *middleware,
                                                      corm_error            *err);
/* Requests under way may still call it, until .release is called. CORM_NOT_FOUND. */
CORM_API CORM_CHECKED corm_status corm_middleware_remove(corm_session *session, const char *name,
                                                         corm_error *err);

/* ---- looking at a request ---- */

/* False: there is no such statement. */
CORM_API bool corm_request_statement(const corm_request *request, uint32_t index,
                                     corm_statement_info *out);
/* A value of a statement in wire form (data NULL: null or unset), and what is known of it: the name of its marker and its type in
 * CQL, empty for values of texts. False: there is none. */
CORM_API bool corm_request_value(const corm_request *request, uint32_t statement, uint32_t index,
                                 corm_bytes *value, corm_str *name, corm_str *type);
/* 32 bytes that are the same for the same statement, values, keyspace and page: the key of a cache. */
CORM_API CORM_CHECKED corm_status corm_request_key(const corm_request *request, uint8_t key[32],
                                                   corm_error *err);
/* Of an answer: rows of this page. */
CORM_API uint32_t corm_request_row_count(const corm_request *request);
/* The answer's bytes, in end functions: what corm_request_answer_with() takes again. Borrowed. */
CORM_API corm_bytes corm_request_answer(const corm_request *request);

/* ---- answering it; in begin functions, which then return CORM_OK ---- */

/* With what an equal request was answered (see corm_request_key). Copied. Not for prepares. */
CORM_API CORM_CHECKED corm_status corm_request_answer_with(corm_request *request, corm_bytes answer,
                                                           corm_error *err);
/* As a statement without rows. */
CORM_API CORM_CHECKED corm_status corm_request_answer_done(corm_request *request, corm_error *err);
/* With rows. `columns` are "name type", NULL behind the last; `cells` row by row. */
CORM_API CORM_CHECKED corm_status corm_request_answer_rows(corm_request      *request,
                                                           const char *const *columns,
                                                           const corm_value *cells, uint32_t rows,
                                                           corm_error *err);

/* ---- those that Corm has; each returns an item of a list, whose .release frees it ---- */

/* A request's identifier: the thread's (corm_correlation_set() of corm/event.h), else a new one. */
typedef struct corm_correlation_options {
    const char *payload; /* sent to a cluster as custom payload of this name. default: not sent */
} corm_correlation_options;
CORM_API corm_middleware corm_correlation_middleware(const corm_correlation_options *options);

/* A line for each request that ended:
 *   execute shop.users 1.284 ms 3 rows [4f1c…] SELECT name FROM users WHERE id = ? (id=7, email=***)
 * Literals of texts are shown as ?, unless .literals. */
typedef struct corm_log_options {
    void (*write)(void *context, const char *line); /* default: stderr */
    void       *context;
    bool        values;   /* shows values: those with names in .masked as *** */
    bool        literals; /* shows literals of texts */
    bool        failures_only;
    const char *masked[32]; /* "email", "users.email", "*" for all values */
    uint32_t    slow_ms;    /* only requests that took this long, and failures. default: all */
} corm_log_options;
CORM_API corm_middleware corm_log_middleware(const corm_log_options *options);

/* Refuses with CORM_UNAUTHORIZED, and says which rule. Names of tables are "keyspace.table", "keyspace.*" or "table". */
typedef struct corm_guard_options {
    uint32_t    refused;    /* corm_statement_classes */
    const char *tables[32]; /* only these, and system tables for reading. default: all */
    const char *refused_tables[32];
    bool        no_filtering;       /* ALLOW FILTERING */
    bool        no_unbounded_reads; /* SELECT without WHERE and LIMIT */
    bool        no_literals;        /* values must be markers; not asked of schema and roles */
    uint32_t    most_statements;    /* of a batch. default: any number */
} corm_guard_options;
CORM_API corm_middleware corm_guard_middleware(const corm_guard_options *options);

#ifdef __cplusplus
}
#endif
#endif
