// SPDX-License-Identifier: MIT
/* every.c -- a user of what `corm generate` makes of every.cql: every type there and back, null and not, every verb, without
 * waiting too. Built and run by tests/generate/run. */
#include <inttypes.h>
#include <stdlib.h>

/* Macros that must not get in the way of the generated header. */
#include <complex.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "every_queries.h"

static corm_session *session;
static every_queries q;
static corm_error    err;

static void must(corm_status status, int line) {
    if (status == CORM_OK) return;
    fprintf(stderr, "every.c:%d: %s: %s\n", line, corm_status_name(status), err.message);
    exit(1);
}
#define MUST(call) must((call), __LINE__)

static void check(bool good, int line, const char *text) {
    if (good) return;
    fprintf(stderr, "every.c:%d: %s does not hold\n", line, text);
    exit(1);
}
#define CHECK(condition) check((condition), __LINE__, #condition)

static bool same(corm_str a, const char *b) {
    return corm_str_equal(a, corm_str_of(b));
}

/* ---- every type ---- */

static const uint8_t bytes[] = { 0, 1, 255 };
static corm_uuid     some_uuid, some_time;
static corm_value    ints[2], texts[2], entries[4], pair[2], vector_texts[2], addresses[1];
static every_queries_address_cells cells;
static const float                 floats[3] = { 1.5f, -2.25f, 0 };
static const int32_t               whole[2] = { 7, -8 };

static every_queries_address an_address(void) {
    every_queries_address a = {
        .street = corm_str_of("Str\xc3\xa4\xc3\x9f"
                              "chen"),
        .has_zip = true,
        .zip = 12345,
        .has_at = true,
        .at = { .has_lat = true, .lat = 1.25, .has_v = true, .v = { 0.5f, -0.5f } },
        .tags = { texts, 2 },
        .id = some_uuid,
        .has_From = true,
        .From = { -3 },
        .has_small = true,
        .small = -300,
        .has_tiny = true,
        .tiny = -3,
        .has_big = true,
        .big = INT64_MIN,
        .has_single = true,
        .single = 0.25f,
        .has_yes = true,
        .yes = true,
        .bytes = { bytes, 3 },
        .price = corm_decimal_of(-1999, 2),
        .count = corm_varint_of(-70000),
        .has_took = true,
        .took = { 1, 2, 3 },
        .has_opens = true,
        .opens = { 1 },
        .has_seen = true,
        .seen = { -1 },
        .pair = { pair, 2 },
    };
    CHECK(corm_inet_parse("::1", &a.ip, NULL) == CORM_OK);
    return a;
}

static void check_address(const every_queries_address *a) {
    every_queries_address wanted = an_address();
    CHECK(corm_str_equal(a->street, wanted.street) && a->has_zip && a->zip == 12345);
    CHECK(a->has_at && a->at.has_lat && a->at.lat == 1.25 && !a->at.has_lon && a->at.has_v &&
          a->at.v[1] == -0.5f);
    CHECK(a->tags.count == 2 && same(a->tags.items[0].as.text, "a") &&
          same(a->tags.items[1].as.text, "b"));
    CHECK(corm_uuid_equal(a->id, some_uuid) && a->has_From && a->From.days == -3);
    CHECK(a->small == -300 && a->tiny == -3 && a->big == INT64_MIN && a->single == 0.25f && a->yes);
    CHECK(a->bytes.len == 3 && memcmp(a->bytes.data, bytes, 3) == 0);
    CHECK(corm_decimal_to_double(&a->price) == -19.99 && a->count.length == 3 &&
          a->ip.length == 16);
    CHECK(a->took.months == 1 && a->took.days == 2 && a->took.ns == 3 && a->opens.ns == 1 &&
          a->seen.ms == -1);
    CHECK(a->pair.count == 2 && a->pair.items[0].as.i32 == 5 &&
          same(a->pair.items[1].as.text, "five"));
}

