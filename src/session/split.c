// SPDX-License-Identifier: MIT
/* split.c -- a batch of any size as unlogged batches of one partition each.
 *
 *   statements ─► groups, by keyspace and token ─► pieces of bounded size ─► window of several at a time
 *
 * The pieces of a group go out one behind the other, each with a client timestamp above that of the one before, so that
 * what was added last wins also where a partition needs several pieces. (One piece alone is as any batch: it may have conditions.) Statements whose partition is not known before the
 * server reads them are a group each. Everything but the answers' way happens on the caller's thread. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "corm/cluster.h"
#include "cql/token.h"
#include "session/batch.h"
#include "session/window.h"

enum {
    DEFAULT_BYTES = 4096,
    DEFAULT_STATEMENTS = 100,
    DEFAULT_CONCURRENCY = 32,
    MOST_CONCURRENCY = 4096
};

#define NO_ITEM UINT32_MAX

/* The statements of one partition, as indexes of the batch. */
typedef struct split_group {
    struct split_group *next;                  /* in the order of their first statements */
    bool                has_token, has_stamps; /* stamps: its pieces need timestamps of their own */
    int64_t             token;
    uint32_t            first, last; /* items that are not sent; NO_ITEM: none */
} split_group;

typedef struct split_slot {
    session_slot slot; /* first: a session_slot * is a split_slot * */
    split_group *group;
    uint32_t     count; /* statements of the piece under way */
} split_slot;

typedef struct split {
    corm_batch     *batch;
    uint32_t        max_bytes, max_statements, slot_count;
    bool            stamps; /* pieces get timestamps */
    base_arena      arena;
    base_map        by_key;    /* keyspace and token to split_group */
    uint32_t       *next_item; /* the next of the same group, by item */
    corm_prepared **prepared;  /* by item; NULL for texts */
    split_group    *first, **last;
    split_slot     *slots;
    session_window  window;
    uint64_t        done;
    corm_status     status; /* the first failure, in *err */
} split;

/* ---- groups ---- */

bool session__token_of(const corm_prepared *prepared, const cql_value *values, base_buf *key,
                       int64_t *token) {
    enum { MOST_KEYS = 64 };
    cql_value parts[MOST_KEYS];
    if (!prepared || prepared->key_count == 0 || prepared->key_count > MOST_KEYS) return false;
    for (uint32_t i = 0; i < prepared->key_count; i++) {
        parts[i] = values[prepared->key_markers[i]];
        if (parts[i].len < 0 || parts[i].len > UINT16_MAX) return false;
    }
    base__buf_clear(key);
    cql__partition_key(parts, prepared->key_count, key);
    if (key->failed || key->len == 0) return false;
    *token = cql__token(base__buf_bytes(key));
    return true;
}

static split_group *add_group(split *self) {
    split_group *group = BASE_NEW(&self->arena, split_group);
    if (!group) return NULL;
    group->first = group->last = NO_ITEM;
    *self->last = group;
    self->last = &group->next;
    return group;
}

/* The group of a token in a statement's keyspace. */
static split_group *find_group(split *self, const corm_prepared *prepared, int64_t token,
                               base_buf *key) {
    base__buf_clear(key);
    base__buf_i64(key, token);
    base__buf_put_str(key, prepared->markers[prepared->key_markers[0]].keyspace);
    if (key->failed) return NULL;
    split_group *group = base__map_get(&self->by_key, base__buf_str(key));
    if (group) return group;
    corm_str copy = base__arena_str(&self->arena, base__buf_str(key));
    group = copy.data ? add_group(self) : NULL;
    if (!group || !base__map_put(&self->by_key, copy, group)) return NULL;
    group->has_token = true;
    group->token = token;
    return group;
}

