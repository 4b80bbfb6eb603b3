// SPDX-License-Identifier: MIT
/* tenant.h -- many tenants over one session: each has a session of its own, whose statements reach its own rows and nobody
 * else's. What is above a session (corm_db, scans, batches, migrations) works over such a session as over any other.
 *
 * Three ways to keep tenants apart, all with the keyspace `shop` as tenants see it, and tenant `acme`:
 *
 *   CORM_TENANT_KEYSPACE   shop.users is shop__acme.users
 *   CORM_TENANT_PREFIX     shop.users is shop.acme__users
 *   CORM_TENANT_COLUMN     shop.users is shop.users, whose partition key begins with the column tenant_id
 *
 * Statements are changed in their syntax tree; what cannot be parsed or is not known to be safe is refused. docs/tenancy.md
 * says what becomes of each statement. */
#ifndef CORM_TENANT_H
#define CORM_TENANT_H

#include "corm/migrate.h"
#include "corm/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_tenants corm_tenants;

typedef enum corm_tenant_strategy {
    CORM_TENANT_KEYSPACE = 0,
    CORM_TENANT_PREFIX,
    CORM_TENANT_COLUMN
} corm_tenant_strategy;

typedef enum corm_tenant_isolation {
    CORM_ISOLATION_STRICT = 0, /* a call without a tenant is refused */
    CORM_ISOLATION_OPEN /* a call without a tenant goes to the session as it is; tenants are held as before */
} corm_tenant_isolation;

/* Kinds of statements, for limits. */
typedef enum corm_tenant_kinds {
    CORM_TENANT_READS = 1,
    CORM_TENANT_WRITES = 2, /* INSERT, UPDATE, DELETE, batches of them */
    CORM_TENANT_TRUNCATES = 4,
    CORM_TENANT_SCHEMA = 8 /* CREATE, ALTER, DROP */
} corm_tenant_kinds;

/* Zero means no limit. Rates and numbers in flight are counted in each process. */
typedef struct corm_tenant_limits {
    uint32_t requests_per_second; /* CORM_OVERLOADED when there are more */
    uint32_t burst;               /* at once, after a pause. default: a second's */
    uint32_t in_flight;           /* requests at a time: CORM_OVERLOADED */
    uint32_t page_rows;           /* pages are not longer; reading without pages has pages then */
    uint64_t page_bytes;          /* an answer that is longer: CORM_INVALID */
    uint32_t refused_kinds;       /* corm_tenant_kinds, together: CORM_UNAUTHORIZED */
} corm_tenant_limits;

/* Zero means default. Everything is copied. */
typedef struct corm_tenants_options {
    corm_tenant_strategy  strategy;
    corm_tenant_isolation isolation;
    const char *keyspace; /* what tenants see, and where the catalogue is. default: the session's */
    const char *column;   /* of CORM_TENANT_COLUMN. default: "tenant_id" */
    const char *table;    /* the catalogue: made when it is missing. default: "tenants" */
    /* Tables of `keyspace` that all tenants read as they are; and those that they may also write. */
    const char *const *shared;
    uint32_t           shared_count;
    const char *const *shared_writable;
    uint32_t           shared_writable_count;
    /* Of CORM_TENANT_KEYSPACE. default: "{'class': 'SimpleStrategy', 'replication_factor': 1}" */
    const char *replication;
    /* What a new tenant gets: statements, one by one; then the migrations of a directory; then what the function does. CREATE
     * becomes CREATE … IF NOT EXISTS, so that all can be done again. With CORM_TENANT_COLUMN the tables are made once for all. */
    const char *const *schema;
    uint32_t           schema_count;
    const char        *migrations;
    corm_status (*provision)(void *context, corm_session *session, const char *tenant,
                             corm_error *err);
    void              *provision_context;
    corm_tenant_limits limits;         /* of tenants that have none of their own */
    uint32_t           state_cache_ms; /* how old what is known of a tenant may be. default: 1000 */
    uint32_t
                lease_ms; /* a process that stopped while it made a tenant holds others up for so long. default: 30000 */
    uint32_t    cached_plans; /* statements whose changed form is kept. default: 1024 */
    corm_error *error;
    uint32_t    _canary;
} corm_tenants_options;

