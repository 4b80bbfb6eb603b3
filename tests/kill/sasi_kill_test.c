// SPDX-License-Identifier: MIT
/* sasi_kill_test.c -- writers of rows with SASI indexes are killed again and again (killing.h), 60 times: PREFIX and CONTAINS, each
 * without an analyzer and with one.
 *
 * A writer's rows are as they are after all that was acknowledged, or after one more. Each index answers LIKE as the rows say. */
#include <pthread.h>
#include <string.h>

#include "killing.h"

enum { WRITERS = 3, KEYS = 10, COLUMNS = 4, WORDS = 6, MOST_ACKS = 120, NONE = -1, TEXT = 32 };

static const char *const words[WORDS] = { "Amber", "Birch", "Cedar", "Delta", "Elm", "Fir" };
static const char *const columns[COLUMNS] = { "a", "b", "c", "d" };

/* What a writer's rows hold: each value stands for two words. */
typedef struct model {
    uint32_t number, next;
    bool     exists[KEYS];
    int32_t  values[KEYS][COLUMNS];
} model;

static int first_word(int32_t value) {
    return value % WORDS;
}

static int second_word(int32_t value) {
    return value / WORDS % WORDS;
}

static void put_text(int32_t value, char out[TEXT]) {
    snprintf(out, TEXT, "'%s %s'", words[first_word(value)], words[second_word(value)]);
}

/* ---- operations ---- */

static void forget(model *on, int key) {
    on->exists[key] = false;
    for (int i = 0; i < COLUMNS; i++) on->values[key][i] = NONE;
}

static void insert(model *on, int key, uint64_t random, char *text, size_t room) {
    char texts[COLUMNS][TEXT];
    on->exists[key] = true;
    for (int i = 0; i < COLUMNS; i++) {
        on->values[key][i] = (int32_t)((random >> (8 * i)) % (WORDS * WORDS));
        put_text(on->values[key][i], texts[i]);
    }
    snprintf(text, room, "INSERT INTO k.w (t, k, a, b, c, d) VALUES (%u, %d, %s, %s, %s, %s)",
             on->number, key, texts[0], texts[1], texts[2], texts[3]);
}

/* An UPDATE makes no row of itself: where its one value goes, so does the row, if it was not inserted. */
static void update(model *on, int key, uint64_t random, char *text, size_t room) {
    int  column = (int)(random % COLUMNS);
    char value[TEXT] = "null";
    on->values[key][column] = NONE;
    if ((random >> 8) % 4 > 0) {
        on->values[key][column] = (int32_t)((random >> 16) % (WORDS * WORDS));
        put_text(on->values[key][column], value);
    }
    snprintf(text, room, "UPDATE k.w SET %s = %s WHERE t = %u AND k = %d", columns[column], value,
             on->number, key);
}

static void delete_rows(model *on, int key, uint64_t random, char *text, size_t room) {
    if (random % 3 > 0) {
        forget(on, key);
        snprintf(text, room, "DELETE FROM k.w WHERE t = %u AND k = %d", on->number, key);
        return;
    }
    for (int i = key; i < KEYS; i++) forget(on, i);
    snprintf(text, room, "DELETE FROM k.w WHERE t = %u AND k >= %d", on->number, key);
}

/* Two rows change together, or none. */
static void change_two(model *on, int key, uint64_t random, char *text, size_t room) {
    int  other = (key + 1) % KEYS;
    char first[300], second[300];
    insert(on, key, random, first, sizeof first);
    delete_rows(on, other, 1, second, sizeof second);
    snprintf(text, room, "BEGIN BATCH %s; %s; APPLY BATCH", first, second);
}

/* Makes the writer's next statement, and changes the model by it. */
static void next_operation(model *on, char *text, size_t room) {
    static void (*const kinds[])(model *, int, uint64_t, char *,
                                 size_t) = { insert,      insert, insert,     update,
                                             delete_rows, update, change_two, update };
    uint64_t random = killing_mix(on->number + 1, on->next++);
    kinds[(random >> 48) % (sizeof kinds / sizeof *kinds)](on, (int)((random >> 40) % KEYS), random,
                                                           text, room);
}

