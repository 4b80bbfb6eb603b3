// SPDX-License-Identifier: MIT
/* ast.h -- the syntax tree of CQL 5.0, as written: names not looked up, types not resolved.
 *
 * All nodes live in the arena of the parse. Lists are arrays with a count. Optional parts are NULL, an
 * empty corm_str, or a count of 0. Two trees are equal when cql__ast_equal says so: places are ignored. */
#ifndef CQL_AST_H
#define CQL_AST_H

#include "base/arena.h"

enum { CQL_MAX_DEPTH = 100 }; /* levels of nesting that the parser accepts */

typedef struct cql_place {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 0, in code points */
} cql_place;

/* A name after folding: lower-cased unless it was quoted. */
typedef struct cql_name {
    corm_str  text; /* data NULL: absent */
    cql_place place;
} cql_name;

/* [keyspace.]name */
typedef struct cql_ref {
    cql_name keyspace;
    cql_name name;
} cql_ref;

/* ---- types ---- */

typedef struct cql_type_ast cql_type_ast;
struct cql_type_ast {
    cql_ref  name; /* "int", "list", "frozen", "vector", a user-defined type; a class: is_class */
    bool     is_class;  /* 'java.class.Name' */
    bool     is_quoted; /* "int" in double quotes names a user-defined type, never a native one */
    uint32_t count;
    const cql_type_ast **params;
    uint32_t             dimension; /* vector */
};

/* ---- expressions: terms and selectors ---- */

typedef enum cql_expr_kind {
    /* terms */
    CQL_EXPR_NULL,
    CQL_EXPR_STRING,   /* text: the content, unescaped */
    CQL_EXPR_INTEGER,  /* text: as written, with its minus sign */
    CQL_EXPR_FLOAT,    /* text: as written; also NaN and Infinity with a sign */
    CQL_EXPR_BOOLEAN,  /* text: "true" or "false" */
    CQL_EXPR_UUID,     /* text: as written */
    CQL_EXPR_HEX,      /* text: as written, with 0x */
    CQL_EXPR_DURATION, /* text: as written */
    CQL_EXPR_MARKER,   /* ? or :name; index counts all markers of the statement from 0 */
    CQL_EXPR_LIST,     /* [a, b]: also a vector literal */
    CQL_EXPR_SET,      /* {a, b}; {} is an empty set or map */
    CQL_EXPR_MAP,      /* {k: v}: args are key, value, key, value … */
    CQL_EXPR_UDT,      /* {f: v}: names and args in parallel */
    CQL_EXPR_TUPLE, /* (a, b); one element in parentheses is the element itself, with `parens`; a tuple of
                          one stands only in MULTI relations */
    CQL_EXPR_HINT,   /* (type) term: args[0], type */
    CQL_EXPR_CALL,   /* [ks.]f(args) */
    CQL_EXPR_ARITH,  /* op + - * / %, args[0], args[1] */
    CQL_EXPR_NEGATE, /* - args[0] */
    /* selectors only */
    CQL_EXPR_COLUMN,    /* name */
    CQL_EXPR_FIELD,     /* args[0].name */
    CQL_EXPR_ELEMENT,   /* args[0][args[1]] */
    CQL_EXPR_SLICE,     /* args[0][args[1]..args[2]]: either bound may be NULL */
    CQL_EXPR_COUNT_ALL, /* count(*) and count(1) */
    CQL_EXPR_CAST,      /* CAST(args[0] AS type) */
    CQL_EXPR_WRITETIME, /* WRITETIME(args[0]) */
    CQL_EXPR_MAXWRITETIME,
    CQL_EXPR_TTL
} cql_expr_kind;