/* Tenants over `session`, which may be closed first. On success *out is released by corm_tenants_close(); sessions of tenants may
 * outlive it. CORM_INVALID_ARGUMENT: the options. */
CORM_API CORM_CHECKED corm_status corm_tenants_open(corm_tenants **out, corm_session *session,
                                                    const corm_tenants_options *options);
CORM_API void                     corm_tenants_close(corm_tenants *tenants); /* NULL is ignored */

/* ---- one tenant's session ---- */

/* A session bound to the tenant. *out is released by corm_session_close(). CORM_NOT_FOUND: there is no such tenant;
 * CORM_UNAUTHORIZED: it is suspended, or being made or dropped; CORM_SCHEMA_MISMATCH: it was made with another strategy;
 * CORM_INVALID_ARGUMENT: no tenant was named. */
CORM_API CORM_CHECKED corm_status corm_tenant_session(corm_tenants *tenants, const char *tenant,
                                                      corm_session **out, corm_error *err);

/* One statement of a tenant. As corm_execute_with(). */
CORM_API CORM_CHECKED corm_status corm_tenant_execute_with(corm_tenants *tenants,
                                                           const char *tenant, const char *cql,
                                                           const corm_execute_options *options,
                                                           corm_result               **out);
#ifndef __cplusplus
#define corm_tenant_execute(tenants, tenant, cql, out, ...)                                        \
    corm_tenant_execute_with((tenants), (tenant), (cql), &(corm_execute_options)__VA_ARGS__, (out))
#endif

/* A session for changes of the schema that all tenants share (CORM_TENANT_COLUMN): it may also alter and drop tables, and its
 * rows are those of no tenant. CORM_UNSUPPORTED with other strategies. */
CORM_API CORM_CHECKED corm_status corm_tenants_schema_session(corm_tenants  *tenants,
                                                              corm_session **out, corm_error *err);

/* What becomes of a statement: its text, and where the values of its markers come from. */
typedef struct corm_tenant_query {
    const char *cql;
    uint32_t    value_count;
    const int32_t
        *values; /* one a marker: the number of the caller's value, or CORM_TENANT_VALUE … */
    const char *tenant;
} corm_tenant_query;
enum {
    CORM_TENANT_VALUE = -1, /* the tenant */
    CORM_TENANT_JSON = -2   /* the JSON text of the statement with the tenant in it */
};

/* *out is one allocation, released by corm_tenant_query_free(). The errors of a refused statement. The tenant needs not be in the
 * catalogue. */
CORM_API CORM_CHECKED corm_status corm_tenants_transform(corm_tenants *tenants, const char *tenant,
                                                         const char *cql, corm_tenant_query **out,
                                                         corm_error *err);
CORM_API void                     corm_tenant_query_free(corm_tenant_query *query);

/* ---- the catalogue ---- */

typedef enum corm_tenant_state {
    CORM_TENANT_CREATING = 0,
    CORM_TENANT_ACTIVE,
    CORM_TENANT_SUSPENDED,
    CORM_TENANT_DROPPING
} corm_tenant_state;

typedef struct corm_tenant_attribute {
    const char *name, *value;
} corm_tenant_attribute;

typedef struct corm_tenant_info {
    const char                  *id;
    corm_tenant_state            state;
    corm_timestamp               created_at, changed_at;
    uint32_t                     attribute_count;
    const corm_tenant_attribute *attributes; /* by name */
    corm_tenant_limits           limits;     /* its own; all zero: the default ones */
} corm_tenant_info;

typedef struct corm_tenant_list {
    uint32_t          count;
    corm_tenant_info *items; /* by id */
} corm_tenant_list;

/* Zero means default. */
typedef struct corm_tenant_create_options {
    const corm_tenant_attribute *attributes;
    uint32_t                     attribute_count;
    corm_tenant_limits           limits;
    corm_error                  *error;
    uint32_t                     _canary;
} corm_tenant_create_options;

/* Makes a tenant and what it begins with. An id has 1 to 40 of a-z 0-9 _ -, and begins with a letter or digit. Of several
 * callers one makes it: CORM_ALREADY_EXISTS for the others. What was killed on its way is finished by the next call, after
 * lease_ms. */