static every_queries_put_every_params everything(int32_t k) {
    every_queries_put_every_params p = {
        .k = k,
        .a = corm_str_of("ascii"),
        .has_b = true,
        .b = INT64_MAX,
        .bl = { bytes, 3 },
        .has_bo = true,
        .bo = true,
        .has_d = true,
        .d = { 20000 },
        .de = corm_decimal_of(314, 2),
        .has_dou = true,
        .dou = -0.5,
        .has_dur = true,
        .dur = { -1, -2, -3 },
        .has_f = true,
        .f = 3.5f,
        .has_n = true,
        .n = INT32_MIN,
        .has_s = true,
        .s = -32768,
        .t = corm_str_of("text"),
        .has_ti = true,
        .ti = { 86399999999999 },
        .has_ts = true,
        .ts = { 1700000000123 },
        .tu = some_time,
        .has_ty = true,
        .ty = -128,
        .u = some_uuid,
        .vi = corm_varint_of(INT64_MAX),
        .l = { ints, 2 },
        .se = { texts, 2 },
        .m = { entries, 2 },
        .fl = { texts, 2 },
        .tup = { pair, 2 },
        .v3 = floats,
        .v2 = whole,
        .vu = &some_uuid,
        .vt = corm_of_items(CORM_VECTOR, vector_texts, 2),
        .has_ad = true,
        .ad = an_address(),
        .has_ad2 = true,
        .ad2 = an_address(),
        .las = { addresses, 1 },
    };
    CHECK(corm_inet_parse("10.0.0.1", &p.i, NULL) == CORM_OK);
    return p;
}

static void check_everything(const every_queries_get_every_row *r) {
    every_queries_address a;
    int64_t               number;
    CHECK(same(r->a, "ascii") && r->has_b && r->b == INT64_MAX && r->bl.len == 3 &&
          r->bl.data[2] == 255);
    CHECK(r->has_bo && r->bo && r->has_d && r->d.days == 20000 &&
          corm_decimal_to_double(&r->de) == 3.14);
    CHECK(r->has_dou && r->dou == -0.5 && r->has_dur && r->dur.months == -1 && r->dur.ns == -3);
    CHECK(r->has_f && r->f == 3.5f && r->i.length == 4 && r->i.bytes[3] == 1 && r->has_n &&
          r->n == INT32_MIN);
    CHECK(r->has_s && r->s == -32768 && same(r->t, "text") && r->has_ti &&
          r->ti.ns == 86399999999999);
    CHECK(r->has_ts && r->ts.ms == 1700000000123 && corm_uuid_equal(r->tu, some_time) &&
          r->has_ty && r->ty == -128);
    CHECK(corm_uuid_equal(r->u, some_uuid));
    CHECK(corm_varint_to_i64(&r->vi, &number, NULL) == CORM_OK && number == INT64_MAX);
    CHECK(r->l.count == 2 && r->l.items[1].as.i32 == 2 && r->se.count == 2 &&
          same(r->se.items[0].as.text, "a"));
    CHECK(r->m.count == 2 && corm_map_get(&r->m, "two") && corm_map_get(&r->m, "two")->as.i32 == 2);
    CHECK(r->fl.count == 2 && same(r->fl.items[1].as.text, "b"));
    CHECK(r->tup.count == 2 && r->tup.items[0].as.i32 == 5);
    CHECK(r->has_v3 && memcmp(r->v3, floats, sizeof floats) == 0 && r->has_v2 && r->v2[1] == -8);
    CHECK(r->has_vu && corm_uuid_equal(r->vu[0], some_uuid));
    CHECK(r->vt.kind == CORM_VECTOR && r->vt.as.items.count == 2 &&
          same(r->vt.as.items.items[1].as.text, "vb"));
    CHECK(r->has_ad && r->has_ad2 && r->las.count == 1);
    check_address(&r->ad);
    check_address(&r->ad2);
    every_queries_address_read(&r->las.items[0], &a);
    check_address(&a);
}

