// SPDX-License-Identifier: MIT
/* prepared.c -- prepared statements: the text, and the version of it that was checked last.
 *
 * It may outlive the store that made it, but is executed on that one only. Any thread. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "engine/core.h"

/* Shared by a store and its statements: the last of them frees it. */
struct prepared_count {
    atomic_uint refs; /* the statements, and one for the store */
};

struct wire_prepared {
    atomic_uint            refs;
    struct prepared_count *counted;
    uint8_t                id[16]; /* of keyspace and text: the same when prepared again */
    corm_uuid              store;  /* the id of the store that made it */
    cql_statement_kind     kind;
    bool                   is_point;
    corm_str               text, keyspace; /* behind the struct */
    pthread_mutex_t        lock;           /* guards version */
    engine_version        *version;
};

/* The callers' pointers are const because nothing that they can see ever changes. */
static wire_prepared *own(const wire_prepared *prepared) {
    return (wire_prepared *)(uintptr_t)prepared;
}

corm_status engine__prepared_init(engine *store, corm_error *err) {
    store->prepared = calloc(1, sizeof *store->prepared);
    if (!store->prepared) return base__fail_memory(err);
    atomic_init(&store->prepared->refs, 1);
    return CORM_OK;
}

static void uncount(struct prepared_count *count) {
    if (count && atomic_fetch_sub(&count->refs, 1) == 1) free(count);
}

void engine__prepared_end(engine *store) {
    uncount(store->prepared);
}

void engine__prepared_evicted(engine *store) {
    metric__total_add(store, METRIC_PREPARED_EVICTED);
}

uint64_t engine__prepared_count(const engine *store) {
    return atomic_load(&store->prepared->refs) - 1;
}

const wire_prepared *engine__prepared_ref(const wire_prepared *prepared) {
    atomic_fetch_add_explicit(&own(prepared)->refs, 1, memory_order_relaxed);
    return prepared;
}

void engine__prepared_unref(const wire_prepared *prepared) {
    if (!prepared || atomic_fetch_sub(&own(prepared)->refs, 1) != 1) return;
    engine__version_unref(prepared->version);
    pthread_mutex_destroy(&own(prepared)->lock);
    uncount(prepared->counted);
    free(own(prepared));
}

cql_statement_kind engine__prepared_kind(const wire_prepared *prepared) {
    return prepared->kind;
}

corm_str engine__prepared_text(const wire_prepared *prepared) {
    return prepared->text;
}

engine_version *engine__prepared_newest(const wire_prepared *prepared) {
    pthread_mutex_lock(&own(prepared)->lock);
    engine_version *version = prepared->version ? engine__version_ref(prepared->version) : NULL;
    pthread_mutex_unlock(&own(prepared)->lock);
    return version;
}

bool engine__prepared_is_point(const wire_prepared *prepared) {
    return prepared->is_point;
}

static bool all_equal(const cql_restriction *restrictions, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (restrictions[i].kind != CQL_RESTRICT_EQ) return false;
    }
    return true;
}

/* How many columns of the clustering key have a value. */
static uint32_t clustering_given(const cql_where *where) {
    uint32_t given = 0;
    for (uint32_t i = 0; i < where->clustering_count; i++) given += where->clustering[i].count;
    return given;
}

static bool is_point(const cql_checked_select *select) {
    if (!select || select->table->is_virtual) return false;
    const cql_where *where = &select->where;
    return where->partition_count > 0 && where->lookup_count == 0 && where->filter_count == 0 &&
           all_equal(where->partition, where->partition_count) &&
           all_equal(where->clustering, where->clustering_count) &&
           clustering_given(where) == select->table->clustering_count;
}

/* ---- versions ---- */

/* NULL when the version there is does not hold for the schema. */
static engine_version *current_version(wire_prepared *prepared, const cql_schema *schema) {
    engine_version *version = NULL;
    pthread_mutex_lock(&prepared->lock);
    if (engine__version_fits(prepared->version, schema))
        version = engine__version_ref(prepared->version);
    pthread_mutex_unlock(&prepared->lock);
    return version;
}