static corm_status group_item(split *self, uint32_t item, base_buf *key, corm_error *err) {
    int64_t              token;
    const corm_prepared *prepared = self->prepared[item];
    bool         known = session__token_of(prepared, self->batch->items[item].values, key, &token);
    split_group *group = known ? find_group(self, prepared, token, key) : add_group(self);
    if (!group) return base__fail_memory(err);
    self->next_item[item] = NO_ITEM;
    if (group->last == NO_ITEM) {
        group->first = item;
    } else {
        self->next_item[group->last] = item;
    }
    group->last = item;
    return CORM_OK;
}

static corm_status make_groups(split *self, corm_error *err) {
    corm_batch *batch = self->batch;
    self->next_item = BASE_NEW_ARRAY(&self->arena, uint32_t, batch->count);
    self->prepared = BASE_NEW_ARRAY(&self->arena, corm_prepared *, batch->count);
    if (!self->next_item || !self->prepared) return base__fail_memory(err);
    uint32_t    held = 0;
    base_buf    key = { 0 };
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < batch->count && status == CORM_OK; i++) {
        self->prepared[i] = batch->items[i].text.data ? NULL : batch->held[held++];
        status = group_item(self, i, &key, err);
    }
    base__buf_free(&key);
    return status;
}

/* ---- pieces ---- */

static size_t bytes_of(const wire_batch_item *item) {
    size_t bytes = item->text.len;
    for (uint32_t i = 0; i < item->value_count; i++) {
        if (item->values[i].len > 0) bytes += (size_t)item->values[i].len;
    }
    return bytes;
}

/* How many of the group's next statements fit; a larger one goes alone. */
static uint32_t count_piece(const split *self, const split_group *group) {
    uint32_t count = 0;
    size_t   bytes = 0;
    for (uint32_t i = group->first; i != NO_ITEM; i = self->next_item[i]) {
        bytes += bytes_of(&self->batch->items[i]);
        if (count > 0 && (bytes > self->max_bytes || count == self->max_statements)) break;
        count++;
    }
    return count;
}

/* Takes the piece off the group's front. */
static corm_status fill_piece(split *self, split_slot *slot, session_request *request,
                              corm_error *err) {
    split_group     *group = slot->group;
    wire_batch_item *items = BASE_NEW_ARRAY(&request->arena, wire_batch_item, slot->count);
    corm_prepared  **held = BASE_NEW_ARRAY(&request->arena, corm_prepared *, slot->count);
    if (!items || !held) return base__fail_memory(err);
    for (uint32_t i = 0; i < slot->count; i++) {
        uint32_t item = group->first;
        items[i] = self->batch->items[item];
        if (self->prepared[item]) held[request->held_count++] = self->prepared[item];
        group->first = self->next_item[item];
    }
    request->held = held;
    request->wire.batch = items;
    request->wire.batch_count = slot->count;
    return CORM_OK;
}

static corm_status make_piece(split *self, split_slot *slot, session_request *request,
                              corm_error *err) {
    CORM_TRY(session__request_options(self->batch->session, &self->batch->options, request, err));
    wire_options *options = &request->wire.options;
    request->wire.kind = WIRE_BATCH;
    request->wire.batch_kind =
        self->batch->kind == CORM_COUNTER_BATCH ? CORM_COUNTER_BATCH : CORM_UNLOGGED;
    options->has_token = slot->group->has_token;
    options->token = slot->group->token;
    slot->count = count_piece(self, slot->group);
    CORM_TRY(fill_piece(self, slot, request, err));
    slot->group->has_stamps |= self->stamps && slot->group->first != NO_ITEM;
    if (slot->group->has_stamps) {
        options->has_timestamp = true;
        options->timestamp = base__clock_write_us();
    }
    return CORM_OK;
}

/* The request's statements are the batch's: it holds no references of its own. */
static corm_status send_piece(split *self, split_slot *slot, corm_error *err) {
    session_request request = { 0 };
    corm_status     status = make_piece(self, slot, &request, err);
    if (status == CORM_OK)
        status = session__window_start(&self->window, &slot->slot, &request, err);
    session__request_drop(&request);
    return status;
}

/* ---- running ---- */

