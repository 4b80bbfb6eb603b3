// SPDX-License-Identifier: MIT
/* unique_write.c -- a write around its reservations. What another writer finds after a crash at
 * any step:
 *
 *   1  reserve the values, pending           the lease ends; the owner's row has no such value:
 *                                            it is free again
 *   2  mark the old values pending           the lease ends; the owner's row still has them:
 *                                            they stay its own
 *   3  write or delete the row               the lease ends; the owner's row tells which values
 *                                            it has
 *   4  confirm the new values                likewise for those that are not confirmed yet
 *   5  give the old values back              the lease ends; the owner's row has them no more:
 *                                            they are free
 *
 * A writer that finds its lease taken over in step 4 undoes its row.
 *
 * Writers of one row do not wait for each other. With different values, the last one's stays, and the others' are confirmed although
 * the row does not have them: whoever wants such a value finds that, and takes it over. So that nobody takes what a writer is about
 * to write, a value is made pending also when the row has it already; an update leaves such a column out instead. A pending value is told
 * by its pending_until: only the writer that has it pending confirms it or gives it back. With the same value, the second
 * writer makes it pending anew, and neither of them confirms it or gives it back: it is left to the lease, as after a crash.
 *
 * One thread. */
#include "base/clock.h"
#include "orm/query_table.h"
#include "orm/unique.h"

enum { MOST_TRIES = 16 };

/* One unique column of the write. */
typedef struct change {
    orm_claim claim,
        old;       /* the value to be written, the value that the row has; .value.len < 0: none */
    bool differs;  /* the column is written, and gets another value than it has */
    bool claims;   /* the column is written, with a value */
    bool reserved; /* pending, by this write */
    bool shared;   /* and by another one of the same row */
    bool marked;   /* the old value is pending, by this write */
} change;

typedef struct unique_write {
    orm_write  *write;
    orm_model  *model;
    cql_value  *key;
    cql_value   owner;
    bool        had_row; /* there was a row with this key */
    uint32_t    count;
    change     *changes; /* one a unique column */
    corm_error *err;
} unique_write;

static int64_t lease_end(const orm_model *model) {
    return base__clock_ms() + model->db->unique_lease_ms;
}

static corm_status not_unique(const orm_claim *claim, corm_error *err) {
    base_buf text = { 0 };
    orm__put_shown_cell(claim->field, claim->value, &text);
    const char *value = base__buf_cstr(&text);
    corm_status status =
        base__fail(err, CORM_NOT_UNIQUE, "model '%s', field '%s': '%s' is taken",
                   claim->model->table.data, claim->field->name.data, value ? value : "");
    base__buf_free(&text);
    return status;
}

static bool same_value(cql_value a, cql_value b) {
    if (a.len < 0 || b.len < 0) return a.len < 0 && b.len < 0;
    return a.len == b.len && memcmp(a.data, b.data, (size_t)a.len) == 0;
}

/* ---- the row as it is ---- */

/* "email, ttl(email), …" */
static corm_str select_text(const orm_model *model, base_arena *arena) {
    base_buf text = { 0 };
    for (uint32_t i = 0; i < model->unique_count; i++) {
        const char *name = model->uniques[i]->quoted.data;
        base__buf_printf(&text, "%s%s, ttl(%s)", i > 0 ? ", " : "", name, name);
    }
    corm_str out = { NULL, 0 };
    if (!text.failed) out = base__arena_str(arena, base__buf_str(&text));
    base__buf_free(&text);
    return out;
}

static corm_status copy_cell(base_arena *arena, corm_bytes cell, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (!cell.data) return CORM_OK;
    out->data = base__arena_copy(arena, cell.data, cell.len);
    out->len = (int32_t)cell.len;
    return out->data ? CORM_OK : base__fail_memory(err);
}