CORM_API CORM_CHECKED corm_status corm_tenant_create(corm_tenants *tenants, const char *tenant,
                                                     const corm_tenant_create_options *options);
/* *out is released by corm_tenant_list_free(). CORM_NOT_FOUND from get. */
CORM_API CORM_CHECKED corm_status corm_tenant_list_read(corm_tenants      *tenants,
                                                        corm_tenant_list **out, corm_error *err);
CORM_API CORM_CHECKED corm_status corm_tenant_get(corm_tenants *tenants, const char *tenant,
                                                  corm_tenant_list **out, corm_error *err);
CORM_API void                     corm_tenant_list_free(corm_tenant_list *list);

/* A suspended tenant's calls are refused, within state_cache_ms in other processes. CORM_NOT_FOUND; CORM_NOT_APPLIED: it is
 * being made or dropped. */
CORM_API CORM_CHECKED corm_status corm_tenant_suspend(corm_tenants *tenants, const char *tenant,
                                                      corm_error *err);
CORM_API CORM_CHECKED corm_status corm_tenant_resume(corm_tenants *tenants, const char *tenant,
                                                     corm_error *err);
/* Sets one attribute; value NULL removes it. */
CORM_API CORM_CHECKED corm_status corm_tenant_set_attribute(corm_tenants *tenants,
                                                            const char *tenant, const char *name,
                                                            const char *value, corm_error *err);
CORM_API CORM_CHECKED corm_status corm_tenant_set_limits(corm_tenants *tenants, const char *tenant,
                                                         const corm_tenant_limits *limits,
                                                         corm_error               *err);
/* Removes a tenant with all its rows and tables: CORM_TENANT_COLUMN partition by partition, at most `most` in this call (0: all).
 * *done says whether it is gone; until then the call is to be made again, by any process. */
CORM_API CORM_CHECKED corm_status corm_tenant_drop(corm_tenants *tenants, const char *tenant,
                                                   uint32_t most, bool *done, corm_error *err);

/* Applies the migrations of the directory to each tenant (CORM_TENANT_COLUMN: once), by id. *applied (may be NULL) counts
 * migrations. Stops at the first failure, whose message names the tenant; may be called again. */
CORM_API CORM_CHECKED corm_status corm_tenants_migrate(corm_tenants *tenants, const char *dir,
                                                       const corm_migrate_options *options,
                                                       uint64_t                   *applied);

/* ---- what a tenant uses, in this process ---- */

typedef struct corm_tenant_usage {
    uint64_t requests, writes, failed; /* that went to the store */
    uint64_t refused;                  /* that did not: by a rule or a limit */
    uint64_t limited;                  /* of those: by a limit */
    uint64_t answer_bytes;
    uint32_t in_flight;
} corm_tenant_usage;

/* All zero for a tenant that was not seen. */
CORM_API void corm_tenants_usage(corm_tenants *tenants, const char *tenant, corm_tenant_usage *out);

/* ---- whose request is it? ---- */

typedef struct corm_tenant_header {
    const char *name, *value;
} corm_tenant_header;

/* Zero means default. */
typedef struct corm_tenant_request {
    const char *
        host; /* "acme.example.com:8080"; the first of three or more labels, but for `not_tenants` */
    const corm_tenant_header *headers;
    uint32_t                  header_count;
    const char               *header;      /* default: "x-tenant-id"; case does not count */
    const char *const        *not_tenants; /* ended by NULL. default: "api", "www" */
} corm_tenant_request;

enum { CORM_TENANT_ID_MAX = 40 };

/* The tenant of a request: of the host's first label, else of the header. CORM_INVALID_ARGUMENT: none names one, both do and
 * differ, or it is no id. Whether there is such a tenant is for corm_tenant_session() to say. */
CORM_API CORM_CHECKED corm_status corm_tenant_resolve(const corm_tenant_request *request,
                                                      char        out[CORM_TENANT_ID_MAX + 1],
                                                      corm_error *err);
/* What a web server answers, with its JSON body in *body: 200, 400 {"error": "Tenant not specified"} or 500
 * {"error": "Tenant resolution failed"}. `status` is what resolving or opening the session said. */
CORM_API int corm_tenant_http_status(corm_status status, const char **body);

#ifdef __cplusplus
}
#endif
#endif
