// SPDX-License-Identifier: MIT
//
// rows_fuzz.c -- the body of a RESULT message from anywhere, decoded into structs: the plan,
// every kind of member, and the conditions that Corm holds. One thread.
#include <stdlib.h>

#include "orm/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_ROWS = 1000 };

typedef struct row {
    bool           a;
    int32_t        b;
    int64_t        c;
    double         d;
    char          *e;
    char           f[8];
    corm_str       g;
    corm_uuid      h;
    corm_timestamp i;
    corm_date      j;
    corm_decimal   k;
    corm_floats    l;
    corm_set       m;
    corm_map       n;
    corm_value     o;
    corm_opt_int   p;
} row;

#define COL(member) CORM_COLUMN(row, member)
static const corm_model spec = {
    .table = "t",
    .row_size = sizeof(row),
    .fields = { { COL(a) },
                { COL(b), .key = CORM_PARTITION },
                { COL(c) },
                { COL(d) },
                { COL(e) },
                { COL(f) },
                { COL(g) },
                { COL(h) },
                { COL(i) },
                { COL(j) },
                { COL(k) },
                { COL(l), .cql = "vector<float, 3>" },
                { COL(m) },
                { COL(n) },
                { COL(o), .cql = "list<int>" },
                { COL(p) } },
};
#undef COL

static bool count_null(void *context, uint32_t at, uint32_t column) {
    *(uint64_t *)context += at + column;
    return true;
}

/* Touches what the structs point to. */
static size_t use(const row *rows, uint32_t count) {
    size_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].e) sum += strlen(rows[i].e);
        sum += strlen(rows[i].f);
        for (size_t at = 0; at < rows[i].g.len; at++) sum += (uint8_t)rows[i].g.data[at];
        for (uint32_t at = 0; at < rows[i].m.count; at++) sum += rows[i].m.items[at].kind;
        for (uint32_t at = 0; at < rows[i].n.count; at++) sum += rows[i].n.items[2 * at + 1].kind;
        for (uint32_t at = 0; at < rows[i].l.count; at++) sum += rows[i].l.items[at] > 0;
    }
    return sum;
}

static void filter(const orm_model *model, const orm_plan *plan, base_reader in,
                   base_arena *arena) {
    corm_term  term = { "e", CORM_LIKE, corm_v("%a_"), { 0 } };
    orm_filter like;
    if (orm__filter_make(orm__field(model, corm_str_of("e")), &term, arena, &like, NULL) !=
        CORM_OK) {
        return;
    }
    for (uint32_t i = 0; i < plan->count && !in.failed; i++) {
        cql_value cell = cql__read_value(&in);
        if (plan->steps[i].field == like.field) (void)orm__filter_holds(&like, cell);
    }
}

static void decode(const orm_model *model, const wire_result *wire, base_arena *arena) {
    orm_plan *plan = NULL;
    uint32_t  count = wire->row_count < MOST_ROWS ? wire->row_count : MOST_ROWS;
    row      *rows = calloc(count + 1, sizeof *rows);
    if (rows && orm__plan_new(model, wire->metadata.columns, wire->metadata.count, &plan, NULL) ==
                    CORM_OK) {
        base_reader in = wire->rows;
        corm_error  err = { 0 };
        orm_reading reading = { in.data + in.len, arena, &err };
        uint64_t    nulls = 0;
        corm_status status = orm__decode_rows(plan, &in, count, (uint8_t *)rows, sizeof *rows,
                                              count_null, &nulls, &reading);
        if (status == CORM_OK) (void)use(rows, count);
        if (count > 0) filter(model, plan, wire->rows, arena);
    }
    free(plan);
    free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    base_arena  arena = { 0 };
    wire_result wire;
    orm_model  *model;
    if (orm__compile(&spec, &model, NULL) != CORM_OK) return 0;
    if (wire__result_read((corm_bytes){ data, size }, 5, &arena, &wire, NULL) == CORM_OK &&
        wire.kind == WIRE_ROWS && !wire.metadata.absent && wire.metadata.count > 0) {
        decode(model, &wire, &arena);
    }
    orm__model_free(model);
    base__arena_free(&arena);
    return 0;
}