/* The unique values of the row with this key, two cells a column: the value and its TTL. */
static corm_status read_values(orm_model *model, const cql_value *key, base_arena *arena,
                               cql_value *values, bool *has_ttl, bool *found, corm_error *err) {
    corm_str select = select_text(model, arena);
    if (!select.data) return base__fail_memory(err);
    corm_result *result;
    CORM_TRY(orm__read_by_key(model, select.data, 0, key, &result, err));
    const corm_row *row = corm_result_next(result);
    corm_status     status = CORM_OK;
    *found = row != NULL;
    for (uint32_t i = 0; i < model->unique_count && status == CORM_OK; i++) {
        values[i] = CQL_NULL;
        has_ttl[i] = false;
        if (!row) continue;
        status = copy_cell(arena, corm_row_bytes(row, 2 * i), &values[i], err);
        has_ttl[i] = !corm_row_is_null(row, 2 * i + 1);
    }
    corm_result_free(result);
    return status;
}

/* Whether the owner's row has the value. */
static corm_status owner_has(orm_claim *claim, cql_value owner, bool *out, corm_error *err) {
    orm_model *model = claim->model;
    cql_value *key;
    bool       found;
    CORM_TRY(orm__unique_unpack_key(model, owner, claim->arena, &key, err));
    cql_value *values = BASE_NEW_ARRAY(claim->arena, cql_value, model->unique_count);
    bool      *has_ttl = BASE_NEW_ARRAY(claim->arena, bool, model->unique_count);
    if (!values || !has_ttl) return base__fail_memory(err);
    CORM_TRY(read_values(model, key, claim->arena, values, has_ttl, &found, err));
    *out = false;
    for (uint32_t i = 0; i < model->unique_count; i++) {
        if (model->uniques[i] == claim->field) *out = same_value(values[i], claim->value);
    }
    return CORM_OK;
}

/* ---- step 1 ---- */

/* What the claim is while this write has it, or when it is confirmed. */
static orm_holder pending(const orm_claim *claim) {
    return (orm_holder){ .owner = claim->owner, .is_pending = true, .until_ms = claim->until_ms };
}

static orm_holder confirmed(cql_value owner) {
    return (orm_holder){ .owner = owner };
}

static bool is_at_work(const orm_holder *holder) {
    return holder->is_pending && holder->until_ms >= base__clock_ms();
}

/* Makes what was found pending for this write; another writer of the row keeps at least the time that it had. */
static corm_status take(orm_claim *claim, const orm_holder *from, orm_holder *out,
                        corm_error *err) {
    claim->until_ms = lease_end(claim->model);
    if (from->is_pending && from->until_ms >= claim->until_ms) claim->until_ms = from->until_ms + 1;
    orm_holder to = pending(claim);
    return orm__unique_move(claim, from, &to, out, err);
}

/* Another row's reservation that nobody is at work with: the row decides. *mine when it was taken over. */
static corm_status take_over(orm_claim *claim, const orm_holder *holder, bool *mine,
                             corm_error *err) {
    bool       has;
    orm_holder now;
    *mine = false;
    CORM_TRY(owner_has(claim, holder->owner, &has, err));
    if (has) {
        if (holder->is_pending) CORM_TRY(orm__unique_confirm(claim, holder, &now, err));
        return not_unique(claim, err);
    }
    CORM_TRY(take(claim, holder, &now, err));
    if (!now.applied) return CORM_OK;
    /* The owner may have written its row between the look and the take-over. */
    CORM_TRY(owner_has(claim, holder->owner, &has, err));
    if (has) {
        orm_holder own = pending(claim), theirs = confirmed(holder->owner);
        CORM_TRY(orm__unique_move(claim, &own, &theirs, &now, err));
        return not_unique(claim, err);
    }
    *mine = true;
    return CORM_OK;
}

static corm_status take_own(change *c, const orm_holder *from, corm_error *err) {
    orm_holder now;
    CORM_TRY(take(&c->claim, from, &now, err));
    c->reserved = now.applied;
    c->shared = now.applied && is_at_work(from);
    return CORM_OK;
}