/* ---- the child ---- */

typedef struct writer {
    model         state;
    corm_session *session;
    int           pipe;
} writer;

static void *write_for_ever(void *context) {
    writer *self = context;
    for (;;) {
        char       text[700];
        corm_error err = { 0 };
        uint32_t   number = self->state.next;
        next_operation(&self->state, text, sizeof text);
        if (corm_execute(self->session, text, NULL, { .error = &err }) != CORM_OK)
            give_up(text, err.message);
        tell(self->pipe, self->state.number, number);
    }
    return NULL;
}

static void write_to(corm_session *session, const void *models, int pipe) {
    static writer writers[WRITERS];
    const model  *states = models;
    pthread_t     thread;
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer){ states[i], session, pipe };
        if (pthread_create(&thread, NULL, write_for_ever, &writers[i]) != 0) give_up("thread", "");
    }
}

/* ---- the parent: what is there ---- */

static corm_result *ask(corm_session *session, const char *text) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(session, text, &result, { .error = &err }), err);
    return result;
}

/* The value of two words; NONE: null. */
static int32_t value_of(const corm_row *row, uint32_t index) {
    char texts[TEXT];
    if (corm_row_is_null(row, index)) return NONE;
    corm_str found = corm_row_text(row, index);
    for (int32_t value = 0; value < WORDS * WORDS; value++) {
        put_text(value, texts);
        if (found.len + 2 == strlen(texts) && memcmp(found.data, texts + 1, found.len) == 0)
            return value;
    }
    fail_msg("'%.*s' was never written", (int)found.len, found.data);
    return NONE;
}

/* Whether a row is there by its INSERT or by its values is not told apart. */
static void read_model(corm_session *session, uint32_t number, model *out) {
    char text[100];
    *out = (model){ .number = number };
    for (int k = 0; k < KEYS; k++) forget(out, k);
    snprintf(text, sizeof text, "SELECT k, a, b, c, d FROM k.w WHERE t = %u", number);
    corm_result *result = ask(session, text);
    for (const corm_row *row; (row = corm_result_next(result));) {
        int key = corm_row_int(row, 0);
        out->exists[key] = true;
        for (int i = 0; i < COLUMNS; i++) out->values[key][i] = value_of(row, (uint32_t)i + 1);
    }
    corm_result_free(result);
}

static bool has_row(const model *of, int key) {
    bool any = of->exists[key];
    for (int i = 0; i < COLUMNS; i++) any = any || of->values[key][i] != NONE;
    return any;
}

static bool same(const model *found, const model *expected) {
    for (int k = 0; k < KEYS; k++)
        if (has_row(found, k) != has_row(expected, k)) return false;
    return memcmp(found->values, expected->values, sizeof found->values) == 0;
}

/* Takes the model to what the store holds. */
static void check_writer(corm_session *session, model *expected, int round) {
    model found, later = *expected;
    char  text[700];
    read_model(session, expected->number, &found);
    next_operation(&later, text, sizeof text);
    if (same(&found, expected)) return;
    if (!same(&found, &later))
        fail_msg("round %d, seed %llu: writer %u after operation %u; then came: %s", round,
                 (unsigned long long)killing_seed, expected->number, expected->next, text);
    *expected = later;
}

/* ---- the parent: what indexes answer ---- */

typedef bool (*holds)(int32_t value, int word);

static bool begins(int32_t value, int word) {
    return first_word(value) == word;
}

static bool ends(int32_t value, int word) {
    return second_word(value) == word;
}

static bool has(int32_t value, int word) {
    return begins(value, word) || ends(value, word);
}

static const struct {
    int         column;
    const char *like;
    bool        is_lower;
    holds       holds;
} questions[] = {
    { 0, "%s%%", false, begins }, { 1, "%%%s%%", false, has }, { 1, "%%%s", false, ends },
    { 1, "%s%%", false, begins }, { 2, "%s%%", true, begins }, { 3, "%%%s%%", true, has },
};