typedef struct cql_expr cql_expr;
struct cql_expr {
    cql_expr_kind       kind;
    cql_place           place;
    corm_str            text;  /* constants */
    cql_ref             name;  /* CALL, COLUMN, FIELD; MARKER: name.name.text, absent for ? */
    char                op;    /* ARITH */
    uint32_t            index; /* MARKER */
    const cql_type_ast *type;  /* HINT, CAST */
    uint32_t            count;
    cql_expr          **args;
    cql_name           *names;  /* UDT */
    uint16_t            height; /* levels below; the parser refuses more than CQL_MAX_DEPTH */
    uint16_t parens; /* how many pairs stand around it; cql__ast_equal does not look at them */
};

/* ---- clauses ---- */

typedef enum cql_operator {
    CQL_OP_EQ,
    CQL_OP_NEQ,
    CQL_OP_LT,
    CQL_OP_LTE,
    CQL_OP_GT,
    CQL_OP_GTE,
    CQL_OP_IN,
    CQL_OP_CONTAINS,
    CQL_OP_CONTAINS_KEY,
    CQL_OP_LIKE,
    CQL_OP_IS_NOT_NULL
} cql_operator;

typedef enum cql_relation_kind {
    CQL_REL_COLUMN,  /* columns[0] op …                 */
    CQL_REL_ELEMENT, /* columns[0][key] op term         */
    CQL_REL_TOKEN,   /* TOKEN(columns…) op term         */
    CQL_REL_MULTI,   /* (columns…) op …                 */
    CQL_REL_EXPR     /* expr(index, term): columns[0] is the index name */
} cql_relation_kind;

typedef struct cql_relation {
    cql_relation_kind kind;
    cql_operator      op;
    cql_place         place;
    uint32_t          column_count;
    cql_name         *columns;
    cql_expr         *key;        /* ELEMENT */
    uint32_t          term_count; /* IN (t, t): any; other operators 1; IS NOT NULL 0 */
    cql_expr        **terms;
    bool              in_marker; /* IN ? : terms[0] is the marker for the whole list */
} cql_relation;

/* IF conditions. */
typedef struct cql_condition {
    cql_name     column;
    cql_name     field;   /* u.f */
    cql_expr    *element; /* c[element] */
    cql_operator op;      /* comparison, IN, CONTAINS, CONTAINS KEY */
    uint32_t     term_count;
    cql_expr   **terms;
    bool         in_marker;
    cql_place    place;
} cql_condition;

/* One `SET` operation or one deletion. */
typedef enum cql_change_kind {
    CQL_CHANGE_SET,         /* c = value                          */
    CQL_CHANGE_ADD,         /* c = c + value, c += value          */
    CQL_CHANGE_SUBTRACT,    /* c = c - value, c -= value          */
    CQL_CHANGE_PREPEND,     /* c = value + c                      */
    CQL_CHANGE_SET_ELEMENT, /* c[key] = value                     */
    CQL_CHANGE_SET_FIELD,   /* c.field = value                    */
    CQL_CHANGE_DELETE,      /* DELETE c                           */
    CQL_CHANGE_DELETE_ELEMENT,
    CQL_CHANGE_DELETE_FIELD
} cql_change_kind;

typedef struct cql_change {
    cql_change_kind kind;
    cql_name        column;
    cql_name  other; /* c = other + value: the column named on the right; must be the same column */
    cql_name  field;
    cql_expr *key;
    cql_expr *value;
    cql_place place;
} cql_change;

/* WITH name = value AND …: a property's value is a constant (STRING, INTEGER, FLOAT, BOOLEAN, UUID …) or a map
 * literal, or a bare name (kept as STRING with `is_name`). */
typedef struct cql_property {
    cql_name  name;
    cql_expr *value; /* constant or MAP of constants */
    bool      is_name;
} cql_property;

typedef struct cql_using {
    cql_expr *timestamp;
    cql_expr *ttl;
} cql_using;

/* MASKED WITH DEFAULT | MASKED WITH f(args) */
typedef struct cql_mask {
    bool       present;
    cql_ref    function; /* name absent: DEFAULT */
    uint32_t   count;
    cql_expr **args;
} cql_mask;

