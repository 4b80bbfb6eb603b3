// SPDX-License-Identifier: MIT
/* migrate.h -- a schema that evolves: migrations in order, each applied once, by whichever process comes first.
 *
 *   static const corm_changeset add_preferences = {
 *       .id = "001_add_user_preferences",
 *       .description = "Add preferences column",
 *       .up = {
 *           CORM_ADD_COLUMN("users", "preferences", "map<text, text>"),
 *           CORM_CREATE_INDEX("users_prefs_idx", "users", "preferences"),
 *       },
 *       .validate = preferences_are_there,
 *   };
 *
 *   corm_migrator_open(&migrator, session, &(corm_migrator_options){ .dir = "migrations" }, &err);
 *   corm_migrator_add(migrator, &add_preferences, &err);
 *   corm_migrator_up(migrator, &report, NULL);
 *
 * Migrations come from changesets of the program and from files NAME.cql of a directory, and are ordered by their ids (a
 * file's is its name without ".cql"), byte by byte; write numbers with leading zeros. The history is kept in the table
 * corm_migrations of the keyspace. One process works at a time: it holds a lease that it renews, and each of its writes to
 * the history is conditional on it. docs/migrations.md says what happens when it is killed, and the form of files.
 *
 * A migrator is used by one thread at a time. */
#ifndef CORM_MIGRATE_H
#define CORM_MIGRATE_H

#include "corm/db.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_migrator corm_migrator;

/* ---- changesets: migrations in C ---- */

typedef enum corm_step_kind {
    CORM_STEP_NONE = 0,
    CORM_STEP_CQL,  /* text: any one statement */
    CORM_STEP_CALL, /* call: a function of the program, such as one that fills a new column */
    CORM_STEP_CREATE_TABLE, /* object, text: what stands in the parentheses, rest: options, may be NULL */
    CORM_STEP_DROP_TABLE,    /* object */
    CORM_STEP_ADD_COLUMN,    /* object, name, text: its type */
    CORM_STEP_DROP_COLUMN,   /* object, name */
    CORM_STEP_RENAME_COLUMN, /* object, name, text: the new name; of the primary key only */
    CORM_STEP_SET_OPTIONS,   /* object, text: "gc_grace_seconds = 3600 AND …" */
    CORM_STEP_CREATE_INDEX, /* name, object, text: the column or "keys(column)", rest: its class, may be NULL */
    CORM_STEP_DROP_INDEX,   /* name */
    CORM_STEP_CREATE_TYPE,  /* object, text: its fields */
    CORM_STEP_DROP_TYPE,    /* object */
    CORM_STEP_ADD_FIELD,    /* object, name, text: its type */
    CORM_STEP_RENAME_FIELD, /* object, name, text: the new name */
    CORM_STEP_CREATE_VIEW,  /* object, text: what follows AS */
    CORM_STEP_DROP_VIEW     /* object */
} corm_step_kind;

/* A step of the program's own. The session is the migrator's. It must do no harm when it runs twice: a process that was
 * killed inside is followed by another that begins it again. */
typedef corm_status (*corm_step_function)(corm_session *session, void *context, corm_error *err);

/* Made by the macros below; names are CQL names, quoted where they need it. */
typedef struct corm_step {
    corm_step_kind     kind;
    const char        *object, *name, *text, *rest;
    corm_step_function call;
    void              *context;
} corm_step;

#define CORM_CQL(statement)                                                                        \
    { .kind = CORM_STEP_CQL, .text = (statement) }
#define CORM_CALL(function, with)                                                                  \
    { .kind = CORM_STEP_CALL, .call = (function), .context = (with) }
#define CORM_CREATE_TABLE(table, columns, options)                                                 \
    { .kind = CORM_STEP_CREATE_TABLE, .object = (table), .text = (columns), .rest = (options) }
#define CORM_DROP_TABLE(table)                                                                     \
    { .kind = CORM_STEP_DROP_TABLE, .object = (table) }
#define CORM_ADD_COLUMN(table, column, type)                                                       \
    { .kind = CORM_STEP_ADD_COLUMN, .object = (table), .name = (column), .text = (type) }
#define CORM_DROP_COLUMN(table, column)                                                            \
    { .kind = CORM_STEP_DROP_COLUMN, .object = (table), .name = (column) }
#define CORM_RENAME_COLUMN(table, column, to)                                                      \
    { .kind = CORM_STEP_RENAME_COLUMN, .object = (table), .name = (column), .text = (to) }
