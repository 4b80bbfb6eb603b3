// SPDX-License-Identifier: MIT
/* populate.c -- relations read for rows: level by level, each relation once for all rows of its level.
 *
 *   names, includes -> wishes (a tree) -> for each wish: keys of all parents -> rows -> each parent's rows together
 *                                                                                     -> the wishes below, for these rows
 *
 * One thread. */
#include <stdlib.h>

#include "orm/populate.h"

enum { MOST_DEPTH = 16 };

/* ---- what is wished for ---- */

typedef struct wish wish;
struct wish {
    corm_str            name;
    const corm_include *given; /* NULL: by name only */
    wish               *below, *next;
};

typedef struct populating {
    base_arena  arena;
    corm_error *err;
} populating;

static corm_status add_wish(populating *p, wish **list, corm_str name, wish **out) {
    for (wish *w = *list; w; w = w->next) {
        *out = w;
        if (corm_str_equal(w->name, name)) return CORM_OK;
    }
    while (*list) list = &(*list)->next;
    *out = *list = BASE_NEW(&p->arena, wish);
    if (!*out) return base__fail_memory(p->err);
    (*out)->name = name;
    return CORM_OK;
}

static corm_status add_includes(populating *p, wish **list, const corm_include *includes,
                                uint32_t depth) {
    if (depth == MOST_DEPTH) {
        return base__fail(p->err, CORM_INVALID_ARGUMENT, "includes are nested deeper than %d",
                          MOST_DEPTH);
    }
    for (; includes && includes->name; includes++) {
        wish *w = NULL;
        CORM_TRY(add_wish(p, list, corm_str_of(includes->name), &w));
        w->given = includes;
        CORM_TRY(add_includes(p, &w->below, includes->includes, depth + 1));
    }
    return CORM_OK;
}

/* "posts.comments" */
static corm_status add_path(populating *p, wish **list, const char *path) {
    for (int depth = 0; path && depth < MOST_DEPTH; depth++) {
        const char *dot = strchr(path, '.');
        size_t      len = dot ? (size_t)(dot - path) : strlen(path);
        wish       *w = NULL;
        CORM_TRY(add_wish(p, list, (corm_str){ path, len }, &w));
        list = &w->below;
        path = dot ? dot + 1 : NULL;
    }
    return path ? base__fail(p->err, CORM_INVALID_ARGUMENT, "includes are nested deeper than %d",
                             MOST_DEPTH)
                : CORM_OK;
}

/* ---- which row belongs to whom ---- */

/* Rows by key: those of key k are rows[first[k]] to rows[first[k + 1] - 1], in their order. */
typedef struct grouping {
    uint32_t *first, *rows;
} grouping;

static void free_grouping(grouping *g) {
    free(g->first);
    free(g->rows);
}

/* False: memory is exhausted, and there is nothing to be freed. */
static bool group(const uint32_t *of_row, uint32_t row_count, uint32_t key_count, grouping *out) {
    *out = (grouping){ calloc((size_t)key_count + 2, sizeof *out->first),
                       malloc(((size_t)row_count + 1) * sizeof *out->rows) };
    if (!out->first || !out->rows) {
        free_grouping(out);
        return false;
    }
    for (uint32_t i = 0; i < row_count; i++) {
        if (of_row[i] != ORM_NO_KEY) out->first[of_row[i] + 2]++;
    }
    for (uint32_t k = 2; k < key_count + 2; k++) out->first[k] += out->first[k - 1];
    for (uint32_t i = 0; i < row_count; i++) {
        if (of_row[i] != ORM_NO_KEY) out->rows[out->first[of_row[i] + 1]++] = i;
    }
    return true;
}

/* ---- one relation ---- */

typedef struct pass {
    populating         *p;
    corm_rows          *parents;
    const orm_link     *link;
    const corm_include *include;
    const wish         *below;
    orm_keys            keys; /* of the parents */
    uint32_t           *of_parent;
    corm_rows          *rows;   /* the related ones */
    uint32_t           *ranges; /* of each parent's key: first and count */
    corm_populated      cost;
    base_buf            order; /* uint32_t: which row stands where in the end */
} pass;

static uint32_t limit_of(const pass *s) {
    if (s->link->relation->spec->kind != CORM_HAS_MANY &&
        s->link->relation->spec->kind != CORM_MANY_TO_MANY) {
        return 1;
    }
    return s->include && s->include->limit > 0 ? s->include->limit : UINT32_MAX;
}