typedef struct cql_column_def {
    cql_name            name;
    const cql_type_ast *type;
    bool                is_static;
    bool                is_primary_key;
    cql_mask            mask;
} cql_column_def;

typedef struct cql_order {
    cql_name  column;
    cql_expr *ann_of; /* ANN OF term */
    bool      descending;
    bool      explicit_direction; /* ASC or DESC was written */
} cql_order;

/* ---- statements ---- */

typedef struct cql_statement cql_statement;

typedef struct cql_selector {
    cql_expr *expr;
    cql_name  alias;
} cql_selector;

typedef struct cql_select {
    cql_ref       table;
    bool          json, distinct;
    bool          all; /* SELECT * */
    uint32_t      selector_count;
    cql_selector *selectors;
    uint32_t      where_count;
    cql_relation *where;
    uint32_t      group_count;
    cql_expr    **group_by; /* COLUMN or CALL */
    uint32_t      order_count;
    cql_order    *order_by;
    cql_expr     *per_partition_limit;
    cql_expr     *limit;
    bool          allow_filtering;
} cql_select;

typedef struct cql_insert {
    cql_ref    table;
    uint32_t   count; /* columns = values */
    cql_name  *columns;
    cql_expr **values;
    uint32_t
        value_count; /* as written: differs from count only in a statement the checker refuses */
    cql_expr *json;  /* INSERT … JSON term */
    bool      json_default_unset;
    bool      json_default_null; /* written explicitly */
    bool      if_not_exists;
    cql_using using;
} cql_insert;

typedef struct cql_update {
    cql_ref table;
    cql_using using;
    uint32_t       change_count;
    cql_change    *changes;
    uint32_t       where_count;
    cql_relation  *where;
    bool           if_exists;
    uint32_t       condition_count;
    cql_condition *conditions;
} cql_update;

typedef cql_update
    cql_delete; /* changes: DELETE, DELETE_ELEMENT, DELETE_FIELD; none: whole rows; using.ttl NULL */

typedef enum cql_batch_kind {
    CQL_BATCH_LOGGED = 0,
    CQL_BATCH_UNLOGGED = 1,
    CQL_BATCH_COUNTER = 2
} cql_batch_kind;

typedef struct cql_batch {
    cql_batch_kind kind;
    cql_using using;
    uint32_t        count;
    cql_statement **statements; /* INSERT, UPDATE, DELETE */
} cql_batch;

typedef struct cql_create_keyspace { /* also ALTER KEYSPACE */
    cql_name      name;
    bool          if_not_exists; /* ALTER: IF EXISTS */
    uint32_t      property_count;
    cql_property *properties;
} cql_create_keyspace;

typedef struct cql_create_table {
    cql_ref         table;
    bool            if_not_exists;
    uint32_t        column_count;
    cql_column_def *columns;
    uint32_t primary_key_clauses; /* PRIMARY KEY (…) clauses seen; > 1 is refused by the checker */
    uint32_t      partition_count;
    cql_name     *partition_key;
    uint32_t      clustering_count;
    cql_name     *clustering;
    uint32_t      order_count; /* CLUSTERING ORDER BY */
    cql_order    *order;
    bool          compact_storage;
    uint32_t      property_count;
    cql_property *properties;
} cql_create_table;

typedef enum cql_alter_kind {
    CQL_ALTER_ADD,
    CQL_ALTER_DROP,
    CQL_ALTER_RENAME,
    CQL_ALTER_TYPE, /* parsed, always refused */
    CQL_ALTER_MASK, /* ALTER c MASKED WITH … | DROP MASKED */
    CQL_ALTER_DROP_COMPACT_STORAGE,
    CQL_ALTER_WITH
} cql_alter_kind;

