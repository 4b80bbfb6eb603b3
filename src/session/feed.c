// SPDX-License-Identifier: MIT
/* feed.c -- the change feed for users of a session: a reader of the engine's, read in batches.
 *
 * A position is: version u8 | the store's id, its first 4 bytes | commit u64 | index u32 | zeros. Thread: the feed's. */
#include "session/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"

enum { POSITION_VERSION = 1, MARK_BYTES = 4, DEFAULT_READ_AHEAD = 128, MOST_READ_AHEAD = 65536 };

/* ---- positions ---- */

corm_feed_position session__feed_position(engine *store, engine_feed_position position) {
    corm_feed_position out = { { POSITION_VERSION } };
    memcpy(out.bytes + 1, engine__id(store).bytes, MARK_BYTES);
    base__store_u64(out.bytes + 5, position.commit);
    base__store_u32(out.bytes + 13, position.index);
    return out;
}

static engine_feed_position position_in(const corm_feed_position *position) {
    return (engine_feed_position){ base__load_u64(position->bytes + 5),
                                   base__load_u32(position->bytes + 13) };
}

static corm_status check_position(engine *store, const corm_feed_position *position,
                                  corm_error *err) {
    if (position->bytes[0] != POSITION_VERSION)
        return base__fail(err, CORM_INVALID_ARGUMENT, "this is no position of a feed");
    if (memcmp(position->bytes + 1, engine__id(store).bytes, MARK_BYTES) == 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "the position is of another folder");
}

void corm_feed_position_format(corm_feed_position position, char out[CORM_FEED_POSITION_TEXT]) {
    engine_feed_position at = position_in(&position);
    snprintf(out, CORM_FEED_POSITION_TEXT, "%u-%08x-%llu-%u", position.bytes[0],
             base__load_u32(position.bytes + 1), (unsigned long long)at.commit, at.index);
}

corm_status corm_feed_position_parse(const char *text, corm_feed_position *out, corm_error *err) {
    unsigned           version = 0, mark = 0, index = 0;
    unsigned long long commit = 0;
    int                end = 0;
    corm_feed_position position = { { POSITION_VERSION } };
    char               again[CORM_FEED_POSITION_TEXT];
    if (sscanf(text, "%u-%8x-%20llu-%10u%n", &version, &mark, &commit, &index, &end) == 4 &&
        text[end] == '\0' && version == POSITION_VERSION) {
        base__store_u32(position.bytes + 1, mark);
        base__store_u64(position.bytes + 5, commit);
        base__store_u32(position.bytes + 13, index);
    }
    /* Numbers that do not fit come back as others. */
    corm_feed_position_format(position, again);
    if (strcmp(text, again) != 0)
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' is no position of a feed", text);
    *out = position;
    return CORM_OK;
}

/* ---- settings ---- */

static corm_status store_of(corm_session *session, engine **out, corm_error *err) {
    CORM_TRY(session__check_open(session, err));
    *out = session__store(session);
    if (*out) return CORM_OK;
    return base__fail(
        err, CORM_UNSUPPORTED,
        "a cluster has no change feed: its nodes write their own commit log segments for tables "
        "with cdc = true, each for itself; read those on the nodes, or keep the data in a folder");
}

corm_status corm_feed_configure(corm_session *session, const corm_feed_settings *settings,
                                corm_error *err) {
    engine *store;
    if (settings->_canary != 0)
        return base__fail(err, CORM_INVALID_ARGUMENT, "the settings were not initialised");
    CORM_TRY(store_of(session, &store, err));
    engine_feed_settings how = {
        .all = settings->all_tables,
        .whole = settings->whole_rows,
        .keep_s = settings->keep_seconds ? settings->keep_seconds : ENGINE_FEED_KEEP_S,
        .keep_bytes = settings->keep_bytes ? settings->keep_bytes : ENGINE_FEED_KEEP_BYTES,
    };
    return engine__feed_configure(store, &how, err);
}