static corm_status reserve_once(change *c, corm_error *err) {
    orm_claim *claim = &c->claim;
    orm_holder holder;
    claim->until_ms = lease_end(claim->model);
    CORM_TRY(orm__unique_reserve(claim, claim->until_ms, &holder, err));
    c->reserved = holder.applied;
    if (holder.applied || !holder.found) return CORM_OK;
    if (same_value(holder.owner, claim->owner)) return take_own(c, &holder, err);
    if (is_at_work(&holder)) return not_unique(claim, err);
    return take_over(claim, &holder, &c->reserved, err);
}

static corm_status reserve(change *c, corm_error *err) {
    for (int tries = 0; tries < MOST_TRIES && !c->reserved; tries++) CORM_TRY(reserve_once(c, err));
    return c->reserved ? CORM_OK : not_unique(&c->claim, err);
}

/* The row's own value: pending again, unless somebody else is at work with it or has it. */
static corm_status reserve_own(change *c, corm_error *err) {
    orm_holder own = confirmed(c->claim.owner);
    CORM_TRY(take_own(c, &own, err));
    return c->reserved ? CORM_OK : reserve(c, err);
}

static corm_status reserve_all(unique_write *u) {
    for (uint32_t i = 0; i < u->count; i++) {
        change *c = &u->changes[i];
        if (c->claims) CORM_TRY((c->differs ? reserve : reserve_own)(c, u->err));
    }
    return CORM_OK;
}

/* ---- step 2 ---- */

static corm_status mark_old(unique_write *u) {
    for (uint32_t i = 0; i < u->count; i++) {
        change *c = &u->changes[i];
        if (!c->differs || c->old.value.len < 0) continue;
        orm_holder own = confirmed(u->owner), now;
        CORM_TRY(take(&c->old, &own, &now, u->err));
        c->marked = now.applied;
    }
    return CORM_OK;
}

/* Pending for longer: by itself, or by whoever of the same row has made it pending meanwhile. */
static corm_status renew_one(unique_write *u, change *c) {
    orm_holder own = pending(&c->claim), now;
    CORM_TRY(take(&c->claim, &own, &now, u->err));
    if (now.applied) return CORM_OK;
    c->reserved = false;
    if (!now.found || !same_value(now.owner, u->owner)) return not_unique(&c->claim, u->err);
    CORM_TRY(take_own(c, &now, u->err));
    return c->reserved ? CORM_OK : not_unique(&c->claim, u->err);
}

/* A lease that is half over is taken anew: from here to the confirmation there is only one
 * write. */
static corm_status renew(unique_write *u) {
    int64_t soon = base__clock_ms() + u->model->db->unique_lease_ms / 2;
    for (uint32_t i = 0; i < u->count; i++) {
        change *c = &u->changes[i];
        if (c->reserved && c->claim.until_ms <= soon) CORM_TRY(renew_one(u, c));
    }
    return CORM_OK;
}

/* ---- going back; what fails here is left to the lease ---- */

static corm_status confirm_own(orm_claim *claim, orm_holder *out, corm_error *err) {
    orm_holder own = pending(claim);
    return orm__unique_confirm(claim, &own, out, err);
}

static void undo_claims(unique_write *u) {
    for (uint32_t i = 0; i < u->count; i++) {
        change    *c = &u->changes[i];
        orm_holder now;
        bool       own = c->reserved && !c->shared;
        if (own && c->differs) (void)!orm__unique_release(&c->claim, NULL);
        if (own && !c->differs) (void)!confirm_own(&c->claim, &now, NULL);
        if (c->marked) (void)!confirm_own(&c->old, &now, NULL);
        c->reserved = c->marked = false;
    }
}

/* Whether the row may have been written although the write failed. */
static bool is_unknown(corm_status status) {
    switch (status) {
    case CORM_INVALID:
    case CORM_INVALID_ARGUMENT:
    case CORM_CONVERSION:
    case CORM_SYNTAX_ERROR:
    case CORM_UNAUTHORIZED:
    case CORM_NOT_APPLIED:
    case CORM_UNAVAILABLE:
    case CORM_UNSUPPORTED: return false;
    default: return true;
    }
}