static void check_nothing(const every_queries_get_every_row *r) {
    CHECK(!r->a.data && !r->has_b && !r->bl.data && !r->has_bo && !r->has_d &&
          !r->de.unscaled.length);
    CHECK(!r->has_dou && !r->has_dur && !r->has_f && !r->i.length && !r->has_n && !r->has_s &&
          !r->t.data);
    CHECK(!r->has_ti && !r->has_ts && corm_uuid_is_zero(r->tu) && !r->has_ty &&
          corm_uuid_is_zero(r->u));
    CHECK(!r->vi.length && !r->l.items && !r->se.items && !r->m.items && !r->fl.items &&
          !r->tup.items);
    CHECK(!r->has_v3 && !r->has_v2 && !r->has_vu && r->vt.kind == CORM_NULL && !r->has_ad &&
          !r->has_ad2);
    CHECK(!r->las.items);
}

static every_queries_get_every_row get(int32_t k) {
    every_queries_get_every_row row;
    MUST(every_queries_get_every(&q, &(every_queries_get_every_params){ .k = k }, &row, &err));
    CHECK(row.k == k);
    return row;
}

static void every_type_goes_there_and_back(void) {
    every_queries_put_every_params p = everything(1);
    MUST(every_queries_put_every(&q, &p, &err));
    every_queries_get_every_row row = get(1);
    check_everything(&row);
    every_queries_get_every_free(&row);
}

static void what_holds_nothing_is_left_alone_and_null_deletes(void) {
    every_queries_put_every_params p = { .k = 1 };
    MUST(every_queries_put_every(&q, &p, &err));
    every_queries_get_every_row row = get(1);
    check_everything(&row);
    every_queries_get_every_free(&row);
    memset(&p.null, true, sizeof p.null);
    p.vt = corm_null();
    MUST(every_queries_put_every(&q, &p, &err));
    row = get(1);
    check_nothing(&row);
    every_queries_get_every_free(&row);
}

static void empty_is_not_null(void) {
    every_queries_put_every_params p = {
        .k = 3, .t = corm_str_of(""), .bl = { bytes, 0 }, .fl = { texts, 0 }
    };
    MUST(every_queries_put_every(&q, &p, &err));
    every_queries_get_every_row row = get(3);
    CHECK(row.t.data && row.t.len == 0 && row.bl.data && row.bl.len == 0 && row.fl.items &&
          row.fl.count == 0);
    CHECK(!row.a.data && !row.l.items);
    every_queries_get_every_free(&row);
}

static void parts_change_and_ttl_counts(void) {
    every_queries_put_every_params p = everything(4);
    p.has_ttl = true;
    p.ttl = 1000;
    MUST(every_queries_put_every(&q, &p, &err));
    every_queries_change_parts_params change = { .m_key = corm_str_of("three"),
                                                 .has_m_value = true,
                                                 .m_value = 3,
                                                 .se = { &vector_texts[1], 1 },
                                                 .l = { ints, 1 },
                                                 .k = 4 };
    MUST(every_queries_change_parts(&q, &change, &err));
    every_queries_get_every_row row = get(4);
    CHECK(row.m.count == 3 && row.se.count == 3 && row.l.count == 3 && row.ad2.zip == 12345);
    every_queries_get_every_free(&row);
    every_queries_ttl_of_row ttl;
    MUST(every_queries_ttl_of(&q, &(every_queries_ttl_of_params){ .k = 4 }, &ttl, &err));
    CHECK(ttl.has_t && ttl.t > 900 && ttl.t <= 1000 && ttl.has_writetime_t);
    every_queries_ttl_of_free(&ttl);
}

/* ---- every verb ---- */

static void a_row_that_is_not_there_is_not_found(void) {
    every_queries_get_every_row row;
    corm_status                 status =
        every_queries_get_every(&q, &(every_queries_get_every_params){ .k = 77 }, &row, &err);
    CHECK(status == CORM_NOT_FOUND && !row.result && strstr(err.message, "get_every"));
}

static corm_uuid times[5];