corm_status corm_feed_state_of(corm_session *session, corm_feed_state *out, corm_error *err) {
    engine           *store;
    engine_feed_state state;
    CORM_TRY(store_of(session, &store, err));
    CORM_TRY(engine__feed_state_of(store, &state, err));
    *out = (corm_feed_state){
        .settings = { .all_tables = state.settings.all,
                      .whole_rows = state.settings.whole,
                      .keep_seconds = state.settings.keep_s,
                      .keep_bytes = state.settings.keep_bytes },
        .oldest = session__feed_position(store, state.lost),
        .newest = session__feed_position(store, (engine_feed_position){ state.commit, UINT32_MAX }),
        .changes = state.count,
        .bytes = state.bytes,
    };
    return CORM_OK;
}

/* ---- opening ---- */

static corm_status take_tables(corm_feed *feed, const corm_feed_options *options, corm_error *err) {
    feed->tables = BASE_NEW_ARRAY(&feed->options, corm_str, options->table_count);
    if (!feed->tables) return base__fail_memory(err);
    feed->table_count = options->table_count;
    for (uint32_t i = 0; i < options->table_count; i++) {
        feed->tables[i] = base__arena_str(&feed->options, corm_str_of(options->tables[i]));
        if (!feed->tables[i].data) return base__fail_memory(err);
    }
    return CORM_OK;
}

static corm_status take_room(corm_feed *feed, const corm_feed_options *options, corm_error *err) {
    feed->capacity = options->read_ahead ? options->read_ahead : DEFAULT_READ_AHEAD;
    if (feed->capacity > MOST_READ_AHEAD) feed->capacity = MOST_READ_AHEAD;
    feed->records = calloc(feed->capacity, sizeof *feed->records);
    feed->changes = calloc(feed->capacity, sizeof *feed->changes);
    return feed->records && feed->changes ? CORM_OK : base__fail_memory(err);
}

static corm_status begin(corm_feed *feed, const corm_feed_options *options, corm_error *err) {
    CORM_TRY(store_of(feed->session, &feed->store, err));
    CORM_TRY(take_tables(feed, options, err));
    CORM_TRY(take_room(feed, options, err));
    if (options->from == CORM_FEED_BEHIND)
        CORM_TRY(check_position(feed->store, &options->position, err));
    CORM_TRY(engine__feed_open(feed->store, (engine_feed_start)options->from, options->time_us,
                               position_in(&options->position), &feed->reader, err));
    feed->handed = feed->reader.after;
    return CORM_OK;
}

corm_status corm_feed_open(corm_session *session, const corm_feed_options *options, corm_feed **out,
                           corm_error *err) {
    static const corm_feed_options defaults;
    *out = NULL;
    if (!options) options = &defaults;
    if (options->_canary != 0)
        return base__fail(err, CORM_INVALID_ARGUMENT, "the options were not initialised");
    corm_feed *feed = calloc(1, sizeof *feed);
    if (!feed) return base__fail_memory(err);
    session__feed_ahead_init(feed);
    feed->session = session__ref(session);
    corm_status status = begin(feed, options, err);
    if (status != CORM_OK) {
        corm_feed_close(feed);
        return status;
    }
    *out = feed;
    return CORM_OK;
}

static void drop_batch(corm_feed *feed) {
    for (uint32_t i = 0; i < feed->count; i++) session__change_clear(&feed->changes[i]);
    engine__feed_release(feed->records, feed->count);
    feed->count = feed->next = 0;
    base__arena_reset(&feed->arena);
}

void corm_feed_close(corm_feed *feed) {
    if (!feed) return;
    session__feed_ahead_close(feed);
    drop_batch(feed);
    engine__feed_close(&feed->reader);
    base__arena_free(&feed->options);
    base__arena_free(&feed->arena);
    free(feed->records);
    free(feed->changes);
    session__unref(feed->session);
    free(feed);
}

/* ---- reading ---- */

static bool is_named(corm_str wanted, corm_str keyspace, corm_str table) {
    if (corm_str_equal(wanted, keyspace)) return true;
    return wanted.len == keyspace.len + 1 + table.len &&
           memcmp(wanted.data, keyspace.data, keyspace.len) == 0 &&
           wanted.data[keyspace.len] == '.' &&
           memcmp(wanted.data + keyspace.len + 1, table.data, table.len) == 0;
}

