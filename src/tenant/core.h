// SPDX-License-Identifier: MIT
/* core.h -- what the files of this folder share: the tenants of a session, plans of changed statements, and the doors of
 * single tenants. */
#ifndef TENANT_CORE_H
#define TENANT_CORE_H

#include "base/buf.h"
#include "base/fail.h"
#include "base/map.h"
#include "corm/tenant.h"
#include "cql/parser.h"
#include "cql/schema.h"
#include "session/front.h"

/* ---- names: names.c ---- */

enum {
    TENANT_NAME_MAX = 48,  /* of keyspaces and tables, on the server */
    TENANT_ELSEWHERE = -2, /* a state: the catalogue has the tenant with another strategy */
    TENANT_SCHEMAS = 4,    /* schemas that are kept */
    TENANT_SPACE_MAX = 2 * CORM_TENANT_ID_MAX + 60
};

/* The id of the schema session: no tenant's, because of its first character. */
#define TENANT_OF_SCHEMA "_schema"

CORM_CHECKED corm_status tenant__check_id(const char *id, corm_error *err);
/* What stands for the tenant in physical names: its keyspace, or the first part of its tables' names; empty: the column's
 * strategy. Never the same for two ids. */
CORM_CHECKED corm_status tenant__space(const corm_tenants *tenants, corm_str id,
                                       char out[TENANT_SPACE_MAX], corm_error *err);

/* Where the word is in the text; NULL: nowhere. */
const char *tenant__find(corm_str text, corm_str word);

/* ---- trees: walk.c ---- */

typedef enum tenant_ref_kind {
    TENANT_REF_READ,   /* a table or view whose rows are read */
    TENANT_REF_WRITE,  /* a table whose rows are changed */
    TENANT_REF_SCHEMA, /* a table or view that is made, altered, dropped, emptied or indexed */
    TENANT_REF_INDEX,
    TENANT_REF_TYPE,
    TENANT_REF_FUNCTION /* called, made or dropped */
} tenant_ref_kind;

/* Called for each name, expression (outer ones first) and written type of a statement. NULL: not asked for. */
typedef struct tenant_visitor {
    corm_status (*ref)(void *context, tenant_ref_kind kind, cql_ref *ref);
    corm_status (*expr)(void *context, cql_expr *expr);
    corm_status (*type)(void *context, cql_type_ast *type);
    void *context;
} tenant_visitor;

/* The tree must be the caller's alone: names may be changed in place. Every table, view, index, type and function that a
 * statement of these kinds can name is visited; the other kinds (keyspaces, roles, triggers, DESCRIBE, USE) have no names here. */
CORM_CHECKED corm_status tenant__walk(cql_statement *statement, const tenant_visitor *visitor);

/* ---- schemas as tenants see them: schema.c ---- */

/* A store in memory that has nothing but the tenant's schema; it answers what a tenant asks of it. Immutable, counted. */
typedef struct tenant_schema {
    atomic_uint   refs;
    corm_session *store;
    cql_schema   *snapshot; /* its schema */
    uint64_t      mark;     /* of the schema it was made from */
} tenant_schema;

typedef struct tenant_one tenant_one;

/* What tells one state of the schema behind from the next. */
CORM_CHECKED corm_status tenant__schema_mark(corm_tenants *tenants, uint64_t *out, corm_error *err);
/* One reference; as new as it can be. `one` NULL: what all tenants have in common (CORM_TENANT_COLUMN). */
CORM_CHECKED corm_status tenant__schema_get(corm_tenants *tenants, tenant_one *one,
                                            tenant_schema **out, corm_error *err);
void                     tenant__schema_unref(tenant_schema *schema);
/* What is known is made again when it is asked for the next time. */
void tenant__schema_stale(corm_tenants *tenants);

/* ---- plans: plan.c, rewrite.c, column.c, guard.c ---- */

typedef enum tenant_route {
    TENANT_TO_STORE,
    TENANT_TO_SCHEMA, /* DESCRIBE, SELECT of system_schema: answered by a tenant_schema */
    TENANT_TO_NOBODY  /* USE of the tenant's own keyspace */
} tenant_route;

/* A JSON text that gets the tenant: of the user's marker, or of the statement (marker -1). */
typedef struct tenant_json {
    int32_t  marker;
    corm_str text;
} tenant_json;

