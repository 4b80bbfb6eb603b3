// SPDX-License-Identifier: MIT
/* What relations and query tables do is done again and again while one allocation more succeeds each time, until it goes through.
 * Each failure must be CORM_NO_MEMORY, and must leave as many allocations as there were before. The store itself never fails. */
#include "orm/calm_for_tests.h"

#include "corm/relation.h"

typedef struct maker {
    int32_t id;
    char   *name;
} maker;
typedef struct item {
    int32_t maker_id, id;
    char   *kind;
    char   *name;
} item;
typedef struct link {
    int32_t maker_id, shop_id;
} link;
typedef struct shop {
    int32_t id;
    char   *name;
} shop;

#define COL(member) CORM_COLUMN(link, member)
static const corm_model links = {
    .table = "links",
    .row_size = sizeof(link),
    .fields = { { COL(maker_id), .key = CORM_PARTITION },
                { COL(shop_id), .key = CORM_CLUSTERING } },
};
#undef COL
#define COL(member) CORM_COLUMN(shop, member)
static const corm_model shops = {
    .table = "shops",
    .row_size = sizeof(shop),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) } },
};
#undef COL
#define COL(member) CORM_COLUMN(item, member)
static const corm_query_table item_tables[] = {
    { .table = "items_by_kind", .partition_key = "kind", .clustering_key = "maker_id, id" },
    { .table = NULL },
};
static const corm_model items = {
    .table = "items",
    .row_size = sizeof(item),
    .fields = { { COL(maker_id), .key = CORM_PARTITION },
                { COL(id), .key = CORM_CLUSTERING },
                { COL(kind) },
                { COL(name) } },
    .query_tables = item_tables,
};
#undef COL
#define COL(member) CORM_COLUMN(maker, member)
static const corm_model makers = {
    .table = "makers",
    .row_size = sizeof(maker),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) } },
    .relations = { { .name = "items",
                     .kind = CORM_HAS_MANY,
                     .to = &items,
                     .foreign_key = "maker_id",
                     .on_delete = CORM_DELETE_CASCADES },
                   { .name = "shops",
                     .kind = CORM_MANY_TO_MANY,
                     .to = &shops,
                     .through_model = &links,
                     .foreign_key = "maker_id",
                     .other_key = "shop_id" } },
};
#undef COL

static corm_db *db; /* of the attempt */

static void nothing(void) {
}

static void fill(void) {
    corm_error err = { 0 };
    for (int32_t i = 1; i <= 2; i++) {
        maker m = { i, "m" };
        link  l = { i, 5 };
        assert_ok(corm_insert(db, &makers, &m, { .error = &err }), err);
        assert_ok(corm_insert(db, &links, &l, { .error = &err }), err);
        for (int32_t k = 0; k < 2; k++) {
            item t = { i, k, k ? "a" : "b", "t" };
            assert_ok(corm_insert(db, &items, &t, { .error = &err }), err);
        }
    }
    shop s = { 5, "s" };
    assert_ok(corm_insert(db, &shops, &s, { .error = &err }), err);
}

static corm_status op_load(corm_error *err) {
    return corm_load(db, &items, err);
}

static corm_status op_include(corm_error *err) {
    corm_include includes[] = { { .name = "items",
                                  .where = { corm_ne("name", "x") },
                                  .order_by = { { "name", true } },
                                  .limit = 1 },
                                { .name = NULL } };
    corm_rows   *rows;
    corm_status  status = corm_find(db, &makers, &rows,
                                    { .include = { "shops" }, .includes = includes, .error = err });
    if (status == CORM_OK) assert_int_equal(corm_rows_related(rows, 0, "shops").count, 1);
    corm_rows_free(rows);
    return status;
}

static corm_status op_move(corm_error *err) {
    item t = { 1, 1, "c", NULL };
    return corm_update(db, &items, &t, { .only = { "kind" }, .ttl_seconds = 500, .error = err });
}

static corm_status op_conditional(corm_error *err) {
    item        t = { 1, 1, "c", NULL };
    corm_status status =
        corm_update(db, &items, &t,
                    { .only = { "kind" }, .condition = { corm_eq("name", "t") }, .error = err });
    return status;
}

static corm_status op_delete(corm_error *err) {
    maker m = { .id = 1 };
    return corm_delete(db, &makers, &m, { .error = err });
}

static corm_status op_relate(corm_error *err) {
    maker       m = { .id = 1 };
    shop        s = { .id = 5 };
    corm_status status = corm_relate(db, &makers, &m, "shops", &s, err);
    return status == CORM_OK ? corm_unrelate(db, &makers, &m, "shops", &s, err) : status;
}

static corm_status op_find_in_copy(corm_error *err) {
    corm_rows  *rows;
    corm_status status =
        corm_find(db, &items, &rows, { .where = { corm_eq("kind", "a") }, .error = err });
    if (status == CORM_OK) assert_int_equal(corm_rows_count(rows), 2);
    corm_rows_free(rows);
    return status;
}

static corm_status op_batch(corm_error *err) {
    corm_batch        *batch = corm_batch_new(corm_db_session(db), CORM_LOGGED);
    item               t = { 1, 1, "c", "n" };
    corm_write_options options = { .error = err };
    if (!batch) return CORM_NO_MEMORY;
    corm_status status = corm_batch_update(batch, db, &items, &t, &options);
    corm_batch_free(batch);
    return status;
}

static const struct {
    const char *name;
    void (*prepare)(void);
    corm_status (*operate)(corm_error *err);
} operations[] = {
    { "load with query tables", nothing, op_load },
    { "include", fill, op_include },
    { "move a copy", fill, op_move },
    { "conditional write with copies", fill, op_conditional },
    { "delete that cascades", fill, op_delete },
    { "relate and unrelate", fill, op_relate },
    { "find in a query table", fill, op_find_in_copy },
    { "batch with copies", fill, op_batch },
};

enum { MOST_ATTEMPTS = 4000 };

/* True when the operation went through. */
static bool attempt(size_t which, size_t n) {
    corm_error err = { 0 };
    long       before = testing__memory_live();
    db = open_calm();
    operations[which].prepare();
    testing__memory_fail_from(n);
    corm_status status = operations[which].operate(&err);
    bool        failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    corm_db_close(db);
    if (status != CORM_OK && status != CORM_NO_MEMORY) {
        fail_msg("%s, allocation %zu: %s: %s", operations[which].name, n, corm_status_name(status),
                 err.message);
    }
    if (status == CORM_NO_MEMORY && !failed)
        fail_msg("%s: out of memory without a reason", operations[which].name);
    if (n > 0 && testing__memory_live() != before) {
        fail_msg("%s, allocation %zu: %ld are left", operations[which].name, n,
                 testing__memory_live() - before);
    }
    return status == CORM_OK && !failed;
}

static void relations_survive_every_failed_allocation(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    for (size_t which = 0; which < sizeof operations / sizeof *operations; which++) {
        size_t n = 0;
        while (n < MOST_ATTEMPTS && !attempt(which, n)) n++;
        assert_in_range(n, 1, MOST_ATTEMPTS - 1);
    }
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
