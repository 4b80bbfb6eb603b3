// SPDX-License-Identifier: MIT
//
// row_fuzz.c -- any bytes as a stored row and as the deletions of a partition: read, decoded, encoded
// again. What could be decoded must be the same after a round trip. One thread.
//
//   input   [table, by number][1: a static row][bytes]
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

enum { MOST_COLUMNS = 16, NOW_S = 1700000000, GRACE_S = 864000 };

static const char *const texts[] = {
    "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TYPE k.u (x int, y text)",
    "CREATE TABLE k.t0 (p int, c text, d int, v text, w int, s int static, PRIMARY KEY (p, c, d))",
    "CREATE TABLE k.t1 (p int PRIMARY KEY, l list<int>, m map<text, int>, e set<text>, f u, g frozen<u>)",
    "CREATE TABLE k.t2 (p int, c int, n counter, PRIMARY KEY (p, c))",
};
enum { TABLES = 3 };

static const cql_table *tables[TABLES];

// The schema lives until the program ends.
static void make_tables(void) {
    static engine     *store;
    static cql_schema *schema;
    engine_client      client = { .keyspace = "" };
    MUST(engine__open(&(engine_options){ .map_bytes = 1 << 20 }, &store, NULL) == CORM_OK);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        wire_answer  answer = { 0 };
        wire_request request = { .kind = WIRE_QUERY, .text = corm_str_of(texts[i]) };
        request.options.consistency = WIRE_ONE;
        MUST(engine__execute(store, &client, &request, &answer, NULL) == CORM_OK);
        wire__answer_free(&answer);
    }
    schema = engine__schema(store);
    for (int i = 0; i < TABLES; i++) {
        char name[3] = { 't', (char)('0' + i), '\0' };
        tables[i] = cql__schema_table(schema, corm_str_of("k"), corm_str_of(name));
        MUST(tables[i]);
    }
}

static void read_in_place(const cql_table *table, bool is_static, corm_bytes bytes,
                          base_arena *arena) {
    const cql_column *needed[MOST_COLUMNS];
    cql_value         values[MOST_COLUMNS];
    engine_row_read   read;
    uint32_t          count = 0;
    corm_error        err;
    for (uint32_t i = 0; i < table->column_count; i++) {
        values[i] = CQL_NULL;
        if (i >= table->partition_count) needed[count++] = &table->columns[i];
    }
    corm_status status =
        engine__row_read(table, is_static, bytes, NOW_S, needed, count, arena, values, &read, &err);
    MUST(status == CORM_OK || status == CORM_CORRUPT);
}

static corm_bytes encode(const cql_table *table, const engine_row *row, base_buf *out,
                         bool *empty) {
    MUST(engine__row_encode(table, row, out, empty, NULL) == CORM_OK);
    return base__buf_bytes(out);
}

static void round_trip(const cql_table *table, bool is_static, corm_bytes bytes,
                       base_arena *arena) {
    engine_row row = { 0 }, again = { 0 };
    base_buf   first = { 0 }, second = { 0 };
    bool       empty;
    uint32_t   due;
    corm_error err;
    if (engine__row_decode(table, is_static, bytes, arena, &row, &err) != CORM_OK) return;
    corm_bytes stored = encode(table, &row, &first, &empty);
    if (!empty) {
        MUST(engine__row_decode(table, is_static, stored, arena, &again, NULL) == CORM_OK);
        corm_bytes same = encode(table, &again, &second, &empty);
        MUST(same.len == stored.len && memcmp(same.data, stored.data, same.len) == 0);
        read_in_place(table, is_static, stored, arena);
    }
    (void)engine__image_purge(&row, GRACE_S, NOW_S, &due);
    base__buf_clear(&first);
    encode(table, &row, &first, &empty);
    base__buf_free(&first);
    base__buf_free(&second);
}

static void deletions(corm_bytes bytes, base_arena *arena) {
    engine_deletions decoded = { 0 }, again = { 0 };
    base_buf         first = { 0 };
    corm_error       err;
    corm_bytes       clustering = bytes;
    if (engine__deletions_decode(bytes, arena, &decoded, &err) != CORM_OK) return;
    engine__deletions_encode(&decoded, &first);
    MUST(engine__deletions_decode(base__buf_bytes(&first), arena, &again, NULL) == CORM_OK);
    MUST(again.count == decoded.count && again.partition_at == decoded.partition_at);
    (void)engine__deletions_at(&decoded, &clustering);
    (void)engine__deletions_at(&decoded, NULL);
    engine__deletions_purge(&decoded, NOW_S);
    base__buf_free(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > 1 << 16) return 0;
    if (!tables[0]) make_tables();
    const cql_table *table = tables[data[0] % TABLES];
    bool             is_static = data[1] % 2 && table->static_count > 0;
    base_arena       arena = { 0 };
    corm_bytes       bytes = { data + 2, size - 2 };
    read_in_place(table, is_static, bytes, &arena);
    round_trip(table, is_static, bytes, &arena);
    deletions(bytes, &arena);
    base__arena_free(&arena);
    return 0;
}