/* A statement as it goes to the store, for all tenants alike. Immutable but for `shared`, counted. */
typedef struct tenant_plan {
    atomic_uint        refs;
    base_arena         arena;
    corm_str           key; /* in the cache */
    uint64_t           used, mark;
    tenant_route       route;
    cql_statement_kind kind;
    uint32_t           piece_count; /* of the text; the tenant's space stands between them */
    corm_str          *pieces;
    uint32_t           user_count; /* markers of the statement as it came */
    uint32_t           value_count;
    int32_t
        *values; /* of its markers now: the user's number, CORM_TENANT_VALUE, CORM_TENANT_JSON */
    uint32_t     json_count; /* INSERT … JSON */
    tenant_json *json;       /* the n-th is CORM_TENANT_JSON - n in `values` */
    bool         is_conditional;
    bool         strips_first; /* the first column of the answer is the tenant's */
    bool         strips_json;  /* it is in the JSON object */
    bool         is_schema_change;
    uint32_t     table_kinds; /* corm_tenant_kinds */
    /* What PREPARE is answered, and the statement behind: where all tenants have the same. */
    _Atomic(struct tenant_shared *) shared;
} tenant_plan;

typedef struct tenant_shared {
    base_buf             body;
    uint8_t              version;
    const wire_prepared *behind; /* one reference */
    void (*unref)(const wire_prepared *behind);
} tenant_shared;

/* What a statement is changed with. */
typedef struct tenant_rewrite {
    corm_tenants  *tenants;
    bool           of_schema; /* of the schema session */
    corm_str       keyspace;  /* the session's */
    base_arena    *arena;
    tenant_plan   *plan;
    tenant_schema *schema; /* of CORM_TENANT_COLUMN */
    corm_error    *err;
} tenant_rewrite;

/* One reference. */
CORM_CHECKED corm_status tenant__plan_get(corm_tenants *tenants, bool of_schema, corm_str keyspace,
                                          corm_str text, tenant_plan **out, corm_error *err);
void                     tenant__plan_unref(tenant_plan *plan);
void                     tenant__plans_clear(corm_tenants *tenants);
/* Appends the statement of the tenant. */
void tenant__plan_text(const tenant_plan *plan, corm_str space, base_buf *out);

/* Refuses what a tenant must not do at all. */
CORM_CHECKED corm_status tenant__check_kind(const tenant_rewrite *rewrite,
                                            const cql_statement  *statement);
/* Names; then, in column.c, the tenant's column. `text`: as it came. */
CORM_CHECKED corm_status tenant__rewrite(tenant_rewrite *rewrite, corm_str text,
                                         cql_statement *statement);
CORM_CHECKED corm_status tenant__add_column(tenant_rewrite *rewrite, corm_str text,
                                            cql_statement *statement);
/* Looks at the statement as the server will read it: that it names nothing outside of the tenant's, and that each of its rows is
 * the tenant's. CORM_UNAUTHORIZED otherwise: nothing of what was done before is trusted. */
CORM_CHECKED corm_status tenant__guard(tenant_rewrite *rewrite, cql_statement *statement);

#define TENANT_MARKER "corm tenant" /* the name of the marker for the tenant, in double quotes */
#define TENANT_JSON_MARKER "corm json"

bool tenant__is_shared(const corm_tenants *tenants, corm_str table);
bool tenant__is_writable(const corm_tenants *tenants, corm_str table);

/* JSON with the tenant in it: json.c. CORM_INVALID when it is no object, or has a member of that name. */
CORM_CHECKED corm_status tenant__put_json(corm_str column, corm_str tenant, corm_str json,
                                          base_buf *out, corm_error *err);

/* ---- answers: answer.c ---- */

/* Of a tenant: what names become for it. */
typedef struct tenant_view {
    const corm_tenants *tenants;
    const tenant_plan  *plan;
    corm_str            tenant, space;
} tenant_view;

/* Puts the tenant's names into the answer, and takes its column out. */
CORM_CHECKED corm_status tenant__answer(const tenant_view *view, wire_answer *answer,
                                        corm_error *err);
void                     tenant__error(const tenant_view *view, corm_error *err);
/* Binds the paging state of an answer to the tenant; opens one that was bound: CORM_INVALID when it is another's. */
CORM_CHECKED corm_status tenant__bind_paging(const tenant_view *view, wire_answer *answer,
                                             corm_error *err);
CORM_CHECKED corm_status tenant__open_paging(const tenant_view *view, corm_bytes *state,
                                             corm_error *err);

/* ---- tenants: tenants.c, limit.c ---- */

/* One tenant in this process. */
struct tenant_one {
    char               id[CORM_TENANT_ID_MAX + 1];
    char              *space;      /* behind the struct */
    atomic_int         state;      /* corm_tenant_state; -1: it is not in the catalogue */
    _Atomic(int64_t)   checked_ns; /* when the catalogue was asked; 0: it was not */
    corm_tenant_limits limits;     /* guarded by tenants->lock */
    atomic_bool        limited;    /* some of them are set */
    _Atomic(int64_t)   due_ns;     /* limit.c */
    _Atomic(uint64_t)  requests, writes, failed, refused, over, answer_bytes;
    atomic_uint        in_flight;
    atomic_bool        asked;   /* the catalogue is being asked for it meanwhile */
    corm_session      *session; /* of single calls; guarded by tenants->lock */
};

