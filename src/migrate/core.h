// SPDX-License-Identifier: MIT
/* core.h -- what the files of this folder share: migrations read, schemas as scripts, the history and its lease. */
#ifndef MIGRATE_CORE_H
#define MIGRATE_CORE_H

#include "base/buf.h"
#include "base/fail.h"
#include "corm/migrate.h"
#include "cql/schema.h"

/* ---- migrations: unit.c, file.c ---- */

/* One statement, or one function of the program. */
typedef struct migrate_step {
    const cql_statement *statement; /* NULL: a call */
    corm_str           text;  /* canonical CQL, or what is shown of a call; ends with a zero byte */
    corm_str           place; /* where it was written, for messages */
    corm_step_function call;
    void              *context;
} migrate_step;

typedef struct migrate_steps {
    uint32_t      count, capacity;
    migrate_step *items;
} migrate_steps;

typedef struct migrate_unit {
    corm_str           id, description; /* end with a zero byte */
    migrate_steps      up, down;
    bool               has_down; /* also when it has no steps */
    corm_step_function validate;
    void              *context;
    char               checksum[65];
} migrate_unit;

struct corm_migrator {
    corm_session *session;
    base_arena    arena;
    corm_str      keyspace, name; /* end with a zero byte */
    uint32_t      lease_s, wait_ms;
    void (*notice)(void *context, const char *text);
    void          *notice_context;
    uint32_t       count, capacity;
    migrate_unit **units; /* by id */
    corm_uuid      me;    /* owns the lease, when it is held */
    corm_str       host;  /* "name:pid" */
};

void migrate__notice(const corm_migrator *migrator, const char *format, ...) CORM_PRINTF(2, 3);

/* Puts a unit into its place; CORM_INVALID_ARGUMENT when its id is there. */
CORM_CHECKED corm_status migrate__add(corm_migrator *migrator, migrate_unit *unit, corm_error *err);
/* NULL: none. */
const migrate_unit *migrate__unit(const corm_migrator *migrator, corm_str id);

/* Parses the statement and adds it. `place` lives as long as the arena. */
CORM_CHECKED corm_status migrate__add_statement(migrate_steps *steps, base_arena *arena,
                                                corm_str text, corm_str place, corm_error *err);
/* A unit of a changeset. */
CORM_CHECKED corm_status migrate__unit_new(base_arena *arena, const corm_changeset *changeset,
                                           migrate_unit **out, corm_error *err);
/* Appends the texts of the first `count` steps, each ended by ";\n". */
void migrate__script(const migrate_steps *steps, uint32_t count, base_buf *out);
/* Fills in the checksum: of the texts of `up` and `down`, so that comments and white space do not count. */
CORM_CHECKED corm_status migrate__seal(migrate_unit *unit, corm_error *err);
/* Reads every NAME.cql of the directory. */
CORM_CHECKED corm_status migrate__read_dir(corm_migrator *migrator, const char *dir,
                                           corm_error *err);
/* A unit of a file's text; `path` is for messages. */
CORM_CHECKED corm_status migrate__parse_file(base_arena *arena, corm_str id, corm_str path,
                                             corm_str text, migrate_unit **out, corm_error *err);

/* ---- schemas: snapshot.c ---- */

/* A keyspace at one time: as a schema, and what the server describes but Corm does not make (functions, triggers …) as text. */
typedef struct migrate_snapshot {
    base_arena  arena; /* of the trees and texts */
    corm_str    keyspace;
    cql_schema *schema;
    base_buf    others;
    /* The statements that made it, which say what options were written. */
    uint32_t              count, capacity;
    const cql_statement **statements;
} migrate_snapshot;

void migrate__snapshot_free(migrate_snapshot *snapshot);
/* As it is now, by DESCRIBE KEYSPACE, without Corm's own tables (corm_…). */
CORM_CHECKED corm_status migrate__snapshot_live(corm_session *session, corm_str keyspace,
                                                migrate_snapshot *out, corm_error *err);
/* From CREATE statements; one for the keyspace is not needed. `what` is for messages. */
CORM_CHECKED corm_status migrate__snapshot_parse(corm_str keyspace, corm_str text, const char *what,
                                                 migrate_snapshot *out, corm_error *err);
/* The same schema, to be changed apart. */
CORM_CHECKED corm_status migrate__snapshot_copy(const migrate_snapshot *from, migrate_snapshot *out,
                                                corm_error *err);
/* Applies a statement that changes the schema; others do nothing. */
CORM_CHECKED corm_status migrate__snapshot_apply(migrate_snapshot    *snapshot,
                                                 const cql_statement *statement, corm_error *err);
/* Appends the statements that make it, one behind the other. */
void migrate__snapshot_print(const migrate_snapshot *snapshot, base_buf *out);
/* Whether both have the same tables, columns, types, indexes and views; options are not looked at: servers have defaults of
 * their own. */
CORM_CHECKED corm_status migrate__snapshot_same(const migrate_snapshot *a,
                                                const migrate_snapshot *b, bool *same,
                                                corm_error *err);

/* The keyspace as an object of the schema. */
const cql_keyspace *migrate__snapshot_keyspace(const migrate_snapshot *snapshot);
/* Whether two types read the same; a user-defined type's fields are its own affair. */
bool migrate__same_type(const cql_type *a, const cql_type *b);
bool migrate__is_schema_change(const cql_statement *statement);
/* Why the statement loses data ("drops column a of table t"), or NULL. */
const char *migrate__loses(const cql_statement *statement, base_arena *arena);