/* A change of a type or keyspace concerns all tables of its keyspace. */
static bool is_wanted(const corm_feed *feed, const corm_change *change) {
    corm_str keyspace = corm_change_keyspace(change), table = corm_change_table(change);
    for (uint32_t i = 0; i < feed->table_count; i++) {
        corm_str wanted = feed->tables[i];
        if (is_named(wanted, keyspace, table)) return true;
        if (!change->record->table && change->record->kind == ENGINE_FEED_SCHEMA &&
            wanted.len > keyspace.len && wanted.data[keyspace.len] == '.' &&
            memcmp(wanted.data, keyspace.data, keyspace.len) == 0)
            return true;
    }
    return feed->table_count == 0;
}

static corm_status read_batch(corm_feed *feed, corm_error *err) {
    drop_batch(feed);
    CORM_TRY(session__check_open(feed->session, err));
    CORM_TRY(engine__feed_read(&feed->reader, &feed->arena, feed->records, feed->capacity,
                               &feed->count, err));
    for (uint32_t i = 0; i < feed->count; i++)
        feed->changes[i] =
            (corm_change){ .feed = feed, .record = &feed->records[i], .arena = &feed->arena };
    return CORM_OK;
}

/* Goes to the next wanted change of the batch; false: there is none. */
static bool find(corm_feed *feed) {
    for (; feed->next < feed->count; feed->next++) {
        const corm_change *change = &feed->changes[feed->next];
        if (is_wanted(feed, change)) return true;
        feed->handed = change->record->position;
    }
    return false;
}

/* The next wanted change of the batch, or NULL. */
static const corm_change *take(corm_feed *feed) {
    if (!find(feed)) return NULL;
    const corm_change *change = &feed->changes[feed->next++];
    feed->handed = change->record->position;
    return change;
}

static bool is_stopped(corm_feed *feed, const corm_task *task) {
    return task && (session__task_is_cancelled(task) || atomic_load(&feed->ahead.closing));
}

corm_status session__feed_wait(corm_feed *feed, uint32_t timeout_ms, bool takes,
                               const corm_task *task, const corm_change **change, corm_error *err) {
    int64_t until = timeout_ms == CORM_FEED_FOREVER
                        ? INT64_MAX
                        : base__clock_mono_ns() + (int64_t)timeout_ms * 1000000;
    for (;;) {
        bool something;
        if (find(feed)) {
            if (takes) *change = take(feed);
            return CORM_OK;
        }
        CORM_TRY(read_batch(feed, err));
        if (is_stopped(feed, task))
            return base__fail(err, CORM_CANCELLED, "%s", corm_status_text(CORM_CANCELLED));
        if (feed->count > 0) continue;
        int64_t now = base__clock_mono_ns();
        if (atomic_exchange(&feed->woken, false) || now >= until) return CORM_OK;
        CORM_TRY(engine__feed_wait(&feed->reader, until - now, &something, err));
    }
}

corm_status corm_feed_next(corm_feed *feed, uint32_t timeout_ms, const corm_change **change,
                           corm_error *err) {
    *change = NULL;
    CORM_TRY(session__feed_check_free(feed, err));
    return session__feed_wait(feed, timeout_ms, true, NULL, change, err);
}

corm_status corm_feed_read(corm_feed *feed, uint32_t timeout_ms, const corm_change **changes,
                           uint32_t max, uint32_t *count, corm_error *err) {
    const corm_change *change = NULL;
    *count = 0;
    if (max == 0) return CORM_OK;
    CORM_TRY(session__feed_check_free(feed, err));
    CORM_TRY(session__feed_wait(feed, timeout_ms, true, NULL, &change, err));
    while (change) {
        changes[(*count)++] = change;
        change = *count < max ? take(feed) : NULL;
    }
    return CORM_OK;
}

void corm_feed_wake(corm_feed *feed) {
    atomic_store(&feed->woken, true);
    engine__feed_wake(feed->store);
}

corm_feed_position corm_feed_position_of(const corm_feed *feed) {
    return session__feed_position(feed->store, feed->handed);
}
