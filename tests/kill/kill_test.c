// SPDX-License-Identifier: MIT
/* kill_test.c -- WRITERS threads under load, beside one that scans, are killed again and again (killing.h), 200 times.
 *
 * A writer's operations touch its own rows only. So what must be there is the model after all acknowledged operations, or after one
 * more: the one under way. Nothing else passes: no lost write, no half of a batch, no old value. */
#include <pthread.h>
#include <string.h>

#include "killing.h"

enum { WRITERS = 4, KEYS = 12, TAGS = 3, MOST_ACKS = 140, NONE = -1 };

/* What a writer's rows hold: values are NONE where there is none. */
typedef struct model {
    uint32_t number; /* the writer's */
    uint32_t next;   /* operation */
    int32_t  a[KEYS], tag[KEYS];
    int32_t  b[KEYS];
    int64_t  counter;
    bool     has_table, has_index; /* its own table; the index on b, of writer 0 */
} model;

/* ---- operations ---- */

/* The model before, and the statement: how it is written is how it changes the model. */
typedef struct operation {
    model   *on;
    int32_t  key, value;
    uint32_t pad; /* characters of a text */
    char     text[400];
    bool     pads, is_conditional;
} operation;

static void insert_a(operation *op) {
    op->on->a[op->key] = op->value;
    op->on->tag[op->key] = op->value % TAGS;
    snprintf(op->text, sizeof op->text, "INSERT INTO k.a (t, k, v, tag) VALUES (%u, %d, %d, %d)",
             op->on->number, op->key, op->value, op->value % TAGS);
}

static void update_a(operation *op) {
    op->on->a[op->key] = op->value;
    snprintf(op->text, sizeof op->text, "UPDATE k.a SET v = %d WHERE t = %u AND k = %d", op->value,
             op->on->number, op->key);
}

static void delete_a(operation *op) {
    op->on->a[op->key] = op->on->tag[op->key] = NONE;
    snprintf(op->text, sizeof op->text, "DELETE FROM k.a WHERE t = %u AND k = %d", op->on->number,
             op->key);
}

static void delete_range(operation *op) {
    int32_t end = op->key + 3;
    for (int32_t k = op->key; k < end && k < KEYS; k++) op->on->a[k] = op->on->tag[k] = NONE;
    snprintf(op->text, sizeof op->text, "DELETE FROM k.a WHERE t = %u AND k >= %d AND k < %d",
             op->on->number, op->key, end);
}

static void delete_partition(operation *op) {
    for (int32_t k = 0; k < KEYS; k++) op->on->a[k] = op->on->tag[k] = NONE;
    snprintf(op->text, sizeof op->text, "DELETE FROM k.a WHERE t = %u", op->on->number);
}

static void write_both(operation *op) {
    op->on->a[op->key] = op->on->b[op->key] = op->value;
    op->on->tag[op->key] = op->value % TAGS;
    op->pads = true;
    snprintf(op->text, sizeof op->text,
             "BEGIN BATCH INSERT INTO k.a (t, k, v, tag) VALUES (%u, %d, %d, %d); "
             "UPDATE k.b SET v = %d, pad = ? WHERE t = %u AND k = %d; APPLY BATCH",
             op->on->number, op->key, op->value, op->value % TAGS, op->value, op->on->number,
             op->key);
}

static void delete_both(operation *op) {
    op->on->a[op->key] = op->on->tag[op->key] = op->on->b[op->key] = NONE;
    snprintf(
        op->text, sizeof op->text,
        "BEGIN BATCH DELETE FROM k.a WHERE t = %u AND k = %d; DELETE FROM k.b WHERE t = %u AND k = %d; "
        "APPLY BATCH",
        op->on->number, op->key, op->on->number, op->key);
}

static void write_b(operation *op) {
    op->on->b[op->key] = op->value;
    op->pads = true;
    snprintf(op->text, sizeof op->text, "INSERT INTO k.b (t, k, v, pad) VALUES (%u, %d, %d, ?)",
             op->on->number, op->key, op->value);
}