/* ---- differences: diff.c, diff_table.c ---- */

typedef struct migrate_difference {
    corm_str cql;   /* without semicolon; empty: no statement can do it */
    corm_str about; /* why it loses data, or is not possible; empty */
} migrate_difference;

typedef struct migrate_differences {
    base_arena          arena;
    uint32_t            count, capacity;
    migrate_difference *items;
} migrate_differences;

/* What makes `is` like `wanted`, in an order that works. */
CORM_CHECKED corm_status migrate__diff(const migrate_snapshot *is, const migrate_snapshot *wanted,
                                       bool with_drops, migrate_differences *out, corm_error *err);
void                     migrate__differences_free(migrate_differences *differences);
void migrate__differences_print(const migrate_differences *differences, base_buf *out);

/* ---- the history: history.c, lease.c ---- */

typedef struct migrate_record {
    corm_migration_info info;   /* its texts live in the history's arena */
    corm_str            before; /* the schema before it began, as a script */
    corm_str            after;  /* when it ended */
    corm_str script; /* its steps when it began, one behind the other: see migrate__script */
    corm_str
        known; /* the schema before step `known_step`, where a function was called; else empty */
    uint32_t               known_step;
    struct migrate_record *next;
} migrate_record;

typedef struct migrate_history {
    base_arena      arena;
    uint32_t        count;
    migrate_record *first; /* by id */
} migrate_history;

/* Makes the table when it is missing. */
CORM_CHECKED corm_status migrate__history_open(corm_migrator *migrator, corm_error *err);
/* Reads it at serial consistency; empty when there is no table. */
CORM_CHECKED corm_status migrate__history_read(corm_migrator *migrator, migrate_history *out,
                                               corm_error *err);
void                     migrate__history_free(migrate_history *history);
migrate_record          *migrate__history_find(const migrate_history *history, corm_str id);

/* The right to work, renewed by a thread of its own until it is given back. */
typedef struct migrate_lease migrate_lease;
/* Waits up to wait_ms; CORM_TIMEOUT names who holds it. */
CORM_CHECKED corm_status migrate__lease_take(corm_migrator *migrator, migrate_lease **out,
                                             corm_error *err);
void                     migrate__lease_give(migrate_lease *lease); /* NULL is ignored */
/* CORM_LEASE_LOST when it could not be renewed. */
CORM_CHECKED corm_status migrate__lease_check(migrate_lease *lease, corm_error *err);
int64_t                  migrate__lease_token(const migrate_lease *lease);

/* Writes into the history, each on condition that the lease is held: CORM_LEASE_LOST. `known`: the schema before the step,
 * where it cannot be worked out from `before`; data NULL: what is written of it stays. */
typedef struct migrate_writer {
    corm_migrator *migrator;
    migrate_lease *lease;
} migrate_writer;
CORM_CHECKED corm_status migrate__history_begin(const migrate_writer *to, const migrate_unit *unit,
                                                corm_migration_state state,
                                                const migrate_steps *steps, uint32_t step,
                                                corm_str before, corm_str known, corm_error *err);
CORM_CHECKED corm_status migrate__history_step(const migrate_writer *to, corm_str id, uint32_t step,
                                               corm_str known, corm_error *err);
CORM_CHECKED corm_status migrate__history_fail(const migrate_writer *to, corm_str id,
                                               const char *why, corm_error *err);
CORM_CHECKED corm_status migrate__history_end(const migrate_writer *to, corm_str id, corm_str after,
                                              corm_error *err);
CORM_CHECKED corm_status migrate__history_baseline(const migrate_writer *to,
                                                   const migrate_unit *unit, corm_str after,
                                                   corm_error *err);
CORM_CHECKED corm_status migrate__history_remove(const migrate_writer *to, corm_str id,
                                                 corm_error *err);

/* ---- going up and down: plan.c, step.c ---- */

/* What is to be done, checked against the history; in order. */
typedef struct migrate_plan {
    migrate_history      history;
    base_arena           arena;
    uint32_t             count;
    const migrate_unit **units;
    migrate_record     **records; /* of each unit; NULL: not begun */
} migrate_plan;

void migrate__plan_free(migrate_plan *plan);
/* Reads the history and finds what is pending (CORM_SCHEMA_MISMATCH, CORM_NOT_FOUND, CORM_INVALID_ARGUMENT), or what is to be
 * taken back. */
CORM_CHECKED corm_status migrate__plan_up(corm_migrator              *migrator,
                                          const corm_migrate_options *options, migrate_plan *out,
                                          corm_error *err);
CORM_CHECKED corm_status migrate__plan_down(corm_migrator              *migrator,
                                            const corm_migrate_options *options, migrate_plan *out,
                                            corm_error *err);
/* Goes through the steps of all units on a copy of the live schema: CORM_VALIDATION names the first that would not work, or would
 * lose data without being allowed to. */
CORM_CHECKED corm_status migrate__rehearse(corm_migrator *migrator, const migrate_plan *plan,
                                           bool allow_destructive, corm_error *err);
CORM_CHECKED corm_status migrate__check_loss(const migrate_step *step, bool allow, corm_error *err);

/* Executes one migration's steps from where its record says, and ends its record. */
CORM_CHECKED corm_status migrate__apply(const migrate_writer *to, const migrate_unit *unit,
                                        const migrate_record *record, corm_error *err);
CORM_CHECKED corm_status migrate__take_back(const migrate_writer *to, const migrate_unit *unit,
                                            const migrate_record *record, bool allow_destructive,
                                            corm_error *err);

#endif
