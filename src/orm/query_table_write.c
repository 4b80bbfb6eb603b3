// SPDX-License-Identifier: MIT
/* query_table_write.c -- the copies of a row that is written.
 *
 *   the copy's key has the model's columns only   the same statement for the copy, no reading
 *   it has more, so that the copy may move        the row is read first; one logged batch:
 *                                                   the row's statement
 *                                                   key as before: the same columns
 *                                                   key another:   DELETE of the old copy, the whole new one
 *                                                 then the row is read again: when another writer came between, its copies
 *                                                 are written whole from what is there (settle)
 *   a lightweight transaction                     cannot be in such a batch: it comes first, then the copies are written whole
 *                                                 from what is there. A crash between leaves old copies until the next such
 *                                                 write, or a rebuild.
 *
 * What is written from what was read carries a time from before the reading, so that later writes win. Any thread; db.rows has a lock
 * for each row, so that two threads do not move the same copy at once. */
#include "base/clock.h"
#include "orm/query_table.h"

enum { MOST_ROUNDS = 16 };

typedef struct copying {
    orm_write  *write;
    orm_model  *model;
    base_arena  arena;
    orm_image   old;    /* the row as it was; .row NULL also where it was not read */
    orm_image   merged; /* as it will be */
    bool        was_read;
    bool        must_settle; /* what is in the batch may not be all */
    corm_error *err;
} copying;

static bool is_new(const orm_write *write) {
    bool makes = write->kind == ORM_INSERT || write->kind == ORM_SAVE || write->kind == ORM_UPSERT;
    return makes && !write->key_was_given;
}

static bool any_moves(const orm_model *model) {
    for (uint32_t i = 0; i < model->copy_count; i++) {
        if (model->copies[i]->moves) return true;
    }
    return false;
}

static orm_copy_sink sink_of(copying *c, corm_batch *batch) {
    return (orm_copy_sink){
        .batch = batch, .request = c->write->options->request, .arena = &c->arena, .err = c->err
    };
}

/* ---- the row as it will be ---- */

static corm_status merge(copying *c) {
    orm_image       *out = &c->merged;
    const orm_write *w = c->write;
    uint8_t         *row = BASE_NEW_ARRAY(&c->arena, uint8_t, c->model->spec->row_size);
    out->how = BASE_NEW_ARRAY(&c->arena, uint8_t, c->model->count);
    out->ttls = BASE_NEW_ARRAY(&c->arena, int32_t, c->model->count);
    out->stamps = BASE_NEW_ARRAY(&c->arena, int64_t, c->model->count);
    if (!row || !out->how || !out->ttls || !out->stamps) return base__fail_memory(c->err);
    if (c->old.row) memcpy(row, c->old.row, c->model->spec->row_size);
    for (uint32_t i = 0; i < c->model->count; i++) {
        const orm_field *field = &c->model->fields[i];
        bool             keeps = w->how[i] == ORM_LEAVE || w->how[i] == ORM_EDITED;
        out->how[i] = w->how[i] == ORM_VALUE ? ORM_VALUE : ORM_NULL;
        if (keeps && c->old.row) out->how[i] = c->old.how[i];
        if (keeps && c->old.row) out->ttls[i] = c->old.ttls[i];
        if (w->how[i] != ORM_VALUE) continue;
        memcpy(row + field->offset, w->row + field->offset, field->size);
        out->ttls[i] = w->options->ttl_seconds;
    }
    out->row = row;
    return CORM_OK;
}

/* Whether the write gives the copy another key than it had. */
static corm_status has_moved(copying *c, const orm_model *copy, bool *out) {
    *out = false;
    for (uint32_t i = 0; i < copy->key_count; i++) {
        const orm_field *field = &c->model->fields[copy->origins[copy->keys[i]->index]];
        cql_value        now;
        if (orm__is_key(field) || c->write->how[field->index] != ORM_VALUE) continue;
        CORM_TRY(orm__encode_member(field, c->write->row, &c->arena, &now, c->err));
        corm_bytes old = c->old.cells[field->index];
        bool       same = now.len >= 0 && old.data && (size_t)now.len == old.len &&
                    memcmp(now.data, old.data, old.len) == 0;
        *out = *out || !same;
    }
    return CORM_OK;
}

/* ---- one copy, beside the row's statement ---- */

static bool is_edited(const copying *c, const orm_model *copy) {
    for (uint32_t i = 0; i < copy->count && c->write->edit_count > 0; i++) {
        if (c->write->how[copy->origins[i]] == ORM_EDITED) return true;
    }
    return false;
}