static void count(operation *op) {
    op->on->counter += op->key - 2;
    snprintf(op->text, sizeof op->text, "UPDATE k.c SET n = n + %d WHERE t = %u", op->key - 2,
             op->on->number);
}

/* Gone after a second: what is left of it is reclaimed between other writes. */
static void write_expiring(operation *op) {
    snprintf(op->text, sizeof op->text, "INSERT INTO k.e (t, k, v) VALUES (%u, %d, %d) USING TTL 1",
             op->on->number, op->key, op->value);
}

static void swap_a(operation *op) {
    int32_t before = op->on->a[op->key];
    char    expected[16] = "null";
    if (before != NONE) snprintf(expected, sizeof expected, "%d", before);
    op->on->a[op->key] = op->value;
    op->is_conditional = true;
    snprintf(op->text, sizeof op->text, "UPDATE k.a SET v = %d WHERE t = %u AND k = %d IF v = %s",
             op->value, op->on->number, op->key, expected);
}

static void change_schema(operation *op) {
    bool *index = &op->on->has_index, *table = &op->on->has_table;
    if (op->on->number == 0 && op->key % 2 == 0) {
        snprintf(op->text, sizeof op->text,
                 *index ? "DROP INDEX k.b_v" : "CREATE INDEX b_v ON k.b (v)");
        *index = !*index;
    } else {
        snprintf(op->text, sizeof op->text,
                 *table ? "DROP TABLE k.d%u" : "CREATE TABLE k.d%u (id int PRIMARY KEY)",
                 op->on->number);
        *table = !*table;
    }
}

static void (*const kinds[])(operation *op) = {
    insert_a,   insert_a,   insert_a,   update_a,       update_a,     delete_a,
    write_both, write_both, write_both, write_b,        write_b,      delete_both,
    count,      count,      swap_a,     write_expiring, delete_range,
};

/* Makes the writer's next operation, and changes the model by it. */
static void next_operation(model *on, operation *op) {
    uint64_t random = killing_mix(on->number + 1, on->next);
    *op = (operation){ .on = on, .key = (int32_t)(random % KEYS), .value = (int32_t)on->next };
    op->pad = (uint32_t)(random >> 8) % 64 == 0 ? 20000 : (uint32_t)(random >> 16) % 300;
    unsigned rare = (unsigned)(random >> 32) % 160;
    on->next++;
    if (rare == 0) {
        change_schema(op);
    } else if (rare < 3) {
        delete_partition(op);
    } else {
        kinds[(random >> 40) % (sizeof kinds / sizeof *kinds)](op);
    }
}

/* ---- the child ---- */

typedef struct writer {
    model         state;
    corm_session *session;
    int           pipe;
} writer;

static char letters[20001];

static void execute(corm_session *session, const operation *op) {
    corm_result         *result = NULL;
    corm_error           err = { 0 };
    corm_value           pad = corm_of_str((corm_str){ letters, op->pad });
    corm_execute_options options = { .error = &err };
    if (op->pads) {
        options.value_list = &pad;
        options.value_count = 1;
    }
    if (corm_execute_with(session, op->text, &options, &result) != CORM_OK)
        give_up(op->text, err.message);
    if (op->is_conditional && !corm_result_applied(result)) give_up(op->text, "was not applied");
    corm_result_free(result);
}

static void *write_for_ever(void *context) {
    writer *self = context;
    for (;;) {
        operation op;
        uint32_t  number = self->state.next;
        next_operation(&self->state, &op);
        execute(self->session, &op);
        tell(self->pipe, self->state.number, number);
    }
    return NULL;
}

static void *read_for_ever(void *session) {
    for (;;) execute(session, &(operation){ .text = "SELECT * FROM k.a" });
    return NULL;
}