static void check_question(corm_session *session, const model *models, size_t number, int word) {
    char     name[TEXT], like[TEXT + 8], text[160];
    uint32_t expected = 0;
    int      column = questions[number].column;
    snprintf(name, sizeof name, "%s", words[word]);
    if (questions[number].is_lower) name[0] = (char)(name[0] - 'A' + 'a');
    /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): they stand above */
    snprintf(like, sizeof like, questions[number].like, name);
    snprintf(text, sizeof text, "SELECT t, k FROM k.w WHERE %s LIKE '%s'", columns[column], like);
    for (int i = 0; i < WRITERS; i++)
        for (int k = 0; k < KEYS; k++) {
            int32_t value = models[i].values[k][column];
            expected += value != NONE && questions[number].holds(value, word);
        }
    corm_result *result = ask(session, text);
    if (corm_result_row_count(result) != expected)
        fail_msg("%s: %u rows instead of %u", text, (unsigned)corm_result_row_count(result),
                 (unsigned)expected);
    corm_result_free(result);
}

static void check_store(corm_session *session, void *context, int round) {
    model *models = context;
    for (int i = 0; i < WRITERS; i++) check_writer(session, &models[i], round);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        for (int word = 0; word < WORDS; word++) check_question(session, models, i, word);
}

/* ---- the parent: rounds ---- */

static void take(void *context, uint32_t of, uint32_t number) {
    model *models = context;
    char   text[700];
    assert_true(of < WRITERS);
    assert_int_equal(number, models[of].next);
    next_operation(&models[of], text, sizeof text);
}

#define SASI "USING 'org.apache.cassandra.index.sasi.SASIIndex' WITH OPTIONS = "
#define ANALYZER "'analyzer_class': 'org.apache.cassandra.index.sasi.analyzer."

static void make_table(const char *uri) {
    static const char *const texts[] = {
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE k.w (t int, k int, a text, b text, c text, d text, PRIMARY KEY (t, k))",
        "CREATE CUSTOM INDEX w_a ON k.w (a) " SASI "{'mode': 'PREFIX'}",
        "CREATE CUSTOM INDEX w_b ON k.w (b) " SASI "{'mode': 'CONTAINS'}",
        "CREATE CUSTOM INDEX w_c ON k.w (c) " SASI "{'mode': 'PREFIX', " ANALYZER
        "NonTokenizingAnalyzer', 'case_sensitive': 'false'}",
        "CREATE CUSTOM INDEX w_d ON k.w (d) " SASI "{'mode': 'CONTAINS', " ANALYZER
        "StandardAnalyzer', 'tokenization_enable_stemming': 'false', "
        "'tokenization_normalize_lowercase': 'true', 'analyzed': 'true'}",
    };
    corm_session *session;
    corm_error    err = { 0 };
    assert_ok(corm_session_open(&session, uri, NULL, &err), err);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        corm_result_free(ask(session, texts[i]));
    corm_session_close(session);
}

static void kill_many(const char *folder, const char *uri, int budget_s) {
    model   models[WRITERS];
    killing how = { .most_acks = MOST_ACKS,
                    .seed = 20261129,
                    .rounds = 60,
                    .budget_s = budget_s,
                    .folder = folder,
                    .uri = uri,
                    .models = models,
                    .write = write_to,
                    .take = take,
                    .check = check_store };
    for (uint32_t i = 0; i < WRITERS; i++) {
        models[i] = (model){ .number = i };
        for (int k = 0; k < KEYS; k++) forget(&models[i], k);
    }
    make_table(uri);
    int rounds = killing_run(&how);
    print_message("killed %d times; operations: %u %u %u\n", rounds, models[0].next, models[1].next,
                  models[2].next);
}

static void sasi_indexes_agree_with_rows_when_a_writer_was_killed(void **state) {
    (void)state;
    kill_many("durable", "corm:durable", 20);
}

static void and_so_they_do_with_relaxed_durability(void **state) {
    (void)state;
    kill_many("relaxed", "corm:relaxed?durability=relaxed", 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sasi_indexes_agree_with_rows_when_a_writer_was_killed),
    cmocka_unit_test(and_so_they_do_with_relaxed_durability),
};

RUN_TESTS()