#define CORM_SET_OPTIONS(table, options)                                                           \
    { .kind = CORM_STEP_SET_OPTIONS, .object = (table), .text = (options) }
#define CORM_CREATE_INDEX(index, table, column)                                                    \
    { .kind = CORM_STEP_CREATE_INDEX, .object = (table), .name = (index), .text = (column) }
#define CORM_CREATE_INDEX_USING(index, table, column, class)                                       \
    {                                                                                              \
        .kind = CORM_STEP_CREATE_INDEX, .object = (table), .name = (index), .text = (column),      \
        .rest = (class)                                                                            \
    }
#define CORM_DROP_INDEX(index)                                                                     \
    { .kind = CORM_STEP_DROP_INDEX, .name = (index) }
#define CORM_CREATE_TYPE(type, fields)                                                             \
    { .kind = CORM_STEP_CREATE_TYPE, .object = (type), .text = (fields) }
#define CORM_DROP_TYPE(type)                                                                       \
    { .kind = CORM_STEP_DROP_TYPE, .object = (type) }
#define CORM_ADD_FIELD(type, field, of_type)                                                       \
    { .kind = CORM_STEP_ADD_FIELD, .object = (type), .name = (field), .text = (of_type) }
#define CORM_RENAME_FIELD(type, field, to)                                                         \
    { .kind = CORM_STEP_RENAME_FIELD, .object = (type), .name = (field), .text = (to) }
#define CORM_CREATE_VIEW(view, select)                                                             \
    { .kind = CORM_STEP_CREATE_VIEW, .object = (view), .text = (select) }
#define CORM_DROP_VIEW(view)                                                                       \
    { .kind = CORM_STEP_DROP_VIEW, .object = (view) }

enum { CORM_MAX_STEPS = 32 };

typedef struct corm_changeset {
    const char *id;
    const char *description;
    corm_step   up[CORM_MAX_STEPS];
    /* How it is taken back; none: worked out from what it changed, which is possible when it lost nothing and has no
     * functions and no writes. */
    corm_step down[CORM_MAX_STEPS];
    /* Runs after `up`, and again each time it is resumed. Another status than CORM_OK: the migration failed, and is resumed here by the
     * next run. */
    corm_step_function validate;
    void              *context; /* of validate */
} corm_changeset;

/* ---- a migrator ---- */

/* Zero means default; texts are copied. */
typedef struct corm_migrator_options {
    const char *keyspace; /* default: the session's. It must exist */
    const char *dir;      /* of files NAME.cql; default: none */
    const char *
        name; /* of this history, when several programs keep theirs in one keyspace. default: "default" */
    uint32_t
        lease_ms; /* a process that stopped holds others up for so long; whole seconds. default: 15000 */
    uint32_t wait_ms; /* how long to wait for another process. default: 120000 */
    /* Told of each step when it begins, on the caller's thread. */
    void (*notice)(void *context, const char *text);
    void    *notice_context;
    uint32_t _canary; /* must stay 0 */
} corm_migrator_options;

/* Reads the files. On success *out is released by corm_migrator_close(), before the session is closed. Every error of every file
 * is in the message, with file and line: CORM_SYNTAX_ERROR; CORM_INVALID_ARGUMENT (options, a file's form), CORM_IO. */
CORM_API CORM_CHECKED corm_status corm_migrator_open(corm_migrator **out, corm_session *session,
                                                     const corm_migrator_options *options,
                                                     corm_error                  *err);
CORM_API void corm_migrator_close(corm_migrator *migrator); /* NULL is ignored */

/* Adds a migration of the program; `changeset` must live as long as the migrator. CORM_INVALID_ARGUMENT: no id, an id
 * that is there already, a step without what it needs. */
CORM_API CORM_CHECKED corm_status corm_migrator_add(corm_migrator        *migrator,
                                                    const corm_changeset *changeset,
                                                    corm_error           *err);

/* ---- what was and what will be ---- */

typedef enum corm_migration_state {
    CORM_MIGRATION_PENDING = 0,
    CORM_MIGRATION_APPLYING, /* begun and not finished: a process is at it, or was killed, or it failed */
    CORM_MIGRATION_APPLIED,
    CORM_MIGRATION_UNDOING, /* as APPLYING, on its way back */
    CORM_MIGRATION_BASELINE /* said to be applied by corm_migrator_baseline() */
} corm_migration_state;