/* The edits of columns that the copy has. */
static corm_status take_edits(copying *c, orm_write *to) {
    const orm_write *from = c->write;
    to->edits = NULL;
    to->edit_count = 0;
    if (from->edit_count == 0) return CORM_OK;
    corm_edit *edits = BASE_NEW_ARRAY(&c->arena, corm_edit, from->edit_count + 1);
    if (!edits) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < from->edit_count; i++) {
        if (!orm__field(to->model, corm_str_of(from->edits[i].column))) continue;
        edits[to->edit_count++] = from->edits[i];
    }
    to->edits = edits;
    return CORM_OK;
}

/* The same statement for the copy; `row` has its key. Nothing when it has none of the columns. */
static corm_status mirror(copying *c, orm_model *copy, const void *row, corm_batch *batch) {
    corm_write_options options = { .request = c->write->options->request,
                                   .ttl_seconds = c->write->options->ttl_seconds };
    orm_write          write = *c->write;
    bool               any = write.kind == ORM_DELETE;
    write.model = copy;
    write.row = (uint8_t *)(uintptr_t)row;
    write.options = &options;
    write.arena = (base_arena){ 0 };
    write.asks_version = write.by_partition = false;
    write.how = BASE_NEW_ARRAY(&c->arena, uint8_t, copy->count);
    if (!write.how) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < copy->count; i++) {
        bool is_key = orm__is_key(&copy->fields[i]);
        write.how[i] = is_key ? ORM_VALUE : c->write->how[copy->origins[i]];
        any = any || (!is_key && write.how[i] != ORM_LEAVE);
    }
    bool makes_row = write.kind != ORM_UPDATE && write.kind != ORM_DELETE && !write.as_update;
    if (!any && !makes_row) return CORM_OK;
    CORM_TRY(take_edits(c, &write));
    corm_status status = orm__write_add(&write, batch, c->err);
    base__arena_free(&write.arena);
    return status;
}

static corm_status move(copying *c, orm_model *copy, corm_batch *batch) {
    orm_copy_sink sink = sink_of(c, batch);
    bool          had = orm__image_has_copy(&c->old, copy);
    bool          has = c->write->kind != ORM_DELETE && orm__image_has_copy(&c->merged, copy);
    bool          moved = true;
    if (had && has) CORM_TRY(has_moved(c, copy, &moved));
    bool ends = has && orm__image_key_ttl(&c->merged, copy) > 0;
    if (had && has && !moved && !ends) return mirror(c, copy, c->merged.row, batch);
    if (had && moved) CORM_TRY(orm__copy_drop(&sink, copy, c->old.row));
    if (has) CORM_TRY(orm__copy_put(&sink, copy, &c->merged));
    c->must_settle = c->must_settle || (has && is_edited(c, copy));
    return CORM_OK;
}

static corm_status add_copies(copying *c, corm_batch *batch) {
    for (uint32_t i = 0; i < c->model->copy_count; i++) {
        orm_model *copy = c->model->copies[i];
        CORM_TRY(copy->moves ? move(c, copy, batch) : mirror(c, copy, c->write->row, batch));
    }
    return CORM_OK;
}

static corm_status read_old(copying *c) {
    if (!any_moves(c->model) || is_new(c->write)) return CORM_OK;
    c->was_read = true;
    return orm__image_read(c->model, c->write->row, &c->write->options->request, &c->arena, &c->old,
                           c->err);
}

/* The row's statement and those of the copies. */
static corm_status fill(copying *c, corm_batch *batch) {
    CORM_TRY(read_old(c));
    CORM_TRY(merge(c));
    CORM_TRY(orm__write_add(c->write, batch, c->err));
    return add_copies(c, batch);
}

/* ---- settling ---- */

static bool is_strong(corm_consistency consistency) {
    return consistency == CORM_QUORUM || consistency == CORM_ALL ||
           consistency == CORM_LOCAL_QUORUM || consistency == CORM_EACH_QUORUM;
}

/* Where a replica that is behind may answer, what is read proves nothing. */
static bool sees_own_writes(const orm_write *write) {
    corm_consistency asked = write->options->request.consistency;
    if (!session__is_cluster(write->db->session)) return true;
    return is_strong(asked ? asked : write->db->consistency);
}

/* Transactions are read as they were made. */
static corm_consistency serial_of(const orm_write *write) {
    corm_consistency asked = write->options->request.serial_consistency;
    return asked ? asked : CORM_SERIAL;
}