static void keep_newer(wire_prepared *prepared, engine_version *version) {
    engine_version *old = version;
    pthread_mutex_lock(&prepared->lock);
    if (atomic_load(&version->serial) > atomic_load(&prepared->version->serial)) {
        old = prepared->version;
        prepared->version = version;
    }
    pthread_mutex_unlock(&prepared->lock);
    engine__version_unref(old);
}

corm_status engine__prepared_version(const engine *store, const wire_prepared *prepared,
                                     cql_schema *schema, engine_version **out, corm_error *err) {
    if (!corm_uuid_equal(store->id, prepared->store)) {
        return base__fail(err, CORM_UNPREPARED, "the statement was prepared on another store");
    }
    *out = current_version(own(prepared), schema);
    if (*out) return CORM_OK;
    CORM_TRY(engine__version_new(prepared->text, schema, prepared->keyspace, out, err));
    corm_status status = engine__version_identify(*out, err);
    if (status != CORM_OK) {
        engine__version_unref(*out);
        *out = NULL;
        return status;
    }
    keep_newer(own(prepared), engine__version_ref(*out));
    return CORM_OK;
}

/* ---- preparing ---- */

static bool identify(wire_prepared *prepared) {
    uint8_t     digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool        ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(context, prepared->keyspace.data, prepared->keyspace.len) == 1 &&
              EVP_DigestUpdate(context, "", 1) == 1 &&
              EVP_DigestUpdate(context, prepared->text.data, prepared->text.len) == 1 &&
              EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (ok) memcpy(prepared->id, digest, sizeof prepared->id);
    return ok;
}

static corm_str append(char **at, corm_str text) {
    corm_str copy = { *at, text.len };
    if (text.len > 0) memcpy(*at, text.data, text.len);
    *at += text.len;
    return copy;
}

static wire_prepared *make(const engine *store, corm_str text, corm_str keyspace,
                           engine_version *version) {
    wire_prepared *prepared = calloc(1, sizeof *prepared + text.len + keyspace.len);
    if (!prepared) return NULL;
    char *room = (char *)(prepared + 1);
    atomic_store(&prepared->refs, 1);
    pthread_mutex_init(&prepared->lock, NULL);
    prepared->store = store->id;
    prepared->counted = store->prepared;
    atomic_fetch_add(&store->prepared->refs, 1);
    prepared->kind = version->checked->kind;
    prepared->is_point = is_point(version->checked->select);
    prepared->text = append(&room, text);
    prepared->keyspace = append(&room, keyspace);
    prepared->version = version;
    if (identify(prepared)) return prepared;
    prepared->version = NULL;
    engine__prepared_unref(prepared);
    return NULL;
}

static void put_answer(const wire_prepared *prepared, wire_answer *answer) {
    const engine_version     *version = prepared->version;
    const cql_checked        *checked = version->checked;
    const cql_checked_select *select = checked->select;
    wire__put_prepared(&answer->body, (corm_bytes){ prepared->id, sizeof prepared->id },
                       (corm_bytes){ version->metadata_id, sizeof version->metadata_id },
                       checked->markers, checked->marker_count, checked->partition_markers,
                       checked->partition_marker_count, select ? select->columns : NULL,
                       select ? select->column_count : 0, WIRE_VERSION);
}

corm_status engine__prepare(const engine *store, corm_str text, corm_str keyspace,
                            cql_schema *schema, wire_answer *answer, corm_error *err) {
    engine_version *version;
    CORM_TRY(engine__version_new(text, schema, keyspace, &version, err));
    corm_status    status = engine__version_identify(version, err);
    wire_prepared *prepared = status == CORM_OK ? make(store, text, keyspace, version) : NULL;
    if (!prepared) {
        engine__version_unref(version);
        return status == CORM_OK ? base__fail_memory(err) : status;
    }
    put_answer(prepared, answer);
    status = base__buf_status(&answer->body, err);
    if (status != CORM_OK) {
        engine__prepared_unref(prepared);
        return status;
    }
    answer->prepared = prepared;
    return CORM_OK;
}