static void write_to(corm_session *session, const void *models, int pipe) {
    static writer writers[WRITERS];
    const model  *states = models;
    pthread_t     thread;
    memset(letters, 'p', sizeof letters - 1);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){ states[i], session, pipe };
        if (pthread_create(&thread, NULL, write_for_ever, &writers[i]) != 0) give_up("thread", "");
    }
    if (pthread_create(&thread, NULL, read_for_ever, session) != 0) give_up("thread", "");
}

/* ---- the parent: what is there ---- */

static int32_t int_or_none(const corm_row *row, uint32_t index) {
    return corm_row_is_null(row, index) ? NONE : corm_row_int(row, index);
}

static corm_result *ask(corm_session *session, const char *text, uint32_t number) {
    corm_result *result;
    corm_error   err = { 0 };
    char         cql[200];
    snprintf(cql, sizeof cql, text, number);
    corm_execute_options options = { .error = &err };
    assert_ok(corm_execute_with(session, cql, &options, &result), err);
    return result;
}

static void read_rows(corm_session *session, model *out) {
    const corm_row *row;
    corm_result    *result = ask(session, "SELECT k, v, tag FROM k.a WHERE t = %u", out->number);
    while ((row = corm_result_next(result))) {
        out->a[corm_row_int(row, 0)] = int_or_none(row, 1);
        out->tag[corm_row_int(row, 0)] = int_or_none(row, 2);
    }
    corm_result_free(result);
    result = ask(session, "SELECT k, v FROM k.b WHERE t = %u", out->number);
    while ((row = corm_result_next(result))) out->b[corm_row_int(row, 0)] = int_or_none(row, 1);
    corm_result_free(result);
    result = ask(session, "SELECT n FROM k.c WHERE t = %u", out->number);
    while ((row = corm_result_next(result))) out->counter = corm_row_bigint(row, 0);
    corm_result_free(result);
}

static bool has_rows(corm_session *session, const char *text, uint32_t number) {
    corm_result *result = ask(session, text, number);
    bool         found = corm_result_next(result) != NULL;
    corm_result_free(result);
    return found;
}

static void read_model(corm_session *session, uint32_t number, model *out) {
    *out = (model){ .number = number };
    for (int k = 0; k < KEYS; k++) out->a[k] = out->tag[k] = out->b[k] = NONE;
    read_rows(session, out);
    out->has_table = has_rows(
        session,
        "SELECT id FROM system_schema.tables WHERE keyspace_name = 'k' AND table_name = 'd%u'",
        number);
    out->has_index =
        number == 0 &&
        has_rows(session,
                 "SELECT index_name FROM system_schema.indexes WHERE keyspace_name = 'k' "
                 "AND table_name = 'b'",
                 0);
}

static bool same(const model *a, const model *b) {
    return memcmp(a->a, b->a, sizeof a->a) == 0 && memcmp(a->tag, b->tag, sizeof a->tag) == 0 &&
           memcmp(a->b, b->b, sizeof a->b) == 0 && a->counter == b->counter &&
           a->has_table == b->has_table && a->has_index == b->has_index;
}

static void explain(const model *found, const model *expected) {
    for (int k = 0; k < KEYS; k++)
        print_error("  k %d: a %d tag %d b %d, expected a %d tag %d b %d\n", k, found->a[k],
                    found->tag[k], found->b[k], expected->a[k], expected->tag[k], expected->b[k]);
    print_error("  counter %lld, expected %lld; table %d, expected %d; index %d, expected %d\n",
                (long long)found->counter, (long long)expected->counter, found->has_table,
                expected->has_table, found->has_index, expected->has_index);
}