static bool same_cell(corm_bytes a, corm_bytes b) {
    if (!a.data || !b.data) return !a.data && !b.data;
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* Whether the row is as this write should have left it, as far as other writers can have changed it for its copies. */
static corm_status is_as_left(copying *c, const orm_image *now, bool *out) {
    *out = (c->write->kind == ORM_DELETE) == !now->row;
    for (uint32_t i = 0; i < c->model->count && *out && now->row; i++) {
        const orm_field *field = &c->model->fields[i];
        if (field->key != CORM_REGULAR || c->write->how[i] == ORM_EDITED) continue;
        if (c->write->how[i] == ORM_LEAVE) {
            corm_bytes old = c->old.row ? c->old.cells[i] : (corm_bytes){ NULL, 0 };
            *out = same_cell(old, now->cells[i]);
        } else if (c->write->how[i] == ORM_NULL) {
            *out = !now->cells[i].data;
        } else if (!cql__type_is_multicell(field->stored_type) && !orm__is_sealed(field)) {
            cql_value wire;
            CORM_TRY(orm__encode_member(field, c->write->row, &c->arena, &wire, c->err));
            corm_bytes mine = { wire.len < 0 ? NULL : wire.data,
                                wire.len < 0 ? 0 : (size_t)wire.len };
            *out = same_cell(mine, now->cells[i]);
        }
    }
    return CORM_OK;
}

static bool is_unchanged(const orm_model *model, const orm_image *before, const orm_image *now) {
    if (!before->row || !now->row) return !before->row && !now->row;
    for (uint32_t i = 0; i < model->count; i++) {
        if (!same_cell(before->cells[i], now->cells[i])) return false;
    }
    return true;
}

/* A key column as stored; the merged row has no cells yet. */
static corm_status key_cell(copying *c, const orm_image *image, uint32_t field, corm_bytes *out) {
    cql_value wire;
    *out = (corm_bytes){ NULL, 0 };
    if (image->cells) *out = image->cells[field];
    if (image->cells) return CORM_OK;
    CORM_TRY(orm__encode_member(&c->model->fields[field], image->row, &c->arena, &wire, c->err));
    if (wire.len >= 0) *out = orm__bytes_of(wire);
    return CORM_OK;
}

static corm_status same_key(copying *c, const orm_model *copy, const orm_image *a,
                            const orm_image *b, bool *out) {
    *out = orm__image_has_copy(a, copy) && orm__image_has_copy(b, copy);
    for (uint32_t k = 0; k < copy->key_count && *out; k++) {
        corm_bytes x;
        corm_bytes y;
        uint32_t   origin = copy->origins[copy->keys[k]->index];
        CORM_TRY(key_cell(c, a, origin, &x));
        CORM_TRY(key_cell(c, b, origin, &y));
        *out = same_cell(x, y);
    }
    return CORM_OK;
}

/* A copy that was written or found before, and is not the row's any more. */
static corm_status drop_other(copying *c, const orm_copy_sink *sink, orm_model *copy,
                              const orm_image *now, const orm_image *before) {
    bool same;
    if (!orm__image_has_copy(before, copy)) return CORM_OK;
    CORM_TRY(same_key(c, copy, now, before, &same));
    return same ? CORM_OK : orm__copy_drop(sink, copy, before->row);
}

static corm_status copies_of(copying *c, const orm_copy_sink *sink, const orm_image *now,
                             const orm_image *before) {
    for (uint32_t i = 0; i < c->model->copy_count; i++) {
        orm_model *copy = c->model->copies[i];
        CORM_TRY(drop_other(c, sink, copy, now, before));
        if (c->write->kind != ORM_DELETE) CORM_TRY(drop_other(c, sink, copy, now, &c->merged));
        if (orm__image_has_copy(now, copy)) CORM_TRY(orm__copy_put(sink, copy, now));
    }
    return CORM_OK;
}

/* All copies, whole, from what is there; those of other keys that are known go. */
static corm_status write_whole(copying *c, int64_t time, const orm_image *now,
                               const orm_image *before) {
    corm_batch *batch = corm_batch_new(c->write->db->session, CORM_LOGGED);
    if (!batch) return base__fail_memory(c->err);
    orm_copy_sink         sink = sink_of(c, batch);
    corm_status           status = copies_of(c, &sink, now, before);
    corm_request_options *request = corm_batch_options(batch);
    *request = c->write->options->request;
    request->has_timestamp = true;
    request->timestamp_us = time;
    if (status == CORM_OK && corm_batch_count(batch) > 0) {
        status = corm_batch_run(batch, NULL, c->err);
    }
    corm_batch_free(batch);
    return status;
}

/* One look at the row: *fine when its copies are known to be right, else they are written anew. */
static corm_status look(copying *c, bool known, const orm_image *before, orm_image *now,
                        bool *fine) {
    corm_request_options request = c->write->options->request;
    int64_t              time = base__clock_write_us();
    if (orm__is_conditional(c->write)) request.consistency = serial_of(c->write);
    *fine = false;
    CORM_TRY(orm__image_read(c->model, c->write->row, &request, &c->arena, now, c->err));
    if (known && before == &c->old) CORM_TRY(is_as_left(c, now, fine));
    if (known && before != &c->old) *fine = is_unchanged(c->model, before, now);
    return *fine ? CORM_OK : write_whole(c, time, now, before);
}

/* `known` false: the copies are not known to be right. Goes on until nobody has come between. */
static corm_status settle(copying *c, bool known) {
    orm_image   seen[2] = { { 0 }, { 0 } };
    orm_image  *before = &c->old;
    bool        fine = false;
    corm_status status = CORM_OK;
    for (int round = 0; round < MOST_ROUNDS && status == CORM_OK && !fine; round++) {
        orm_image *now = &seen[round % 2];
        orm__image_free(now);
        status = look(c, known, before, now, &fine);
        before = now;
        known = true;
    }
    orm__image_free(&seen[0]);
    orm__image_free(&seen[1]);
    return status;
}

/* ---- the whole ---- */

static void end(copying *c) {
    orm__image_free(&c->old);
    base__arena_free(&c->arena);
}

static corm_status run_batch(copying *c) {
    corm_batch *batch = corm_batch_new(c->write->db->session, CORM_LOGGED);
    if (!batch) return base__fail_memory(c->err);
    corm_status status = fill(c, batch);
    *corm_batch_options(batch) = c->write->options->request;
    if (status == CORM_OK) status = corm_batch_run(batch, NULL, c->err);
    corm_batch_free(batch);
    return status;
}

static corm_status run_plain(copying *c) {
    CORM_TRY(run_batch(c));
    if (c->must_settle) return settle(c, false);
    bool sure =
        c->was_read && !c->write->options->request.has_timestamp && sees_own_writes(c->write);
    return sure ? settle(c, true) : CORM_OK;
}

/* The transaction decides first. */
static corm_status run_conditional(copying *c) {
    if (!c->write->options->if_not_exists) CORM_TRY(read_old(c));
    CORM_TRY(orm__write_alone(c->write, c->err));
    return settle(c, false);
}

/* Writers of one row come one after the other as far as they use the same db: of two who move a copy at once, neither would know
 * where the other has put it. */
static corm_status find_lock(copying *c, pthread_mutex_t **out) {
    uint64_t hash = 0;
    for (uint32_t i = 0; i < c->model->key_count; i++) {
        cql_value wire;
        CORM_TRY(orm__encode_member(c->model->keys[i], c->write->row, &c->arena, &wire, c->err));
        if (wire.len > 0) hash = base__hash(wire.data, (size_t)wire.len, hash);
    }
    *out = &c->write->db->rows[hash % ORM_ROW_LOCKS];
    return CORM_OK;
}

static corm_status run_alone(copying *c) {
    bool conditional = orm__is_conditional(c->write);
    if (!any_moves(c->model) && !conditional) return run_plain(c);
    pthread_mutex_t *lock;
    CORM_TRY(find_lock(c, &lock));
    pthread_mutex_lock(lock);
    corm_status status = conditional ? run_conditional(c) : run_plain(c);
    pthread_mutex_unlock(lock);
    return status;
}

corm_status orm__copies_run(orm_write *write, corm_error *err) {
    copying c = { .write = write, .model = write->model, .err = err };
    if (write->by_partition) return orm__write_alone(write, err); /* statics are in no copy */
    corm_status status = run_alone(&c);
    end(&c);
    return status;
}

corm_status orm__copies_add(orm_write *write, corm_batch *batch, corm_error *err) {
    copying c = { .write = write, .model = write->model, .err = err };
    if (write->by_partition) return orm__write_add(write, batch, err);
    if (orm__is_conditional(write)) {
        return base__fail(err, CORM_UNSUPPORTED,
                          "model '%s' has query tables, and a batch with conditions is of one "
                          "partition: write its rows one by one",
                          write->model->table.data);
    }
    corm_status status = fill(&c, batch);
    if (status == CORM_OK && c.must_settle) {
        status = base__fail(err, CORM_UNSUPPORTED,
                            "model '%s': a change of a collection that moves the row in a query "
                            "table cannot be part of a batch",
                            write->model->table.data);
    }
    end(&c);
    return status;
}

static corm_status mend(copying *c) {
    int64_t time = base__clock_write_us();
    CORM_TRY(orm__image_read(c->model, c->write->row, &c->write->options->request, &c->arena,
                             &c->old, c->err));
    CORM_TRY(merge(c)); /* the keys that the write gave its copies */
    return write_whole(c, time, &c->old, &c->old);
}

corm_status orm__copies_mend(orm_write *write, corm_error *err) {
    copying          c = { .write = write, .model = write->model, .err = err };
    pthread_mutex_t *lock;
    corm_status      status = find_lock(&c, &lock);
    if (status == CORM_OK) {
        pthread_mutex_lock(lock);
        status = mend(&c);
        pthread_mutex_unlock(lock);
    }
    end(&c);
    return status;
}