typedef struct
    cql_alter_table { /* also ALTER TYPE (ADD, RENAME, TYPE) and ALTER MATERIALIZED VIEW (WITH) */
    cql_ref         table;
    bool            if_exists;
    cql_alter_kind  kind;
    bool            column_if; /* ADD IF NOT EXISTS, DROP/RENAME/ALTER IF EXISTS */
    uint32_t        column_count;
    cql_column_def *columns; /* ADD, DROP (names), TYPE, MASK */
    cql_name       *renamed; /* RENAME: columns[i].name TO renamed[i] */
    bool            drop_masked;
    cql_expr       *timestamp; /* DROP … USING TIMESTAMP */
    uint32_t        property_count;
    cql_property   *properties;
} cql_alter_table;

typedef struct cql_create_type {
    cql_ref         name;
    bool            if_not_exists;
    uint32_t        field_count;
    cql_column_def *fields;
} cql_create_type;

typedef enum cql_index_target {
    CQL_TARGET_COLUMN,
    CQL_TARGET_VALUES,
    CQL_TARGET_KEYS,
    CQL_TARGET_ENTRIES,
    CQL_TARGET_FULL
} cql_index_target;

typedef struct cql_create_index {
    cql_ref           name; /* absent: made from table and column */
    bool              custom, if_not_exists;
    cql_ref           table;
    uint32_t          target_count;
    cql_name         *columns;
    cql_index_target *targets;
    corm_str          using_class; /* absent: data NULL */
    uint32_t          property_count;
    cql_property     *properties; /* OPTIONS = {…} */
} cql_create_index;

typedef struct cql_create_view {
    cql_ref       name;
    bool          if_not_exists;
    bool          all;
    uint32_t      selector_count;
    cql_selector *selectors;
    cql_ref       base;
    uint32_t      where_count;
    cql_relation *where;
    uint32_t      partition_count;
    cql_name     *partition_key;
    uint32_t      clustering_count;
    cql_name     *clustering;
    uint32_t      order_count;
    cql_order    *order;
    uint32_t      property_count;
    cql_property *properties;
} cql_create_view;

typedef struct cql_create_function {
    cql_ref              name;
    bool                 or_replace, if_not_exists;
    uint32_t             argument_count;
    cql_name            *arguments;
    const cql_type_ast **argument_types;
    bool                 called_on_null;
    const cql_type_ast  *returns;
    cql_name             language;
    corm_str             body;
} cql_create_function;

typedef struct cql_create_aggregate {
    cql_ref              name;
    bool                 or_replace, if_not_exists;
    uint32_t             argument_count;
    const cql_type_ast **argument_types;
    cql_ref              state_function;
    const cql_type_ast  *state_type;
    cql_ref              final_function;
    cql_expr            *initial;
} cql_create_aggregate;

typedef struct cql_create_trigger {
    cql_name name;
    cql_ref  table;
    corm_str class_name;
    bool     if_not_exists; /* DROP: IF EXISTS */
} cql_create_trigger;

/* CREATE, ALTER, DROP ROLE and USER; LIST ROLES and USERS; GRANT role; identities */
typedef struct cql_role {
    cql_name name; /* the role, user or identity */
    cql_name
        other; /* GRANT r TO other, REVOKE r FROM other, LIST ROLES OF name, ADD IDENTITY … TO other */
    bool      if_exists; /* or IF NOT EXISTS */
    bool      no_recursive;
    corm_str  password; /* data NULL: none */
    bool      hashed;
    uint8_t   superuser; /* 0 not said, 1 no, 2 yes */
    uint8_t   login;
    cql_expr *options;     /* MAP */
    uint8_t   datacenters; /* 0 not said, 1 ALL, 2 the list */
    uint32_t  datacenter_count;
    corm_str *datacenter_names;
    uint8_t   cidrs;
    uint32_t  cidr_count;
    corm_str *cidr_groups;
} cql_role;