static void conditions_tell_what_stood_in_the_way(void) {
    every_queries_add_params add = {
        .p = some_uuid, .c = times[0], .has_total = true, .total = 1, .delete_ = corm_str_of("d")
    };
    every_queries_add_answer answer;
    MUST(every_queries_add(&q, &add, &answer, &err));
    CHECK(answer.applied && !answer.is_there);
    every_queries_add_free(&answer);
    add.total = 2;
    MUST(every_queries_add(&q, &add, &answer, &err));
    CHECK(!answer.applied && answer.is_there && answer.has_total && answer.total == 1 &&
          same(answer.delete_, "d"));
    every_queries_add_free(&answer);

    every_queries_change_params change = {
        .has_new_ = true, .new_ = 5, .p = some_uuid, .c = times[0]
    };
    every_queries_change_answer changed;
    MUST(every_queries_change(&q, &change, &changed, &err)); /* IF total = null */
    CHECK(!changed.applied && changed.is_there && changed.total == 1 && same(changed.delete_, "d"));
    every_queries_change_free(&changed);
    change.has_old = true;
    change.old = 1;
    change.delete_ = corm_str_of("d");
    MUST(every_queries_change(&q, &change, &changed, &err));
    CHECK(changed.applied);
    every_queries_change_free(&changed);
}

static void deletions_and_batches(void) {
    every_queries_gone_answer gone;
    every_queries_gone_params key = { .p = some_uuid, .c = times[4] };
    MUST(every_queries_gone(&q, &key, &gone, &err));
    CHECK(!gone.applied);
    every_queries_gone_free(&gone);
    for (int i = 1; i < 4; i++) {
        every_queries_both_params both = {
            .p = some_uuid, .c = times[i], .has_total = true, .total = 10 * i
        };
        MUST(every_queries_both(&q, &both, &err));
    }
    every_queries_both_if_answer answer;
    every_queries_both_if_params both = { .p = some_uuid, .c = times[4], .st = corm_str_of("if") };
    MUST(every_queries_both_if(&q, &both, &answer, &err));
    CHECK(answer.applied);
    every_queries_both_if_free(&answer);
    MUST(every_queries_delete(&q, &(every_queries_delete_params){ .p = some_uuid, .c = times[0] },
                              &err));
}

static void pages_come_one_after_the_other(void) {
    every_queries_events_params p = { .p = some_uuid, .c = { { 0 } } };
    every_queries_events_rows   rows;
    uint32_t                    seen = 0, pages = 0;
    corm_bytes                  from = { NULL, 0 };
    uint8_t                     kept[4096];
    CHECK(corm_uuid_parse("00000000-0000-1000-8080-808080808080", &p.c, NULL) == CORM_OK);
    do {
        MUST(every_queries_events(&q, &p, 2, from, &rows, &err));
        for (uint32_t i = 0; i < rows.count; i++, seen++) {
            CHECK(corm_uuid_equal(rows.items[i].c, times[4 - seen]) &&
                  same(rows.items[i].st, "if"));
            CHECK(rows.items[i].has_total == (seen > 0) && !rows.items[i].delete_.data);
        }
        CHECK(rows.next.len <= sizeof kept);
        if (rows.next.data) memcpy(kept, rows.next.data, rows.next.len);
        from = (corm_bytes){ rows.next.data ? kept : NULL, rows.next.len };
        every_queries_events_free(&rows);
    } while (from.data && ++pages < 10);
    CHECK(seen == 5 && pages >= 2);
    p.has_limit = true;
    p.limit = 1;
    MUST(every_queries_events(&q, &p, 0, (corm_bytes){ NULL, 0 }, &rows, &err));
    CHECK(rows.count == 1 && !rows.next.data);
    every_queries_events_free(&rows);
}

static void many_rows_and_aggregates(void) {
    corm_value                     some[2] = { corm_of_uuid(times[1]), corm_of_uuid(times[3]) };
    every_queries_some_events_rows rows;
    every_queries_count_events_row sums;
    every_queries_all_pages_rows   pages;
    MUST(every_queries_some_events(
        &q, &(every_queries_some_events_params){ .p = some_uuid, .cs = { some, 2 } }, &rows, &err));
    CHECK(rows.count == 2 && rows.items[0].total == 30 && rows.items[1].total == 10 &&
          !rows.items[0].switch_.data);
    every_queries_some_events_free(&rows);
    MUST(every_queries_count_events(&q, &(every_queries_count_events_params){ .p = some_uuid },
                                    &sums, &err));
    CHECK(sums.count == 5 && sums.has_system_sum_total && sums.system_sum_total == 65);
    every_queries_count_events_free(&sums);
    MUST(every_queries_all_pages(&q, &pages, &err));
    CHECK(pages.count == 0);
    every_queries_all_pages_free(&pages);
}

