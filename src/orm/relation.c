// SPDX-License-Identifier: MIT
/* relation.c -- relations of models: checked when the model is compiled, linked to the other model when they are first needed,
 * since two models may name each other.
 *
 *   orm_model.relations[i] .link -> orm_link, made once; read without a lock
 *
 * Any thread. */
#include "orm/relation.h"

#include <stdlib.h>

static corm_status bad(const orm_model *model, const char *relation, corm_error *err,
                       const char *what) {
    return base__fail(err, CORM_INVALID_ARGUMENT, "model '%s', relation '%s': %s",
                      model->table.data, relation, what);
}

/* ---- paths ---- */

static void put_key_names(const orm_key *key, base_buf *out) {
    for (uint32_t i = 0; i < key->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, key->fields[i]->name);
    }
}

static corm_status no_path(const orm_link *link, const orm_model *table, const orm_key *key,
                           corm_error *err) {
    base_buf names = { 0 };
    put_key_names(key, &names);
    const char *text = base__buf_cstr(&names);
    corm_status status =
        text ? base__fail(err, CORM_INVALID_ARGUMENT,
                          "model '%s', relation '%s': table '%s' cannot be asked for (%s) without "
                          "reading all of it; make that its partition key, %sor give its model a "
                          "query table { .table = \"%s_by_%s\", .partition_key = \"%s\" } with the "
                          "rest of the key as .clustering_key",
                          link->model->table.data, link->relation->name.data, table->table.data,
                          text, key->count == 1 ? "give it .indexed = true, " : "",
                          table->table.data, key->fields[0]->name.data, text)
             : base__fail_memory(err);
    base__buf_free(&names);
    return status;
}

static corm_status find_path(const orm_link *link, orm_model *table, const orm_key *key,
                             orm_path *out, corm_error *err) {
    corm_status status = orm__path_find(table, key, false, out);
    if (status == CORM_NOT_FOUND) status = orm__path_find(table, key, true, out);
    return status == CORM_NOT_FOUND ? no_path(link, table, key, err) : status;
}

/* ---- compiled without the other model ---- */

static bool is_named(const corm_relation *spec, const orm_relation *before, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(before[i].name.data, spec->name) == 0) return true;
    }
    return false;
}

static corm_status check_nulls(const orm_model *model, const corm_relation *spec, corm_error *err) {
    if ((unsigned)spec->on_delete > CORM_DELETE_REFUSES) {
        return bad(model, spec->name, err, "its .on_delete is none of corm_on_delete");
    }
    if (spec->on_delete != CORM_DELETE_LEAVES && spec->kind == CORM_BELONGS_TO) {
        return bad(model, spec->name, err,
                   ".on_delete is said on the side that has: this side belongs");
    }
    if (spec->on_delete == CORM_DELETE_NULLS && spec->kind == CORM_MANY_TO_MANY) {
        return bad(
            model, spec->name, err,
            "the rows of the table between cannot have null in their key: CORM_DELETE_CASCADES "
            "deletes them");
    }
    return CORM_OK;
}

static corm_status check_kind(const orm_model *model, const corm_relation *spec, corm_error *err) {
    if (spec->kind == CORM_NO_RELATION || (unsigned)spec->kind > CORM_MANY_TO_MANY) {
        return bad(model, spec->name, err, "its .kind is none of corm_relation_kind");
    }
    if (!spec->model == !spec->to) {
        return bad(model, spec->name, err, "it needs the other model, as .model or as .to");
    }
    if (!spec->foreign_key) return bad(model, spec->name, err, "it has no .foreign_key");
    bool between = spec->through || spec->through_model || spec->other_key;
    if (spec->kind != CORM_MANY_TO_MANY && between) {
        return bad(model, spec->name, err,
                   ".through, .through_model and .other_key are for many to many");
    }
    if (spec->kind == CORM_MANY_TO_MANY && !spec->through == !spec->through_model) {
        return bad(model, spec->name, err,
                   "many to many needs the table between, as .through or as .through_model");
    }
    if (spec->kind == CORM_MANY_TO_MANY && !spec->other_key) {
        return bad(
            model, spec->name, err,
            "many to many needs .other_key, the columns of the table between with the other's key");
    }
    return check_nulls(model, spec, err);
}

static corm_status check_relation(orm_model *model, const corm_relation *spec, corm_error *err) {
    orm_key key;
    if (strchr(spec->name, '.') || !*spec->name) {
        return bad(model, spec->name, err, "its name is empty or has a dot");
    }
    if (is_named(spec, model->relations, model->relation_count)) {
        return bad(model, spec->name, err, "two relations have this name");
    }
    CORM_TRY(check_kind(model, spec, err));
    if (spec->kind == CORM_BELONGS_TO) return orm__key_parse(model, spec->foreign_key, &key, err);
    return spec->references ? orm__key_parse(model, spec->references, &key, err) : CORM_OK;
}

