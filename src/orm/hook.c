// SPDX-License-Identifier: MIT
/* hook.c -- which hooks a model has: its own, and those that were added to the db. Each change makes a new chain; a call holds the
 * chain that it began with, and a chain holds its entries, so that nothing is waited for.
 *
 * Owns entries and chains. Any thread. */
#include "orm/hook.h"

#include <stdlib.h>

enum { DEFAULT_ACTIONS = CORM_ON_ANY & ~(CORM_ON_BATCH | CORM_ON_DELETE_WHERE) };

static const struct {
    corm_action action;
    const char *name;
} actions[] = {
    { CORM_ON_INSERT, "insert" },
    { CORM_ON_SAVE, "save" },
    { CORM_ON_UPDATE, "update" },
    { CORM_ON_UPSERT, "upsert" },
    { CORM_ON_DELETE, "delete" },
    { CORM_ON_RESTORE, "restore" },
    { CORM_ON_VALIDATE, "validate" },
    { CORM_ON_FIND, "find" },
    { CORM_ON_COUNT, "count" },
    { CORM_ON_QUERY, "query" },
    { CORM_ON_DELETE_WHERE, "delete where" },
    { CORM_ON_BATCH, "batch" },
};

static const char *const paths[] = {
    [CORM_PATH_CALL] = "call",
    [CORM_PATH_BATCH] = "batch",
    [CORM_PATH_BULK] = "bulk",
    [CORM_PATH_RELATION] = "relation",
    [CORM_PATH_CASCADE] = "cascade",
    [CORM_PATH_DELETE_WHERE] = "delete where",
    [CORM_PATH_COLLECTION] = "collection",
    [CORM_PATH_IMPORT] = "import",
    [CORM_PATH_HOOK] = "hook",
};

const char *corm_action_name(corm_action action) {
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (actions[i].action == action) return actions[i].name;
    }
    return "?";
}

const char *corm_path_name(corm_path path) {
    return (unsigned)path < sizeof paths / sizeof *paths ? paths[path] : "?";
}

/* ---- entries ---- */

static void unref_entry(orm_hook_entry *entry) {
    if (atomic_fetch_sub(&entry->refs, 1) != 1) return;
    if (entry->hook.release) entry->hook.release(entry->hook.context);
    free(entry);
}

static orm_hook_entry *new_entry(const corm_model *model, const corm_model_hook *hook) {
    size_t          len = hook->name ? strlen(hook->name) : 0;
    orm_hook_entry *entry = calloc(1, sizeof *entry + len + 1);
    if (!entry) return NULL;
    atomic_init(&entry->refs, 1);
    entry->model = model;
    entry->hook = *hook;
    char *name = (char *)(entry + 1);
    if (len > 0) memcpy(name, hook->name, len);
    entry->hook.name = len > 0 ? name : "a hook";
    if (entry->hook.on == 0) entry->hook.on = DEFAULT_ACTIONS;
    return entry;
}

/* ---- chains ---- */

static void unref_chain(orm_chain *chain) {
    if (!chain || atomic_fetch_sub(&chain->refs, 1) != 1) return;
    for (uint32_t i = 0; i < chain->count; i++) unref_entry(chain->entries[i]);
    free(chain);
}

static bool is_end(const corm_model_hook *hook) {
    return !hook->before && !hook->after;
}

/* By order, and by age among equals: from the end, because most are added in order. */
static void insert(orm_chain *chain, orm_hook_entry *entry) {
    uint32_t at = chain->count++;
    for (; at > 0 && chain->entries[at - 1]->hook.order > entry->hook.order; at--) {
        chain->entries[at] = chain->entries[at - 1];
    }
    chain->entries[at] = entry;
    chain->actions |= entry->hook.on;
}

static corm_status add_declared(orm_chain *chain, const corm_model *spec, uint32_t count,
                                corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        corm_model_hook hook = spec->hooks[i];
        hook.release = NULL;
        orm_hook_entry *entry = new_entry(spec, &hook);
        if (!entry) return base__fail_memory(err);
        insert(chain, entry);
    }
    return CORM_OK;
}

static void add_added(orm_chain *chain, orm_hook_entry *entry, const corm_model *spec) {
    for (; entry; entry = entry->next) {
        if (entry->model && entry->model != spec) continue;
        atomic_fetch_add(&entry->refs, 1);
        insert(chain, entry);
    }
}

orm_chain *orm__chain_take(orm_model *model) {
    pthread_mutex_lock(&model->lock);
    orm_chain *chain = atomic_load(&model->chain);
    if (chain) atomic_fetch_add(&chain->refs, 1);
    pthread_mutex_unlock(&model->lock);
    return chain;
}

void orm__chain_give(orm_chain *chain) {
    unref_chain(chain);
}

/* NULL, and CORM_OK: there are none. */
static corm_status build(const corm_model *spec, orm_hook_entry *added, orm_chain **out,
                         corm_error *err) {
    uint32_t declared = 0, count = 0;
    *out = NULL;
    while (spec->hooks && !is_end(&spec->hooks[declared])) declared++;
    for (const orm_hook_entry *e = added; e; e = e->next) count += !e->model || e->model == spec;
    if (declared + count == 0) return CORM_OK;
    orm_chain *chain = calloc(1, sizeof *chain + (declared + count) * sizeof(void *));
    if (!chain) return base__fail_memory(err);
    atomic_init(&chain->refs, 1);
    corm_status status = add_declared(chain, spec, declared, err);
    if (status != CORM_OK) {
        unref_chain(chain);
        return status;
    }
    add_added(chain, added, spec);
    *out = chain;
    return CORM_OK;
}

