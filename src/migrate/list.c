// SPDX-License-Identifier: MIT
/* list.c -- lists of migrations that belong to the caller: items and their texts live in an arena beside the list. */
#include "migrate/list.h"

#include <stdlib.h>

#include "base/text.h"

typedef struct owned_list {
    corm_migration_list list; /* first */
    base_arena          arena;
    uint32_t            capacity;
} owned_list;

corm_status migrate__list_new(corm_migration_list **out, corm_error *err) {
    owned_list *list = calloc(1, sizeof *list);
    *out = list ? &list->list : NULL;
    return list ? CORM_OK : base__fail_memory(err);
}

void corm_migration_list_free(corm_migration_list *list) {
    owned_list *owned = (owned_list *)list;
    if (!list) return;
    base__arena_free(&owned->arena);
    free(owned);
}

static corm_migration_info *new_item(owned_list *to) {
    if (to->list.count == to->capacity) {
        uint32_t             capacity = to->capacity ? 2 * to->capacity : 16;
        corm_migration_info *items = BASE_NEW_ARRAY(&to->arena, corm_migration_info, capacity);
        if (!items) return NULL;
        if (to->list.count) memcpy(items, to->list.items, to->list.count * sizeof *items);
        to->list.items = items;
        to->capacity = capacity;
    }
    corm_migration_info *item = &to->list.items[to->list.count++];
    *item = (corm_migration_info){ 0 };
    return item;
}

static const char *keep(owned_list *to, const char *text) {
    return base__arena_str(&to->arena, corm_str_of(text)).data;
}

corm_status migrate__list_add(corm_migration_list *list, const migrate_unit *unit,
                              corm_migration_state state, corm_error *err) {
    owned_list *to = (owned_list *)list;
    if (!list) return CORM_OK;
    corm_migration_info *item = new_item(to);
    if (!item) return base__fail_memory(err);
    item->id = keep(to, unit->id.data);
    item->description = keep(to, unit->description.data);
    item->host = "";
    item->state = state;
    item->steps = unit->up.count;
    memcpy(item->checksum, unit->checksum, sizeof item->checksum);
    return item->id && item->description ? CORM_OK : base__fail_memory(err);
}

/* ---- the status ---- */

static corm_status add_record(owned_list *to, const migrate_record *record,
                              const migrate_unit *unit, corm_error *err) {
    corm_migration_info *item = new_item(to);
    if (!item) return base__fail_memory(err);
    *item = record->info;
    item->id = keep(to, record->info.id);
    item->description = keep(to, record->info.description);
    item->host = keep(to, record->info.host);
    if (record->info.failure) item->failure = keep(to, record->info.failure);
    item->missing = unit == NULL;
    item->changed = unit && strcmp(unit->checksum, record->info.checksum) != 0;
    bool ok =
        item->id && item->description && item->host && (!record->info.failure || item->failure);
    return ok ? CORM_OK : base__fail_memory(err);
}

/* Both are in order: they are merged. */
static corm_status merge(const corm_migrator *migrator, const migrate_history *history,
                         owned_list *to, corm_error *err) {
    const migrate_record *record = history->first;
    for (uint32_t i = 0; i < migrator->count || record;) {
        const migrate_unit *unit = i < migrator->count ? migrator->units[i] : NULL;
        int order = !record ? -1 : !unit ? 1 : strcmp(unit->id.data, record->info.id);
        CORM_TRY(order < 0 ? migrate__list_add(&to->list, unit, CORM_MIGRATION_PENDING, err)
                           : add_record(to, record, order == 0 ? unit : NULL, err));
        if (order <= 0) i++;
        if (order >= 0) record = record->next;
    }
    return CORM_OK;
}

corm_status corm_migrator_status(corm_migrator *migrator, corm_migration_list **out,
                                 corm_error *err) {
    migrate_history history;
    *out = NULL;
    CORM_TRY(migrate__history_read(migrator, &history, err));
    corm_status status = migrate__list_new(out, err);
    if (status == CORM_OK) status = merge(migrator, &history, (owned_list *)*out, err);
    migrate__history_free(&history);
    if (status == CORM_OK) return CORM_OK;
    corm_migration_list_free(*out);
    *out = NULL;
    return status;
}