/* Columns that the relations below need. */
static corm_status need_below(pass *s, orm_fetch *fetch) {
    for (const wish *w = s->below; w; w = w->next) {
        orm_relation   *relation;
        const orm_link *link;
        CORM_TRY(orm__relation_named(s->link->other, w->name, &relation, s->p->err));
        CORM_TRY(orm__relation_link(s->link->other, relation, &link, s->p->err));
        for (uint32_t i = 0; i < link->ours.count; i++) {
            if (fetch->needed_count == sizeof fetch->needed / sizeof *fetch->needed) break;
            fetch->needed[fetch->needed_count++] = link->ours.fields[i];
        }
    }
    return CORM_OK;
}

static corm_status put_order(pass *s, uint32_t row) {
    base__buf_put(&s->order, &row, sizeof row);
    return base__buf_status(&s->order, s->p->err);
}

static corm_status lay_out(pass *s) {
    const uint32_t *order = (const void *)s->order.data;
    uint32_t        count = (uint32_t)(s->order.len / sizeof *order);
    return orm__rows_take(s->rows, order, 0, count, s->p->err);
}

/* Each key's rows behind one another, up to the limit. */
static corm_status arrange(pass *s, const uint32_t *of_row) {
    grouping g;
    uint32_t most = limit_of(s);
    if (!group(of_row, s->rows->count, s->keys.count, &g)) return base__fail_memory(s->p->err);
    corm_status status = CORM_OK;
    for (uint32_t k = 0; k < s->keys.count; k++) {
        uint32_t count = g.first[k + 1] - g.first[k];
        s->ranges[2 * k] = (uint32_t)(s->order.len / sizeof(uint32_t));
        s->ranges[2 * k + 1] = count < most ? count : most;
        for (uint32_t i = 0; i < s->ranges[2 * k + 1] && status == CORM_OK; i++) {
            status = put_order(s, g.rows[g.first[k] + i]);
        }
    }
    free_grouping(&g);
    return status == CORM_OK ? lay_out(s) : status;
}

static corm_status read_two(pass *s) {
    orm_fetch    fetch = { .link = s->link,
                           .model = s->link->other,
                           .path = &s->link->path,
                           .theirs = &s->link->theirs,
                           .include = s->include,
                           .cost = &s->cost,
                           .err = s->p->err };
    uint32_t    *of_row = NULL;
    corm_include one = s->include ? *s->include : (corm_include){ 0 };
    one.limit = limit_of(s) == UINT32_MAX ? 0 : limit_of(s);
    fetch.include = &one;
    CORM_TRY(need_below(s, &fetch));
    CORM_TRY(orm__fetch(&fetch, &s->keys, &s->rows, &of_row));
    corm_status status = arrange(s, of_row);
    free(of_row);
    return status;
}

/* ---- many to many ---- */

/* The table between, and where its rows lead. */
typedef struct between {
    corm_rows *rows;
    uint32_t  *ours, *theirs; /* of each row: the key of the parents, of the others */
    orm_keys   others;
} between;

static void free_between(between *b) {
    corm_rows_free(b->rows);
    free(b->ours);
    free(b->theirs);
    orm__keys_free(&b->others);
}