typedef enum cql_resource_kind {
    CQL_RESOURCE_ALL_KEYSPACES,
    CQL_RESOURCE_KEYSPACE,
    CQL_RESOURCE_TABLE,
    CQL_RESOURCE_ALL_TABLES, /* IN KEYSPACE */
    CQL_RESOURCE_ALL_ROLES,
    CQL_RESOURCE_ROLE,
    CQL_RESOURCE_ALL_FUNCTIONS,
    CQL_RESOURCE_KEYSPACE_FUNCTIONS,
    CQL_RESOURCE_FUNCTION,
    CQL_RESOURCE_ALL_MBEANS,
    CQL_RESOURCE_MBEAN,
    CQL_RESOURCE_MBEANS
} cql_resource_kind;

typedef struct cql_permission { /* GRANT, REVOKE, LIST permissions */
    bool                 all;
    uint32_t             count;
    cql_name            *permissions; /* lower case: "select", "modify", "select_masked" … */
    bool                 has_resource;
    cql_resource_kind    resource;
    cql_ref              object; /* table, role, function; of keyspaces the keyspace alone */
    corm_str             mbean;
    uint32_t             argument_count;
    const cql_type_ast **argument_types;
    cql_name             role; /* TO, FROM, OF; may be absent in LIST */
    bool                 no_recursive;
} cql_permission;

typedef enum cql_describe_kind {
    CQL_DESCRIBE_CLUSTER,
    CQL_DESCRIBE_SCHEMA, /* full */
    CQL_DESCRIBE_KEYSPACES,
    CQL_DESCRIBE_KEYSPACE, /* only */
    CQL_DESCRIBE_TABLES,
    CQL_DESCRIBE_TABLE,
    CQL_DESCRIBE_INDEX,
    CQL_DESCRIBE_VIEW,
    CQL_DESCRIBE_TYPES,
    CQL_DESCRIBE_TYPE,
    CQL_DESCRIBE_FUNCTIONS,
    CQL_DESCRIBE_FUNCTION,
    CQL_DESCRIBE_AGGREGATES,
    CQL_DESCRIBE_AGGREGATE,
    CQL_DESCRIBE_GENERIC /* DESCRIBE [ks.]name */
} cql_describe_kind;

typedef struct cql_describe {
    cql_describe_kind kind;
    bool              full, only, internals;
    cql_ref           object; /* KEYSPACE: the keyspace alone, which may be absent */
} cql_describe;

typedef struct cql_drop {
    cql_ref              name; /* KEYSPACE: name.name */
    bool                 if_exists;
    bool                 has_arguments; /* DROP FUNCTION f(types) */
    uint32_t             argument_count;
    const cql_type_ast **argument_types;
} cql_drop;

