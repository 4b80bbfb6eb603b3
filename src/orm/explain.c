// SPDX-License-Identifier: MIT
/* explain.c -- explanations as values: their lists, their text, their end. One thread. */
#include "orm/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

corm_status orm__explain_new(corm_session *session, orm_explaining **out, corm_error *err) {
    *out = calloc(1, sizeof **out);
    if (!*out) return base__fail_memory(err);
    (*out)->session = session;
    (*out)->out.partitions = -1;
    return CORM_OK;
}

void corm_explanation_free(const corm_explanation *explanation) {
    orm_explaining *e = (orm_explaining *)(uintptr_t)explanation;
    if (!e) return;
    corm_table_free(e->info);
    base__buf_free(&e->text);
    base__arena_free(&e->arena);
    free(e);
}

/* ---- texts ---- */

static const char *copy_list(orm_explaining *e, const char *format, va_list args) {
    char    text[2048];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(text, sizeof text, format, args);
    if (len >= 0 && (size_t)len < sizeof text) {
        va_end(again);
        const char *copy = base__arena_str(&e->arena, (corm_str){ text, (size_t)len }).data;
        e->no_memory |= !copy;
        return copy ? copy : "";
    }
    char *room = len < 0 ? NULL : base__arena_alloc(&e->arena, (size_t)len + 1);
    if (room) vsnprintf(room, (size_t)len + 1, format, again);
    va_end(again);
    e->no_memory |= !room;
    return room ? room : "";
}

const char *orm__explain_copy(orm_explaining *e, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = copy_list(e, format, args);
    va_end(args);
    return text;
}

void orm__explain_add(orm_explaining *e, orm_list *list, const char *format, ...) {
    va_list args;
    if (list->count == list->capacity) {
        uint32_t     capacity = list->capacity ? 2 * list->capacity : 8;
        const char **items = BASE_NEW_ARRAY(&e->arena, const char *, capacity);
        e->no_memory |= !items;
        if (!items) return;
        if (list->count > 0) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    va_start(args, format);
    list->items[list->count++] = copy_list(e, format, args);
    va_end(args);
}

void orm__explain_warn(orm_explaining *e, const char *better, const char *format, ...) {
    va_list  args;
    uint32_t count = e->out.warning_count;
    if (count == e->warning_capacity) {
        uint32_t     capacity = count ? 2 * count : 8;
        corm_advice *warnings = BASE_NEW_ARRAY(&e->arena, corm_advice, capacity);
        e->no_memory |= !warnings;
        if (!warnings) return;
        if (count > 0) memcpy(warnings, e->warnings, count * sizeof *warnings);
        e->warnings = warnings;
        e->warning_capacity = capacity;
    }
    va_start(args, format);
    e->warnings[count] = (corm_advice){ copy_list(e, format, args), better };
    va_end(args);
    e->out.warning_count = count + 1;
}

/* ---- the whole ---- */

const char *corm_access_name(corm_access access) {
    static const char *const names[] = {
        [CORM_ACCESS_ROW] = "one row by its key",
        [CORM_ACCESS_SLICE] = "a stretch of one partition",
        [CORM_ACCESS_PARTITION] = "one partition",
        [CORM_ACCESS_PARTITIONS] = "several partitions",
        [CORM_ACCESS_RANGE] = "a range of tokens",
        [CORM_ACCESS_INDEX] = "what an index finds",
        [CORM_ACCESS_TABLE] = "the whole table",
        [CORM_ACCESS_UNIQUE] = "the reservation of a unique value, then one row by its key",
    };
    return (unsigned)access < sizeof names / sizeof *names ? names[access] : "unknown";
}

static void put_lines(base_buf *out, const char *title, const char *const *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        base__buf_printf(out, "%-12s%s\n", i == 0 ? title : "", items[i]);
    }
}

static void put_filtering(base_buf *out, const corm_explanation *x) {
    if (!x->needs_filtering && !x->allows_filtering) return;
    const char *text = !x->needs_filtering   ? "said, and not needed"
                       : x->allows_filtering ? "needed, and said"
                                             : "needed, and not said";
    base__buf_printf(out, "%-12s%s\n", "filtering", text);
}

static void put_text(orm_explaining *e) {
    const corm_explanation *x = &e->out;
    base_buf               *out = &e->text;
    base__buf_printf(out, "%-12s%s of %s", "access", corm_access_name(x->access),
                     x->table ? x->table : "");
    if (x->query_table) base__buf_printf(out, " (the query table %s)", x->query_table);
    if (x->view) base__buf_printf(out, " (a view of %s)", x->view);
    if (x->index) base__buf_printf(out, " (by the index %s)", x->index);
    base__buf_puts(out, "\n");
    if (x->partitions >= 0) {
        base__buf_printf(out, "%-12s%" PRId64 "\n", "partitions", x->partitions);
    } else {
        base__buf_printf(out, "%-12s%s\n", "partitions", "as many as there are");
    }
    put_lines(out, "statement", x->statements, x->statement_count);
    put_lines(out, "store", x->store, x->store_count);
    put_lines(out, "corm", x->corm, x->corm_count);
    put_filtering(out, x);
    if (x->refused) base__buf_printf(out, "%-12s%s\n", "refused", x->refused);
    for (uint32_t i = 0; i < x->warning_count; i++) {
        base__buf_printf(out, "%-12s%s\n", "warning", x->warnings[i].what);
        if (x->warnings[i].better) {
            base__buf_printf(out, "%-12s%s\n", "  better", x->warnings[i].better);
        }
    }
}

corm_status orm__explain_end(orm_explaining *e, corm_error *err) {
    corm_explanation *x = &e->out;
    x->statement_count = e->statements.count;
    x->statements = e->statements.items;
    x->store_count = e->store.count;
    x->store = e->store.items;
    x->corm_count = e->corm.count;
    x->corm = e->corm.items;
    x->warnings = e->warnings;
    put_text(e);
    bool bad = e->no_memory || !base__buf_cstr(&e->text);
    return bad ? base__fail_memory(err) : CORM_OK;
}

const char *corm_explanation_text(const corm_explanation *explanation) {
    return explanation
               ? (const char *)((const orm_explaining *)(const void *)explanation)->text.data
               : "";
}
