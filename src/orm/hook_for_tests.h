// SPDX-License-Identifier: MIT
/* hook_for_tests.h -- a model of notes, a db that has it, and the calls that several programs make. */
#ifndef ORM_HOOK_FOR_TESTS_H
#define ORM_HOOK_FOR_TESTS_H

#include "corm/hook.h"

#include <stdlib.h>

#include "base/fail.h"
#include "testing/doors.h"

typedef struct note {
    int32_t        author, id;
    char           text[32];
    corm_opt_int   stars;
    corm_set       tags;
    corm_timestamp deleted_at;
} note;

#define COL(member) CORM_COLUMN(note, member)
#define NOTE_FIELDS                                                                                \
    { COL(author), .key = CORM_PARTITION }, { COL(id), .key = CORM_CLUSTERING },                   \
        { COL(text), .validate = { .required = true } }, { COL(stars) },                           \
        { COL(tags), .cql = "set<text>" }, {                                                       \
        COL(deleted_at), .role = CORM_DELETED_AT, .skip_zero = true                                \
    }

static const corm_model notes = { .table = "notes",
                                  .row_size = sizeof(note),
                                  .fields = { NOTE_FIELDS } };
#undef COL

static inline note one_note(int32_t id) {
    note out = { 1, id, "one", { CORM_PRESENT, 1 }, { NULL, 0 }, { 0 } };
    return out;
}

typedef struct fixture {
    corm_db    *db;
    corm_error  err;
    note        row;
    corm_rows  *rows;
    corm_batch *batch;
} fixture;

static inline void run_cql(corm_db *db, const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_execute(corm_db_session(db), cql, NULL, { .error = &err }), err);
}

static inline corm_db *open_notes(void) {
    corm_db        *db = NULL;
    corm_error      err = { 0 };
    corm_db_options options = { .session = { .keyspace = "hooks", .create_keyspace = true },
                                .error = &err };
    assert_ok(corm_db_open(&db, testing__fresh("hooks"), &options), err);
    assert_ok(corm_load(db, &notes, &err), err);
    return db;
}

static inline corm_status do_insert(fixture *f) {
    return corm_insert(f->db, &notes, &f->row, { .error = &f->err });
}
static inline corm_status do_delete_where(fixture *f) {
    return corm_delete_where(f->db, &notes,
                             { .where = { corm_eq("author", 1) }, .error = &f->err });
}

static inline corm_status do_find(fixture *f) {
    return corm_find(f->db, &notes, &f->rows,
                     { .where = { corm_eq("author", 1) }, .error = &f->err });
}
static inline corm_status do_query(fixture *f) {
    return corm_query(f->db, &notes, "SELECT * FROM notes WHERE author = 1", &f->rows,
                      { .error = &f->err });
}

#endif