/* UPDATE k.t SET email = <old> … WHERE key, or DELETE when there was no row. */
static void put_undo(const unique_write *u, base_buf *out) {
    const orm_model *model = u->model;
    base__buf_puts(out, u->had_row ? "UPDATE " : "DELETE FROM ");
    base__buf_put_str(out, model->path);
    for (uint32_t i = 0; i < u->count && u->had_row; i++) {
        base__buf_puts(out, i == 0 ? " SET " : ", ");
        base__buf_put_str(out, model->uniques[i]->quoted);
        base__buf_puts(out, " = ?");
    }
    for (uint32_t i = 0; i < model->key_count; i++) {
        base__buf_puts(out, i == 0 ? " WHERE " : " AND ");
        base__buf_put_str(out, model->keys[i]->quoted);
        base__buf_puts(out, " = ?");
    }
}

/* Columns that the write did not change stay unset. */
static corm_status bind_undo(const unique_write *u, corm_statement *statement) {
    uint32_t marker = 0;
    for (uint32_t i = 0; i < u->count && u->had_row; i++, marker++) {
        const change *c = &u->changes[i];
        corm_bytes    old = { NULL, 0 };
        if (c->old.value.len >= 0) old = orm__bytes_of(c->old.value);
        if (c->differs) CORM_TRY(corm_statement_bind_bytes(statement, marker, old, u->err));
    }
    for (uint32_t i = 0; i < u->model->key_count; i++) {
        corm_bytes key = orm__bytes_of(u->key[i]);
        CORM_TRY(corm_statement_bind_bytes(statement, marker++, key, u->err));
    }
    return CORM_OK;
}

static corm_status run_undo(const unique_write *u, const char *text) {
    corm_prepared *prepared;
    CORM_TRY(corm_prepare(u->model->db->session, text, &prepared, u->err));
    corm_statement *statement = corm_statement_new(prepared);
    corm_status     status = statement ? bind_undo(u, statement) : base__fail_memory(u->err);
    if (status == CORM_OK) status = corm_run(statement, NULL, u->err);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    return status;
}

static corm_status undo_row(const unique_write *u) {
    base_buf cql = { 0 };
    put_undo(u, &cql);
    const char *text = base__buf_cstr(&cql);
    corm_status status = text ? run_undo(u, text) : base__fail_memory(u->err);
    base__buf_free(&cql);
    return status;
}

/* ---- steps 4 and 5 ---- */

/* The old values that are still this row's go back into it, the others are somebody else's by now. */
static void keep_old(unique_write *u) {
    for (uint32_t i = 0; i < u->count; i++) {
        change    *c = &u->changes[i];
        orm_holder now = { 0 };
        bool       kept = c->marked && confirm_own(&c->old, &now, NULL) == CORM_OK && now.applied;
        if (!kept && c->differs) c->old.value = CQL_NULL;
        c->marked = false;
    }
}

static corm_status lost_lease(unique_write *u, change *c) {
    c->reserved = false;
    keep_old(u);
    CORM_TRY(undo_row(u));
    if (u->model->copy_count > 0) CORM_TRY(orm__copies_mend(u->write, u->err));
    undo_claims(u);
    return not_unique(&c->claim, u->err);
}

static corm_status confirm(unique_write *u) {
    for (uint32_t i = 0; i < u->count; i++) {
        change    *c = &u->changes[i];
        orm_holder now;
        if (!c->reserved || c->shared) continue;
        CORM_TRY(confirm_own(&c->claim, &now, u->err));
        bool is_own = now.found && same_value(now.owner, u->owner);
        if (!now.applied && !is_own) return lost_lease(u, c);
    }
    return CORM_OK;
}

static corm_status give_back(unique_write *u) {
    for (uint32_t i = 0; i < u->count; i++) {
        change *c = &u->changes[i];
        if (c->marked) CORM_TRY(orm__unique_release(&c->old, u->err));
    }
    return CORM_OK;
}

/* ---- the whole ---- */

/* A reservation lives a little longer than its row. */
static int32_t reservation_ttl(const unique_write *u) {
    int64_t ttl = u->write->options->ttl_seconds;
    if (ttl == 0) ttl = u->model->spec->options.default_ttl_seconds;
    if (ttl == 0) return 0;
    ttl += u->model->db->unique_lease_ms / 1000 + 1;
    return ttl > 630720000 ? 630720000 : (int32_t)ttl;
}