struct corm_tenants {
    atomic_uint           refs;
    corm_session         *behind; /* one reference */
    base_arena            arena;
    corm_tenant_strategy  strategy;
    corm_tenant_isolation isolation;
    corm_str              keyspace, column, table, replication; /* end with a zero byte */
    corm_str             *shared, *writable;
    uint32_t              shared_count, writable_count;
    corm_str             *schema_texts;
    uint32_t              schema_count;
    corm_str              migrations;
    corm_status (*provision)(void *, corm_session *, const char *, corm_error *);
    void              *provision_context;
    corm_tenant_limits limits;
    int64_t            state_cache_ns;
    uint32_t           lease_ms, most_plans;
    corm_str           hole;      /* stands for a tenant's space while a plan is made */
    atomic_bool        has_table; /* the catalogue is known to exist */

    pthread_mutex_t lock;  /* guards everything below */
    base_map        plans; /* by key */
    uint64_t        uses;
    base_map        ones; /* by id */
    struct {
        tenant_one    *one; /* NULL: what all tenants have in common (CORM_TENANT_COLUMN) */
        tenant_schema *schema;
    } schemas[TENANT_SCHEMAS]; /* made last */
    uint32_t next_schema;
    uint64_t known_mark; /* of a cluster's schema */
    int64_t  marked_ns;  /* when it was asked for; 0: it is stale */
};

corm_tenants *tenant__ref(corm_tenants *tenants);
void          tenant__unref(corm_tenants *tenants);

/* The tenant's struct, which lives as long as `tenants`. */
CORM_CHECKED corm_status tenant__one(corm_tenants *tenants, corm_str id, tenant_one **out,
                                     corm_error *err);
/* What its state means for who wants to work: CORM_OK when it is active. */
CORM_CHECKED corm_status tenant__evaluate(tenant_one *one, corm_error *err);
/* Whether it may work now. Asks the catalogue when what is known is too old; where the caller must not wait, for the next
 * time. */
CORM_CHECKED corm_status tenant__check_state(corm_tenants *tenants, tenant_one *one, bool anew,
                                             bool may_wait, corm_error *err);
/* The same for one that is in the catalogue: CORM_NOT_FOUND, and nothing is kept, for any other name. */
CORM_CHECKED corm_status tenant__known(corm_tenants *tenants, corm_str id, tenant_one **out,
                                       corm_error *err);
/* The id of who changes the schema that all share, or, with other strategies, the tenant itself. */
CORM_CHECKED corm_status tenant__schema_one(corm_tenants *tenants, tenant_one *one,
                                            tenant_one **out, corm_error *err);

/* limit.c: CORM_OVERLOADED or CORM_UNAUTHORIZED, with the limit's name. */
CORM_CHECKED corm_status tenant__enter(tenant_one *one, const corm_tenant_limits *limits,
                                       uint32_t kinds, corm_error *err);
void                     tenant__leave(tenant_one *one);
corm_tenant_limits       tenant__limits(corm_tenants *tenants, tenant_one *one);

/* catalogue.c: what it says of the tenant; a row of it, which may be NULL */
void                     tenant__note(corm_tenants *tenants, tenant_one *one, const corm_row *row,
                                      const corm_result *result);
CORM_CHECKED corm_status tenant__catalogue_read(corm_tenants *tenants, tenant_one *one,
                                                corm_error *err);
/* The same without waiting: the callback gets the row, for tenant__note(). */
CORM_CHECKED corm_status tenant__catalogue_ask(corm_tenants *tenants, const tenant_one *one,
                                               corm_task_callback callback, void *context,
                                               corm_error *err);
CORM_CHECKED corm_status tenant__catalogue_open(corm_tenants *tenants, corm_error *err);
/* Executes a statement, whose "%s" is the catalogue. */
CORM_CHECKED corm_status tenant__catalogue_run(const corm_tenants *tenants, const char *format,
                                               const corm_value *values, uint32_t count,
                                               corm_result **out, corm_error *err);
/* A cell by its column's name; null when there is none. The number of a state; -1: there is none of that name. */
void tenant__cell(const corm_row *row, const corm_result *result, const char *column,
                  corm_value *out);
int  tenant__state_of(corm_str name);
void tenant__read_limits(const corm_value *map, corm_tenant_limits *out);
/* What a tenant begins with: provision.c. */
CORM_CHECKED corm_status tenant__provision(corm_tenants *tenants, tenant_one *one, corm_error *err);
/* Takes away what a tenant has: drop.c. */
CORM_CHECKED corm_status tenant__remove(corm_tenants *tenants, tenant_one *one, uint32_t most,
                                        bool *done, corm_error *err);

#endif