static void counters_count(void) {
    every_queries_hits_of_row row;
    MUST(every_queries_hit(&q, &(every_queries_hit_params){ .n = 3, .page = corm_str_of("p") },
                           &err));
    MUST(every_queries_hit(&q, &(every_queries_hit_params){ .n = -1, .page = corm_str_of("p") },
                           &err));
    MUST(every_queries_hits_of(&q, &(every_queries_hits_of_params){ .page = corm_str_of("p") },
                               &row, &err));
    CHECK(row.has_n && row.n == 2);
    every_queries_hits_of_free(&row);
}

static void keys_of_odd_types_and_json(void) {
    every_queries_put_key_params p = {
        .a = corm_str_of("a"), .b = { bytes, 3 }, .v = corm_varint_of(-1), .has_n = true, .n = 4
    };
    every_queries_as_json_row row;
    CHECK(corm_inet_parse("::1", &p.i, NULL) == CORM_OK);
    MUST(every_queries_put_key(&q, &p, &err));
    every_queries_as_json_params key = { .a = p.a, .b = p.b, .v = p.v, .i = p.i };
    MUST(every_queries_as_json(&q, &key, &row, &err));
    CHECK(same(row.json, "{\"a\": \"a\", \"n\": 4}"));
    every_queries_as_json_free(&row);
    /* A key that is not given is the server's to refuse. */
    CHECK(every_queries_put_key(&q, &(every_queries_put_key_params){ .a = p.a, .v = p.v, .i = p.i },
                                &err) == CORM_INVALID);
}

/* ---- without waiting ---- */

static void take_row(void *context, corm_status status, corm_result *result,
                     const corm_error *error) {
    every_queries_get_every_row row;
    bool                       *good = context;
    corm_error                  fault = { 0 };
    (void)error;
    if (status != CORM_OK) return;
    *good = every_queries_get_every_read(result, &row, &fault) == CORM_OK && row.k == 4;
    if (*good) every_queries_get_every_free(&row);
}

static void a_call_need_not_wait(void) {
    bool       good = false;
    corm_task *task = every_queries_get_every_async(&q, &(every_queries_get_every_params){ .k = 4 },
                                                    take_row, &good, &err);
    CHECK(task != NULL);
    MUST(corm_task_wait(task, 0));
    corm_task_free(task);
    CHECK(good);
}

static void set_up(void) {
    ints[0] = corm_of_i32(1);
    ints[1] = corm_of_i32(2);
    texts[0] = corm_of_text("a");
    texts[1] = corm_of_text("b");
    entries[0] = corm_of_text("one");
    entries[1] = ints[0];
    entries[2] = corm_of_text("two");
    entries[3] = ints[1];
    pair[0] = corm_of_i32(5);
    pair[1] = corm_of_text("five");
    vector_texts[0] = corm_of_text("va");
    vector_texts[1] = corm_of_text("vb");
    some_uuid = corm_uuid_random();
    some_time = corm_uuid_time();
    for (int i = 0; i < 5; i++) times[i] = corm_uuid_time();
    static every_queries_address address;
    address = an_address();
    addresses[0] = every_queries_address_value(&address, &cells);
}

int main(int argc, char **argv) {
    const char *uri = argc > 1 ? argv[1] : "corm:./store";
    MUST(corm_session_open(&session, uri, &(corm_session_options){ .keyspace = "g" }, &err));
    MUST(every_queries_open(&q, session, &err));
    set_up();
    every_type_goes_there_and_back();
    what_holds_nothing_is_left_alone_and_null_deletes();
    empty_is_not_null();
    parts_change_and_ttl_counts();
    a_row_that_is_not_there_is_not_found();
    conditions_tell_what_stood_in_the_way();
    deletions_and_batches();
    pages_come_one_after_the_other();
    many_rows_and_aggregates();
    counters_count();
    keys_of_odd_types_and_json();
    a_call_need_not_wait();
    every_queries_close(&q);
    corm_session_close(session);
    return 0;
}