/* X(KIND, member of the union, name as refused statements are called) */
#define CQL_STATEMENT_MAP(X)                                                                       \
    X(SELECT, select, "SELECT")                                                                    \
    X(INSERT, insert, "INSERT")                                                                    \
    X(UPDATE, update, "UPDATE")                                                                    \
    X(DELETE, delete_, "DELETE")                                                                   \
    X(BATCH, batch, "BATCH")                                                                       \
    X(USE, drop, "USE")                                                                            \
    X(TRUNCATE, drop, "TRUNCATE")                                                                  \
    X(CREATE_KEYSPACE, keyspace, "CREATE KEYSPACE")                                                \
    X(ALTER_KEYSPACE, keyspace, "ALTER KEYSPACE")                                                  \
    X(DROP_KEYSPACE, drop, "DROP KEYSPACE")                                                        \
    X(CREATE_TABLE, create_table, "CREATE TABLE")                                                  \
    X(ALTER_TABLE, alter_table, "ALTER TABLE")                                                     \
    X(DROP_TABLE, drop, "DROP TABLE")                                                              \
    X(CREATE_TYPE, create_type, "CREATE TYPE")                                                     \
    X(ALTER_TYPE, alter_table, "ALTER TYPE")                                                       \
    X(DROP_TYPE, drop, "DROP TYPE")                                                                \
    X(CREATE_INDEX, create_index, "CREATE INDEX")                                                  \
    X(DROP_INDEX, drop, "DROP INDEX")                                                              \
    X(CREATE_VIEW, create_view, "CREATE MATERIALIZED VIEW")                                        \
    X(ALTER_VIEW, alter_table, "ALTER MATERIALIZED VIEW")                                          \
    X(DROP_VIEW, drop, "DROP MATERIALIZED VIEW")                                                   \
    X(CREATE_FUNCTION, create_function, "CREATE FUNCTION")                                         \
    X(DROP_FUNCTION, drop, "DROP FUNCTION")                                                        \
    X(CREATE_AGGREGATE, create_aggregate, "CREATE AGGREGATE")                                      \
    X(DROP_AGGREGATE, drop, "DROP AGGREGATE")                                                      \
    X(CREATE_TRIGGER, trigger, "CREATE TRIGGER")                                                   \
    X(DROP_TRIGGER, trigger, "DROP TRIGGER")                                                       \
    X(CREATE_ROLE, role, "CREATE ROLE")                                                            \
    X(ALTER_ROLE, role, "ALTER ROLE")                                                              \
    X(DROP_ROLE, role, "DROP ROLE")                                                                \
    X(CREATE_USER, role, "CREATE USER")                                                            \
    X(ALTER_USER, role, "ALTER USER")                                                              \
    X(DROP_USER, role, "DROP USER")                                                                \
    X(LIST_USERS, role, "LIST USERS")                                                              \
    X(LIST_ROLES, role, "LIST ROLES")                                                              \
    X(LIST_SUPERUSERS, role, "LIST SUPERUSERS")                                                    \
    X(GRANT_ROLE, role, "GRANT")                                                                   \
    X(REVOKE_ROLE, role, "REVOKE")                                                                 \
    X(ADD_IDENTITY, role, "ADD IDENTITY")                                                          \
    X(DROP_IDENTITY, role, "DROP IDENTITY")                                                        \
    X(GRANT_PERMISSION, permission, "GRANT")                                                       \
    X(REVOKE_PERMISSION, permission, "REVOKE")                                                     \
    X(LIST_PERMISSIONS, permission, "LIST PERMISSIONS")                                            \
    X(DESCRIBE, describe, "DESCRIBE")

typedef enum cql_statement_kind {
#define CQL_STATEMENT_ENUM(name, member, text) CQL_STMT_##name,
    CQL_STATEMENT_MAP(CQL_STATEMENT_ENUM)
#undef CQL_STATEMENT_ENUM
} cql_statement_kind;

struct cql_statement {
    cql_statement_kind kind;
    cql_place          place;
    uint32_t
        marker_count; /* of the whole statement; 0 in the statements of a batch, whose markers count through */
    union {
        cql_select           select;
        cql_insert           insert;
        cql_update           update;
        cql_delete           delete_;
        cql_batch            batch;
        cql_drop             drop;
        cql_create_keyspace  keyspace;
        cql_create_table     create_table;
        cql_alter_table      alter_table;
        cql_create_type      create_type;
        cql_create_index     create_index;
        cql_create_view      create_view;
        cql_create_function  create_function;
        cql_create_aggregate create_aggregate;
        cql_create_trigger   trigger;
        cql_role             role;
        cql_permission       permission;
        cql_describe         describe;
    } as;
};

/* "CREATE TABLE" … */
const char *cql__statement_name(cql_statement_kind kind);
/* LIST ROLES and its like; these, and statements that change roles, permissions and identities. */
bool cql__is_role_list(cql_statement_kind kind);
bool cql__is_role_statement(cql_statement_kind kind);

/* Whether the trees say the same, places aside. */
bool cql__ast_equal(const cql_statement *a, const cql_statement *b);
bool cql__expr_equal(const cql_expr *a, const cql_expr *b); /* NULL equals NULL */

#endif