typedef struct corm_migration_info {
    const char          *id, *description;
    corm_migration_state state;
    bool                 changed;     /* the migration is not what was applied: another checksum */
    bool                 missing;     /* it is in the history, but in no file and no changeset */
    uint32_t             step, steps; /* of APPLYING and UNDOING: where it is */
    char
        checksum[65]; /* SHA-256 of its statements, hexadecimal; of the history, when it is there */
    corm_timestamp started_at, finished_at; /* 0: not yet */
    const char    *host;                    /* of the process that did it, "name:pid" */
    const char    *failure;                 /* why it stopped, or NULL */
} corm_migration_info;

typedef struct corm_migration_list {
    uint32_t             count;
    corm_migration_info *items; /* by id */
} corm_migration_list;

CORM_API CORM_CHECKED corm_status corm_migrator_status(corm_migrator        *migrator,
                                                       corm_migration_list **out, corm_error *err);
CORM_API void                     corm_migration_list_free(corm_migration_list *list);

/* ---- going up and down ---- */

typedef struct corm_migrate_options {
    const char  *
        to; /* the last one to apply; down: the last one to keep, "" keeps none. default: all; down: all but the newest */
    bool allow_destructive; /* steps that lose data: DROP of tables and columns, TRUNCATE, DELETE */
    bool
        dry_run; /* says what would be done, by the notice and in *report, and does nothing; up: also whether it would work */
    /* Migrations below one that was applied already (a branch that was merged late) are refused unless this says that order
     * does not matter. */
    bool        out_of_order;
    corm_error *error;
    uint32_t    _canary;
} corm_migrate_options;

/* Applies what is pending, in order, and resumes what was begun. *report (may be NULL) lists what was applied by this call,
 * released by corm_migration_list_free(); it is made in any case but failure to make it. Errors, in `options->error`:
 *   CORM_VALIDATION      a step would not work or lose data, found before anything was done; or validate() said no
 *   CORM_SCHEMA_MISMATCH a migration changed after it was applied, or the schema was changed by somebody else meanwhile
 *   CORM_TIMEOUT         another process held the lease for all of wait_ms
 *   CORM_LEASE_LOST      this process was too slow to renew its lease; another one goes on
 *   what a statement failed with; its migration stays APPLYING and is resumed by the next call */
CORM_API CORM_CHECKED corm_status corm_migrator_up(corm_migrator              *migrator,
                                                   corm_migration_list       **report,
                                                   const corm_migrate_options *options);
/* Takes back the newest applied migration, or all behind options->to, newest first. */
CORM_API CORM_CHECKED corm_status corm_migrator_down(corm_migrator              *migrator,
                                                     corm_migration_list       **report,
                                                     const corm_migrate_options *options);

/* *plan (one malloc'ed text, the caller's to free()) is what corm_migrator_up() would execute, as a CQL script with comments. */
CORM_API CORM_CHECKED corm_status corm_migrator_plan(corm_migrator *migrator, char **plan,
                                                     const corm_migrate_options *options);

/* Writes into the history that everything up to and with `id` was applied, without doing it: for a keyspace that was there
 * before. CORM_NOT_FOUND: no such migration; CORM_ALREADY_EXISTS: the history is not empty. */
CORM_API CORM_CHECKED corm_status corm_migrator_baseline(corm_migrator *migrator, const char *id,
                                                         corm_error *err);

/* Compares the history with files and changesets, and the schema with what the last migration left: *drift (malloc'ed, the
 * caller's to free()) is empty when all agrees, else says line by line what does not, with the statements that would bring the
 * schema back. */
CORM_API CORM_CHECKED corm_status corm_migrator_verify(corm_migrator *migrator, char **drift,
                                                       corm_error *err);

/* ---- differences ---- */

/* What it takes to make the keyspace as it is wanted: a schema in CQL (CREATE statements), or models, or both. *script (malloc'ed, the
 * caller's to free()) is a CQL script; a statement that loses data has the comment "-- destructive: …" above it, what no
 * statement can do (another key, another type) is a comment "-- not possible: …". Tables that are not wanted are dropped only
 * when `with_drops`. Empty: there is no difference. */
CORM_API CORM_CHECKED corm_status
corm_schema_diff(corm_session *session, const char *keyspace, corm_str wanted_cql,
                 const corm_model *const *models, /* ended by NULL, or NULL */
                 bool with_drops, char **script, corm_error *err);

#ifdef __cplusplus
}
#endif
#endif