/* Takes the model to what the store holds. */
static void check_writer(corm_session *session, model *expected, int round) {
    model     found, later = *expected;
    operation under_way;
    read_model(session, expected->number, &found);
    next_operation(&later, &under_way);
    if (same(&found, expected)) return;
    if (same(&found, &later)) {
        *expected = later;
        return;
    }
    explain(&found, expected);
    fail_msg("round %d, seed %llu: writer %u after operation %u; then came: %s", round,
             (unsigned long long)killing_seed, expected->number, expected->next, under_way.text);
}

static void check_index(corm_session *session, const model *models) {
    for (int tag = 0; tag < TAGS; tag++) {
        uint32_t     expected = 0;
        corm_result *result = ask(session, "SELECT k FROM k.a WHERE tag = %u", (uint32_t)tag);
        for (int i = 0; i < WRITERS; i++)
            for (int k = 0; k < KEYS; k++) expected += models[i].tag[k] == tag;
        assert_int_equal(corm_result_row_count(result), expected);
        corm_result_free(result);
    }
}

static void check_store(corm_session *session, void *context, int round) {
    model *models = context;
    for (int i = 0; i < WRITERS; i++) check_writer(session, &models[i], round);
    check_index(session, models);
}

/* ---- the parent: rounds ---- */

static void take(void *context, uint32_t of, uint32_t number) {
    model    *models = context;
    operation op;
    assert_true(of < WRITERS);
    assert_int_equal(number, models[of].next);
    next_operation(&models[of], &op);
}

static void make_tables(const char *uri) {
    static const char *const texts[] = {
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE k.a (t int, k int, v int, tag int, PRIMARY KEY (t, k))",
        "CREATE INDEX a_tag ON k.a (tag)",
        "CREATE INDEX a_value ON k.a (v) USING 'sai'",
        "CREATE TABLE k.b (t int, k int, v int, pad text, PRIMARY KEY (t, k))",
        /* Verifying holds them against their tables. */
        "CREATE MATERIALIZED VIEW k.a_v AS SELECT * FROM k.a WHERE v IS NOT NULL AND t IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, t, k)",
        "CREATE MATERIALIZED VIEW k.b_k AS SELECT t, k, pad FROM k.b WHERE t IS NOT NULL AND k IS NOT NULL PRIMARY KEY (k, t)",
        "CREATE TABLE k.c (t int PRIMARY KEY, n counter)",
        "CREATE TABLE k.e (t int, k int, v int, PRIMARY KEY (t, k)) WITH gc_grace_seconds = 0",
    };
    corm_session *session;
    corm_error    err = { 0 };
    assert_ok(corm_session_open(&session, uri, NULL, &err), err);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        corm_result_free(ask(session, texts[i], 0));
    corm_session_close(session);
}

static void kill_many(const char *folder, const char *uri, int budget_s) {
    model   models[WRITERS];
    killing how = { .most_acks = MOST_ACKS,
                    .seed = 20240717,
                    .rounds = 200,
                    .budget_s = budget_s,
                    .folder = folder,
                    .uri = uri,
                    .models = models,
                    .write = write_to,
                    .take = take,
                    .check = check_store };
    for (uint32_t i = 0; i < WRITERS; i++) {
        models[i] = (model){ .number = i };
        for (int k = 0; k < KEYS; k++) models[i].a[k] = models[i].tag[k] = models[i].b[k] = NONE;
    }
    make_tables(uri);
    int rounds = killing_run(&how);
    print_message("killed %d times; operations: %u %u %u %u\n", rounds, models[0].next,
                  models[1].next, models[2].next, models[3].next);
}

static void a_killed_writer_leaves_what_was_acknowledged_and_no_half(void **state) {
    (void)state;
    kill_many("durable", "corm:durable", 40);
}

static void a_killed_process_loses_nothing_with_relaxed_durability(void **state) {
    (void)state;
    kill_many("relaxed", "corm:relaxed?durability=relaxed", 20);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_killed_writer_leaves_what_was_acknowledged_and_no_half),
    cmocka_unit_test(a_killed_process_loses_nothing_with_relaxed_durability),
};

RUN_TESTS()