corm_status orm__relations_compile(orm_model *model, corm_error *err) {
    const corm_relation *specs = model->spec->relations;
    uint32_t             count = 0;
    while (count < CORM_MODEL_MAX_RELATIONS && specs[count].name) count++;
    if (count == 0) return CORM_OK;
    model->relations = BASE_NEW_ARRAY(&model->arena, orm_relation, count);
    if (!model->relations) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        orm_relation *relation = &model->relations[i];
        CORM_TRY(check_relation(model, &specs[i], err));
        relation->spec = &specs[i];
        relation->name = base__arena_str(&model->arena, corm_str_of(specs[i].name));
        if (!relation->name.data) return base__fail_memory(err);
        model->relation_count++;
    }
    return CORM_OK;
}

void orm__relations_free(orm_model *model) {
    for (uint32_t i = 0; i < model->relation_count; i++) {
        free(atomic_load(&model->relations[i].link));
    }
}

corm_status orm__relation_named(const orm_model *model, corm_str name, orm_relation **out,
                                corm_error *err) {
    corm_str names[CORM_MODEL_MAX_RELATIONS];
    for (uint32_t i = 0; i < model->relation_count; i++) {
        names[i] = model->relations[i].name;
        *out = &model->relations[i];
        if (corm_str_equal(names[i], name)) return CORM_OK;
    }
    corm_str near = orm__nearest(name, names, model->relation_count);
    return base__fail(err, CORM_INVALID_ARGUMENT, "model '%s' has no relation '%.*s'%s%.*s%s",
                      model->table.data, (int)name.len, name.data,
                      near.len > 0 ? ", did you mean '" : "", (int)near.len, near.data,
                      near.len > 0 ? "'?" : "");
}

/* ---- the other model ---- */

static orm_model *loaded(const orm_model *model, const char *table) {
    orm_model *other = atomic_load_explicit(&model->db->models, memory_order_acquire);
    for (; other; other = other->next) {
        if (corm_str_equal(other->keyspace, model->keyspace) &&
            corm_str_equal(other->table, corm_str_of(table))) {
            return other;
        }
    }
    return NULL;
}

static orm_model *loaded_spec(const orm_model *model, const corm_model *spec) {
    orm_model *other = atomic_load_explicit(&model->db->models, memory_order_acquire);
    while (other && other->spec != spec) other = other->next;
    return other;
}

static corm_status not_loaded(const orm_model *model, const orm_relation *relation,
                              const char *table, corm_error *err) {
    corm_str   names[64];
    size_t     count = 0;
    orm_model *other = atomic_load_explicit(&model->db->models, memory_order_acquire);
    for (; other && count < 64; other = other->next) names[count++] = other->table;
    corm_str near = orm__nearest(corm_str_of(table), names, count);
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "model '%s', relation '%s': no model of table '%s' was loaded%s%.*s%s; "
                      "corm_load it, or name it with .to",
                      model->table.data, relation->name.data, table,
                      near.len > 0 ? ", did you mean '" : "", (int)near.len, near.data,
                      near.len > 0 ? "'?" : "");
}

static corm_status other_model(const orm_model *model, const orm_relation *relation,
                               const corm_model *spec, const char *table, orm_model **out,
                               corm_error *err) {
    if (spec) return orm__model(model->db, spec, out, err);
    *out = loaded(model, table);
    return *out ? CORM_OK : not_loaded(model, relation, table, err);
}

/* ---- links ---- */

static bool is_uuid(const cql_type *type) {
    return type->id == CQL_UUID || type->id == CQL_TIMEUUID;
}

static bool is_text(const cql_type *type) {
    return type->id == CQL_TEXT || type->id == CQL_ASCII;
}

static bool types_fit(const orm_field *a, const orm_field *b) {
    return corm_str_equal(a->cql, b->cql) || (is_uuid(a->type) && is_uuid(b->type)) ||
           (is_text(a->type) && is_text(b->type));
}

static corm_status keys_fit(const orm_link *link, const orm_model *a_model, const orm_key *a,
                            const orm_model *b_model, const orm_key *b, corm_error *err) {
    if (a->count != b->count) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "model '%s', relation '%s': the key of '%s' has %u columns, that of '%s' "
                          "has %u",
                          link->model->table.data, link->relation->name.data, a_model->table.data,
                          a->count, b_model->table.data, b->count);
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (orm__is_sealed(a->fields[i]) || orm__is_sealed(b->fields[i])) {
            return bad(link->model, link->relation->name.data, err,
                       "a sealed column cannot be part of its key");
        }
        if (types_fit(a->fields[i], b->fields[i])) continue;
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "model '%s', relation '%s': '%s' of '%s' is of type %s, '%s' of '%s' is "
                          "of type %s",
                          link->model->table.data, link->relation->name.data,
                          a->fields[i]->name.data, a_model->table.data, a->fields[i]->cql.data,
                          b->fields[i]->name.data, b_model->table.data, b->fields[i]->cql.data);
    }
    return CORM_OK;
}