static void note_failure(split *self, corm_status status, const corm_error *error,
                         corm_error *err) {
    if (self->status != CORM_OK) return;
    self->status = status;
    if (err) *err = *error;
}

/* Sends the next piece of the slot's partition, or of the next partition. What cannot be sent ends the partition. */
static void go_on(split *self, split_slot *slot, corm_error *err) {
    for (;;) {
        while (!slot->group || slot->group->first == NO_ITEM) {
            slot->group = self->first;
            if (!slot->group) return;
            self->first = slot->group->next;
        }
        corm_error  error = { 0 };
        corm_status status = send_piece(self, slot, &error);
        if (status == CORM_OK) return;
        note_failure(self, status, &error, err);
        slot->group = NULL;
    }
}

/* A condition that did not hold is a failure too. */
static corm_status take_answer(session_slot *slot) {
    if (slot->status != CORM_OK) return slot->status;
    bool applied = corm_result_applied(slot->result);
    corm_result_free(slot->result);
    if (applied) return CORM_OK;
    return base__fail(&slot->error, CORM_NOT_APPLIED, "%s", corm_status_text(CORM_NOT_APPLIED));
}

static void run_pieces(split *self, corm_error *err) {
    for (uint32_t i = 0; i < self->slot_count; i++) go_on(self, &self->slots[i], err);
    for (session_slot *ended; (ended = session__window_take(&self->window)) != NULL;) {
        split_slot *slot = (split_slot *)ended;
        corm_status status = take_answer(ended);
        if (status == CORM_OK) {
            self->done += slot->count;
        } else {
            note_failure(self, status, &ended->error, err);
            slot->group = NULL;
        }
        go_on(self, slot, err);
    }
}

bool session__has_stamps(const corm_session *session) {
    session_door *door = session->door;
    return !door->ops->options || !door->ops->options(door)->no_client_timestamps;
}

static bool wants_stamps(const corm_batch *batch) {
    if (batch->kind == CORM_COUNTER_BATCH || batch->options.has_timestamp) return false;
    return session__has_stamps(batch->session);
}

static uint32_t or_default(uint32_t given, uint32_t otherwise) {
    return given > 0 ? given : otherwise;
}

static void set_limits(split *self, const corm_split_options *options) {
    uint32_t slots = or_default(options->concurrency, DEFAULT_CONCURRENCY);
    self->last = &self->first;
    self->max_bytes = or_default(options->max_bytes, DEFAULT_BYTES);
    self->max_statements = or_default(options->max_statements, DEFAULT_STATEMENTS);
    if (self->max_statements > SESSION_BATCH_MOST_ITEMS) {
        self->max_statements = SESSION_BATCH_MOST_ITEMS;
    }
    self->slot_count = slots > MOST_CONCURRENCY ? MOST_CONCURRENCY : slots;
}

static corm_status run_split(split *self, corm_error *err) {
    CORM_TRY(make_groups(self, err));
    self->slots = BASE_NEW_ARRAY(&self->arena, split_slot, self->slot_count);
    if (!self->slots) return base__fail_memory(err);
    CORM_TRY(session__window_begin(&self->window, self->batch->session, err));
    self->stamps = wants_stamps(self->batch);
    run_pieces(self, err);
    session__window_end(&self->window);
    return self->status;
}

corm_status corm_batch_run_split(corm_batch *batch, const corm_split_options *options,
                                 uint64_t *done) {
    static const corm_split_options defaults;
    if (!options) options = &defaults;
    split self = { .batch = batch };
    if (done) *done = 0;
    session_batch_run *run;
    CORM_TRY(session__check_open(batch->session, options->error));
    CORM_TRY(session__watch_begin(batch, &run, options->error));
    set_limits(&self, options);
    corm_status status = run_split(&self, options->error);
    status = session__watch_end(run, true, status, options->error);
    if (done) *done = self.done;
    base__map_free(&self.by_key);
    base__arena_free(&self.arena);
    return status;
}