corm_status orm__hooks_declare(orm_model *model, corm_error *err) {
    orm_chain *chain;
    CORM_TRY(build(model->spec, NULL, &chain, err));
    atomic_store(&model->chain, chain);
    return CORM_OK;
}

static corm_status publish(corm_db *db, orm_model *model, corm_error *err) {
    orm_chain *chain;
    CORM_TRY(build(model->spec, db->hooks, &chain, err));
    atomic_store(&model->chain, chain);
    model->next = atomic_load(&db->models);
    atomic_store_explicit(&db->models, model, memory_order_release);
    return CORM_OK;
}

corm_status orm__hooks_publish(corm_db *db, orm_model *model, corm_error *err) {
    pthread_mutex_lock(&db->hook_lock);
    corm_status status = publish(db, model, err);
    pthread_mutex_unlock(&db->hook_lock);
    return status;
}

void orm__hooks_forget(orm_model *model) {
    unref_chain(atomic_exchange(&model->chain, NULL));
}

void orm__hooks_free(corm_db *db) {
    while (db->hooks) {
        orm_hook_entry *entry = db->hooks;
        db->hooks = entry->next;
        unref_entry(entry);
    }
}

/* ---- adding and removing ---- */

/* The new chains of all models that a change concerns, before any of them is put in its place. */
typedef struct change {
    struct {
        orm_model *model;
        orm_chain *chain;
    } * items;
    uint32_t count, capacity;
} change;

static void drop_change(change *self) {
    for (uint32_t i = 0; i < self->count; i++) unref_chain(self->items[i].chain);
    free(self->items);
}

static corm_status prepare_change(corm_db *db, orm_hook_entry *added, change *self,
                                  corm_error *err) {
    for (orm_model *m = atomic_load(&db->models); m; m = m->next) self->capacity++;
    self->items = calloc(self->capacity + 1, sizeof *self->items);
    if (!self->items) return base__fail_memory(err);
    for (orm_model *m = atomic_load(&db->models); m; m = m->next) {
        self->items[self->count].model = m;
        CORM_TRY(build(m->spec, added, &self->items[self->count].chain, err));
        self->count++;
    }
    return CORM_OK;
}

/* Afterwards the change holds the old chains, to be freed without the lock: a release function may add hooks. */
static void commit_change(change *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        orm_model *model = self->items[i].model;
        pthread_mutex_lock(&model->lock);
        self->items[i].chain = atomic_exchange(&model->chain, self->items[i].chain);
        pthread_mutex_unlock(&model->lock);
    }
}

static orm_hook_entry **find_named(corm_db *db, const corm_model *model, const char *name) {
    orm_hook_entry **link = &db->hooks;
    while (*link && ((*link)->model != model || strcmp((*link)->hook.name, name) != 0)) {
        link = &(*link)->next;
    }
    return link;
}

static corm_status add(corm_db *db, orm_hook_entry *entry, change *self, corm_error *err) {
    orm_hook_entry **link = find_named(db, entry->model, entry->hook.name);
    if (*link) {
        return base__fail(err, CORM_ALREADY_EXISTS, "there is a hook '%s' already",
                          entry->hook.name);
    }
    *link = entry;
    corm_status status = prepare_change(db, db->hooks, self, err);
    if (status == CORM_OK) {
        commit_change(self);
    } else {
        *link = NULL;
    }
    return status;
}

static corm_status check_hook(const corm_model_hook *hook, corm_error *err) {
    if (!hook || !hook->name || !*hook->name) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a hook that is added needs a name");
    }
    if (is_end(hook)) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "hook '%s': it has neither a .before nor an .after", hook->name);
    }
    if (hook->on & ~(uint32_t)CORM_ON_ANY) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "hook '%s': .on has bits of no action",
                          hook->name);
    }
    return CORM_OK;
}

corm_status corm_hook_add(corm_db *db, const corm_model *model, const corm_model_hook *hook,
                          corm_error *err) {
    change changed = { 0 };
    CORM_TRY(check_hook(hook, err));
    orm_hook_entry *entry = new_entry(model, hook);
    if (!entry) return base__fail_memory(err);
    pthread_mutex_lock(&db->hook_lock);
    corm_status status = add(db, entry, &changed, err);
    pthread_mutex_unlock(&db->hook_lock);
    if (status != CORM_OK) {
        entry->hook.release = NULL; /* it is still the caller's */
        drop_change(&changed);
        unref_entry(entry);
        return status;
    }
    drop_change(&changed);
    return CORM_OK;
}

static corm_status remove_named(corm_db *db, const corm_model *model, const char *name,
                                orm_hook_entry **out, change *self, corm_error *err) {
    orm_hook_entry **link = find_named(db, model, name);
    orm_hook_entry  *entry = *link;
    if (!entry) return base__fail(err, CORM_NOT_FOUND, "no hook '%s' was added", name);
    *link = entry->next;
    corm_status status = prepare_change(db, db->hooks, self, err);
    if (status == CORM_OK) {
        commit_change(self);
        *out = entry;
    } else {
        *link = entry;
    }
    return status;
}

corm_status corm_hook_remove(corm_db *db, const corm_model *model, const char *name,
                             corm_error *err) {
    change          changed = { 0 };
    orm_hook_entry *entry = NULL;
    if (!name) return base__fail(err, CORM_INVALID_ARGUMENT, "the hook has no name");
    pthread_mutex_lock(&db->hook_lock);
    corm_status status = remove_named(db, model, name, &entry, &changed, err);
    pthread_mutex_unlock(&db->hook_lock);
    drop_change(&changed);
    if (entry) unref_entry(entry);
    return status;
}