static corm_status read_key(unique_write *u) {
    orm_write *w = u->write;
    u->key = BASE_NEW_ARRAY(&w->arena, cql_value, u->model->key_count);
    u->changes = BASE_NEW_ARRAY(&w->arena, change, u->model->unique_count);
    if (!u->key || !u->changes) return base__fail_memory(u->err);
    for (uint32_t i = 0; i < u->model->key_count; i++) {
        CORM_TRY(orm__encode_member(u->model->keys[i], w->row, &w->arena, &u->key[i], u->err));
    }
    return orm__unique_pack_key(u->model, u->key, &w->arena, &u->owner, u->err);
}

static corm_status plan_change(unique_write *u, change *c, const orm_field *field, cql_value old,
                               bool has_ttl) {
    orm_write *w = u->write;
    uint8_t    how = w->how[field->index];
    bool       written = w->kind == ORM_DELETE || how != ORM_LEAVE;
    c->old = (orm_claim){
        .model = u->model, .field = field, .value = old, .owner = u->owner, .arena = &w->arena
    };
    c->claim = c->old;
    c->claim.value = CQL_NULL;
    c->claim.ttl_seconds = reservation_ttl(u);
    if (w->kind != ORM_DELETE && how == ORM_VALUE) {
        CORM_TRY(orm__encode_member(field, w->row, &w->arena, &c->claim.value, u->err));
    }
    c->differs = written && !same_value(c->claim.value, old);
    c->claims = written && c->claim.value.len >= 0;
    bool is_timed = has_ttl || c->claim.ttl_seconds > 0;
    if (c->claims && !c->differs && !is_timed && w->kind == ORM_UPDATE) {
        w->how[field->index] = ORM_LEAVE;
        c->claims = false;
    }
    return CORM_OK;
}

static corm_status plan(unique_write *u) {
    orm_write *w = u->write;
    cql_value *values = BASE_NEW_ARRAY(&w->arena, cql_value, u->model->unique_count);
    bool      *has_ttl = BASE_NEW_ARRAY(&w->arena, bool, u->model->unique_count);
    if (!values || !has_ttl) return base__fail_memory(u->err);
    CORM_TRY(read_key(u));
    for (uint32_t i = 0; i < u->model->unique_count; i++) values[i] = CQL_NULL;
    bool is_new = w->kind != ORM_UPDATE && w->kind != ORM_DELETE && !w->key_was_given;
    if (!is_new) {
        CORM_TRY(read_values(u->model, u->key, &w->arena, values, has_ttl, &u->had_row, u->err));
    }
    u->count = u->model->unique_count;
    for (uint32_t i = 0; i < u->count; i++) {
        CORM_TRY(plan_change(u, &u->changes[i], u->model->uniques[i], values[i], has_ttl[i]));
    }
    return CORM_OK;
}

static corm_status claim_all(unique_write *u) {
    CORM_TRY(reserve_all(u));
    CORM_TRY(mark_old(u));
    return renew(u);
}

/* At a quorum, where the caller leaves it open, so that whoever looks at the row afterwards sees it. */
static corm_status write_row(orm_write *write) {
    const corm_write_options *given = write->options;
    corm_write_options        options = *given;
    if (options.request.consistency == CORM_CONSISTENCY_DEFAULT) {
        options.request.consistency = CORM_QUORUM;
    }
    write->options = &options;
    corm_status status = orm__write_run(write, write->err);
    write->options = given;
    return status;
}

corm_status orm__write_unique(orm_write *write) {
    unique_write u = { .write = write, .model = write->model, .err = write->err };
    CORM_TRY(plan(&u));
    corm_status status = claim_all(&u);
    if (status != CORM_OK) {
        undo_claims(&u);
        return status;
    }
    status = write_row(write);
    if (status != CORM_OK) {
        if (!is_unknown(status)) undo_claims(&u);
        return status;
    }
    CORM_TRY(confirm(&u));
    return give_back(&u);
}