static corm_status read_between(pass *s, between *b) {
    const orm_link *link = s->link;
    orm_fetch       fetch = { .link = link,
                              .model = link->between,
                              .path = &link->path,
                              .theirs = &link->theirs,
                              .cost = &s->cost,
                              .err = s->p->err };
    if (link->path.kind == ORM_BY_COPY && link->path.table->count < link->between->count) {
        return base__fail(s->p->err, CORM_INVALID_ARGUMENT,
                          "model '%s', relation '%s': query table '%s' has not all columns",
                          link->model->table.data, link->relation->name.data,
                          link->path.table->table.data);
    }
    CORM_TRY(orm__fetch(&fetch, &s->keys, &b->rows, &b->ours));
    b->theirs = malloc(((size_t)b->rows->count + 1) * sizeof *b->theirs);
    if (!b->theirs) return base__fail_memory(s->p->err);
    return orm__keys_of_rows(&b->others, b->rows, &link->between_other, b->theirs, s->p->err);
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The rows of one parent key: as the table between has them, or in the order that was asked for. */
static corm_status arrange_key(pass *s, const between *b, const grouping *mine,
                               const grouping *others, uint32_t k) {
    size_t   begin = s->order.len;
    uint32_t most = limit_of(s);
    for (uint32_t i = mine->first[k]; i < mine->first[k + 1]; i++) {
        uint32_t other = b->theirs[mine->rows[i]];
        for (uint32_t j = other == ORM_NO_KEY ? 1 : others->first[other];
             other != ORM_NO_KEY && j < others->first[other + 1]; j++) {
            CORM_TRY(put_order(s, others->rows[j]));
        }
    }
    uint32_t count = (uint32_t)((s->order.len - begin) / sizeof(uint32_t));
    if (s->include && s->include->order_by[0].column && count > 1) {
        qsort(s->order.data + begin, count, sizeof(uint32_t), by_number);
    }
    if (count > most) count = most;
    s->order.len = begin + count * sizeof(uint32_t);
    s->ranges[2 * k] = (uint32_t)(begin / sizeof(uint32_t));
    s->ranges[2 * k + 1] = count;
    return CORM_OK;
}

static corm_status arrange_keys(pass *s, const between *b, const grouping *mine,
                                const uint32_t *of_row) {
    grouping    others;
    corm_status status = CORM_OK;
    if (!group(of_row, s->rows->count, b->others.count, &others)) {
        return base__fail_memory(s->p->err);
    }
    for (uint32_t k = 0; k < s->keys.count && status == CORM_OK; k++) {
        status = arrange_key(s, b, mine, &others, k);
    }
    free_grouping(&others);
    return status;
}

static corm_status arrange_between(pass *s, const between *b, const uint32_t *of_row) {
    grouping mine;
    if (!group(b->ours, b->rows->count, s->keys.count, &mine)) return base__fail_memory(s->p->err);
    corm_status status = arrange_keys(s, b, &mine, of_row);
    free_grouping(&mine);
    return status == CORM_OK ? lay_out(s) : status;
}

static corm_status read_through(pass *s, between *b) {
    corm_include all = s->include ? *s->include : (corm_include){ 0 };
    orm_fetch    fetch = { .link = s->link,
                           .model = s->link->other,
                           .path = &s->link->other_path,
                           .theirs = &s->link->other_key,
                           .include = &all,
                           .cost = &s->cost,
                           .err = s->p->err };
    uint32_t    *of_row = NULL;
    all.limit = 0; /* it is each parent's, not each key's */
    CORM_TRY(read_between(s, b));
    s->cost.passes++;
    CORM_TRY(need_below(s, &fetch));
    CORM_TRY(orm__fetch(&fetch, &b->others, &s->rows, &of_row));
    corm_status status = arrange_between(s, b, of_row);
    free(of_row);
    return status;
}

static corm_status read_many_to_many(pass *s) {
    between     b = { 0 };
    corm_status status = read_through(s, &b);
    free_between(&b);
    return status;
}

/* ---- kept with the parents ---- */

static corm_status room_for(corm_rows *rows, const orm_relation *relation, orm_related **out,
                            corm_error *err) {
    for (uint32_t i = 0; i < rows->related_count; i++) {
        *out = &rows->related[i];
        if ((*out)->relation == relation) return CORM_OK;
    }
    orm_related *more = realloc(rows->related, (rows->related_count + 1) * sizeof *more);
    if (!more) return base__fail_memory(err);
    rows->related = more;
    *out = &more[rows->related_count++];
    **out = (orm_related){ .relation = relation };
    return CORM_OK;
}

/* The ranges of the keys become those of the parents. */
static corm_status keep(pass *s, corm_rows **rows) {
    uint32_t    *ranges = calloc((size_t)s->parents->count + 1, 2 * sizeof *ranges);
    orm_related *related = NULL;
    if (!ranges) return base__fail_memory(s->p->err);
    for (uint32_t i = 0; i < s->parents->count; i++) {
        uint32_t k = s->of_parent[i];
        if (k == ORM_NO_KEY) continue;
        ranges[2 * (size_t)i] = s->ranges[2 * (size_t)k];
        ranges[2 * (size_t)i + 1] = s->ranges[2 * (size_t)k + 1];
    }
    corm_status status = room_for(s->parents, s->link->relation, &related, s->p->err);
    if (status != CORM_OK) {
        free(ranges);
        return status;
    }
    corm_rows_free(related->rows);
    free(related->ranges);
    *related = (orm_related){ s->link->relation, s->rows, ranges, s->parents->count, s->cost };
    *rows = s->rows;
    s->rows = NULL;
    return CORM_OK;
}

static corm_status read_pass(pass *s) {
    s->of_parent = malloc(((size_t)s->parents->count + 1) * sizeof *s->of_parent);
    if (!s->of_parent) return base__fail_memory(s->p->err);
    CORM_TRY(orm__keys_of_rows(&s->keys, s->parents, &s->link->ours, s->of_parent, s->p->err));
    s->ranges = calloc((size_t)s->keys.count + 1, 2 * sizeof *s->ranges);
    if (!s->ranges) return base__fail_memory(s->p->err);
    s->cost.passes++;
    return s->link->relation->spec->kind == CORM_MANY_TO_MANY ? read_many_to_many(s) : read_two(s);
}

static void free_pass(pass *s) {
    orm__keys_free(&s->keys);
    free(s->of_parent);
    free(s->ranges);
    base__buf_free(&s->order);
    corm_rows_free(s->rows);
}

static corm_status read_wishes(populating *p, corm_rows *parents, const wish *list);

static corm_status read_wish(populating *p, corm_rows *parents, const wish *w) {
    orm_relation *relation;
    pass          s = { .p = p, .parents = parents, .include = w->given, .below = w->below };
    CORM_TRY(orm__relation_named(parents->model, w->name, &relation, p->err));
    CORM_TRY(orm__relation_link(parents->model, relation, &s.link, p->err));
    corm_rows  *rows = NULL;
    corm_status status = read_pass(&s);
    if (status == CORM_OK) status = keep(&s, &rows);
    free_pass(&s);
    return status == CORM_OK ? read_wishes(p, rows, w->below) : status;
}

static corm_status read_wishes(populating *p, corm_rows *parents, const wish *list) {
    for (const wish *w = list; w; w = w->next) CORM_TRY(read_wish(p, parents, w));
    return CORM_OK;
}

/* ---- for finds and the program ---- */

static corm_status populate(populating *p, corm_rows *rows, const char *const *names,
                            uint32_t name_count, const corm_include *includes) {
    wish *list = NULL;
    CORM_TRY(add_includes(p, &list, includes, 0));
    for (uint32_t i = 0; i < name_count; i++) CORM_TRY(add_path(p, &list, names[i]));
    return read_wishes(p, rows, list);
}

corm_status corm_populate_with(corm_rows *rows, const char *const *names,
                               const corm_include *includes, corm_error *err) {
    populating p = { .err = err };
    uint32_t   count = 0;
    if (!rows) return base__fail(err, CORM_INVALID_ARGUMENT, "the rows are NULL");
    if (!rows->db->session) return base__fail(err, CORM_CLOSED, "the db was closed");
    while (names && names[count]) count++;
    corm_status status = populate(&p, rows, names, count, includes);
    base__arena_free(&p.arena);
    return status;
}

static uint32_t name_count(const corm_find_options *options) {
    uint32_t most = sizeof options->include / sizeof *options->include;
    uint32_t count = 0;
    while (count < most && options->include[count]) count++;
    return count;
}

corm_status orm__find_populate(corm_rows *rows, const corm_find_options *options) {
    uint32_t names = name_count(options);
    if (names == 0 && !options->includes) return CORM_OK;
    populating  p = { .err = options->error };
    corm_status status = populate(&p, rows, options->include, names, options->includes);
    base__arena_free(&p.arena);
    return status;
}

static corm_status take_keys(const orm_model *model, corm_str               name,
                             void (*take)(void *, const orm_field *), void *context,
                             corm_error *err) {
    orm_relation   *relation;
    const orm_link *link;
    CORM_TRY(orm__relation_named(model, name, &relation, err));
    CORM_TRY(orm__relation_link(model, relation, &link, err));
    for (uint32_t i = 0; i < link->ours.count; i++) take(context, link->ours.fields[i]);
    return CORM_OK;
}

corm_status orm__find_include_keys(const orm_model *model, const corm_find_options *options,
                                   void (*take)(void *context, const orm_field *field),
                                   void *context) {
    const corm_include *include = options->includes;
    for (uint32_t i = 0; i < name_count(options); i++) {
        corm_str    name = corm_str_of(options->include[i]);
        const char *dot = strchr(options->include[i], '.');
        if (dot) name.len = (size_t)(dot - name.data);
        CORM_TRY(take_keys(model, name, take, context, options->error));
    }
    for (; include && include->name; include++) {
        corm_str name = corm_str_of(include->name);
        CORM_TRY(take_keys(model, name, take, context, options->error));
    }
    return CORM_OK;
}