static corm_status key_of_model(const orm_model *model, uint32_t count, orm_key *out,
                                corm_error *err) {
    uint32_t most = count == model->key_count ? count : model->partition_count;
    if (most > ORM_MOST_KEY) {
        return base__fail(err, CORM_UNSUPPORTED,
                          "model '%s': a relation's key has at most %d columns", model->table.data,
                          ORM_MOST_KEY);
    }
    *out = (orm_key){ .count = most };
    for (uint32_t i = 0; i < most; i++) out->fields[i] = model->keys[i];
    return CORM_OK;
}

/* The key that is meant: .references, or by the number of the columns that name it. */
static corm_status meant_key(const orm_model *model, const char *references, uint32_t count,
                             orm_key *out, corm_error *err) {
    return references ? orm__key_parse(model, references, out, err)
                      : key_of_model(model, count, out, err);
}

static corm_status check_on_delete(const orm_link *link, corm_error *err) {
    if (link->relation->spec->on_delete != CORM_DELETE_NULLS) return CORM_OK;
    for (uint32_t i = 0; i < link->theirs.count; i++) {
        if (link->theirs.fields[i]->key == CORM_REGULAR) continue;
        return bad(link->model, link->relation->name.data, err,
                   "CORM_DELETE_NULLS writes null, and its foreign key is not of regular columns");
    }
    return CORM_OK;
}

static corm_status link_two(orm_link *link, corm_error *err) {
    const corm_relation *spec = link->relation->spec;
    bool                 has = orm__relation_has(spec);
    const orm_model     *holder = has ? link->other : link->model; /* of the foreign key */
    orm_key             *foreign = has ? &link->theirs : &link->ours;
    orm_key             *meant = has ? &link->ours : &link->theirs;
    const orm_model     *owner = has ? link->model : link->other;
    CORM_TRY(orm__key_parse(holder, spec->foreign_key, foreign, err));
    CORM_TRY(meant_key(owner, spec->references, foreign->count, meant, err));
    CORM_TRY(keys_fit(link, holder, foreign, owner, meant, err));
    CORM_TRY(check_on_delete(link, err));
    return find_path(link, link->other, &link->theirs, &link->path, err);
}

static corm_status link_between(orm_link *link, corm_error *err) {
    const corm_relation *spec = link->relation->spec;
    CORM_TRY(other_model(link->model, link->relation, spec->through_model, spec->through,
                         &link->between, err));
    CORM_TRY(orm__key_parse(link->between, spec->foreign_key, &link->theirs, err));
    CORM_TRY(meant_key(link->model, spec->references, link->theirs.count, &link->ours, err));
    CORM_TRY(keys_fit(link, link->between, &link->theirs, link->model, &link->ours, err));
    CORM_TRY(orm__key_parse(link->between, spec->other_key, &link->between_other, err));
    CORM_TRY(meant_key(link->other, NULL, link->between_other.count, &link->other_key, err));
    CORM_TRY(
        keys_fit(link, link->between, &link->between_other, link->other, &link->other_key, err));
    CORM_TRY(find_path(link, link->between, &link->theirs, &link->path, err));
    return find_path(link, link->other, &link->other_key, &link->other_path, err);
}

static corm_status make_link(const orm_model *model, orm_relation *relation, orm_link *link,
                             corm_error *err) {
    const corm_relation *spec = relation->spec;
    *link = (orm_link){ .model = model, .relation = relation };
    CORM_TRY(other_model(model, relation, spec->to, spec->model, &link->other, err));
    return spec->kind == CORM_MANY_TO_MANY ? link_between(link, err) : link_two(link, err);
}

corm_status orm__relation_link(const orm_model *model, orm_relation *relation, const orm_link **out,
                               corm_error *err) {
    orm_link *link = atomic_load_explicit(&relation->link, memory_order_acquire);
    *out = link;
    if (link) return CORM_OK;
    link = calloc(1, sizeof *link);
    if (!link) return base__fail_memory(err);
    corm_status status = make_link(model, relation, link, err);
    orm_link   *first = NULL;
    if (status == CORM_OK && atomic_compare_exchange_strong(&relation->link, &first, link)) {
        *out = link;
        return CORM_OK;
    }
    free(link);
    *out = first;
    return status;
}

static bool is_linkable(const orm_model *model, const corm_relation *spec) {
    bool other =
        spec->to ? loaded_spec(model, spec->to) != NULL : loaded(model, spec->model) != NULL;
    if (spec->kind != CORM_MANY_TO_MANY || !other) return other;
    return spec->through_model ? loaded_spec(model, spec->through_model) != NULL
                               : loaded(model, spec->through) != NULL;
}

corm_status orm__relations_check(orm_model *model, corm_error *err) {
    for (uint32_t i = 0; i < model->relation_count; i++) {
        const orm_link *link;
        if (!is_linkable(model, model->relations[i].spec)) continue;
        CORM_TRY(orm__relation_link(model, &model->relations[i], &link, err));
    }
    return CORM_OK;
}
