// SPDX-License-Identifier: MIT
/* list.c -- tenants read from the catalogue. A list owns its texts. Runs on the caller's thread. */
#include <stdlib.h>

#include "tenant/core.h"

typedef struct owned_list {
    corm_tenant_list list; /* first */
    base_arena       arena;
    uint32_t         capacity;
} owned_list;

void corm_tenant_list_free(corm_tenant_list *list) {
    if (!list) return;
    base__arena_free(&((owned_list *)list)->arena);
    free(list->items);
    free(list);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const corm_tenant_attribute *)a)->name,
                  ((const corm_tenant_attribute *)b)->name);
}

static int by_id(const void *a, const void *b) {
    return strcmp(((const corm_tenant_info *)a)->id, ((const corm_tenant_info *)b)->id);
}

static corm_status read_attributes(base_arena *arena, const corm_value *map, corm_tenant_info *out,
                                   corm_error *err) {
    if (map->kind != CORM_MAP) return CORM_OK;
    uint32_t               count = map->as.items.count / 2;
    corm_tenant_attribute *all = BASE_NEW_ARRAY(arena, corm_tenant_attribute, count);
    if (!all) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        all[i].name = base__arena_str(arena, map->as.items.items[2 * i].as.text).data;
        all[i].value = base__arena_str(arena, map->as.items.items[2 * i + 1].as.text).data;
        if (!all[i].name || !all[i].value) return base__fail_memory(err);
    }
    qsort(all, count, sizeof *all, by_name);
    out->attributes = all;
    out->attribute_count = count;
    return CORM_OK;
}

static corm_status add_room(owned_list *list, corm_error *err) {
    if (list->list.count < list->capacity) return CORM_OK;
    uint32_t          capacity = list->capacity ? 2 * list->capacity : 16;
    corm_tenant_info *items = realloc(list->list.items, capacity * sizeof *items);
    if (!items) return base__fail_memory(err);
    list->list.items = items;
    list->capacity = capacity;
    return CORM_OK;
}

static corm_timestamp time_of(const corm_row *row, const corm_result *result, const char *column) {
    corm_value value;
    tenant__cell(row, result, column, &value);
    return value.kind == CORM_TIMESTAMP ? value.as.timestamp : (corm_timestamp){ 0 };
}

static corm_status add_row(owned_list *list, const corm_row *row, const corm_result *result,
                           corm_error *err) {
    corm_value value;
    CORM_TRY(add_room(list, err));
    corm_tenant_info *info = &list->list.items[list->list.count];
    *info = (corm_tenant_info){ 0 };
    tenant__cell(row, result, "state", &value);
    int state = value.kind == CORM_TEXT ? tenant__state_of(value.as.text) : -1;
    if (state < 0) return CORM_OK; /* the rest of a row that was deleted meanwhile */
    info->state = (corm_tenant_state)state;
    tenant__cell(row, result, "id", &value);
    info->id = base__arena_str(&list->arena, value.as.text).data;
    if (!info->id) return base__fail_memory(err);
    info->created_at = time_of(row, result, "created_at");
    info->changed_at = time_of(row, result, "changed_at");
    tenant__cell(row, result, "limits", &value);
    tenant__read_limits(&value, &info->limits);
    tenant__cell(row, result, "attributes", &value);
    CORM_TRY(read_attributes(&list->arena, &value, info, err));
    list->list.count++;
    return CORM_OK;
}

static corm_status read_rows(owned_list *list, corm_result *result, corm_error *err) {
    for (const corm_row *row;;) {
        CORM_TRY(corm_result_step(result, &row, err));
        if (!row) return CORM_OK;
        CORM_TRY(add_row(list, row, result, err));
    }
}

static corm_status read(corm_tenants *tenants, const char *format, const corm_value *values,
                        uint32_t count, corm_tenant_list **out, corm_error *err) {
    corm_result *result;
    *out = NULL;
    CORM_TRY(tenant__catalogue_open(tenants, err));
    CORM_TRY(tenant__catalogue_run(tenants, format, values, count, &result, err));
    owned_list *list = calloc(1, sizeof *list);
    corm_status status = list ? read_rows(list, result, err) : base__fail_memory(err);
    corm_result_free(result);
    if (status != CORM_OK) {
        if (list) corm_tenant_list_free(&list->list);
        return status;
    }
    if (list->list.count > 0)
        qsort(list->list.items, list->list.count, sizeof *list->list.items, by_id);
    *out = &list->list;
    return CORM_OK;
}

#define COLUMNS "SELECT id, state, created_at, changed_at, attributes, limits FROM %s"

corm_status corm_tenant_list_read(corm_tenants *tenants, corm_tenant_list **out, corm_error *err) {
    return read(tenants, COLUMNS, NULL, 0, out, err);
}

corm_status corm_tenant_get(corm_tenants *tenants, const char *tenant, corm_tenant_list **out,
                            corm_error *err) {
    *out = NULL;
    CORM_TRY(tenant__check_id(tenant, err));
    corm_value id = corm_v(tenant);
    CORM_TRY(read(tenants, COLUMNS " WHERE id = ?", &id, 1, out, err));
    if ((*out)->count > 0) return CORM_OK;
    corm_tenant_list_free(*out);
    *out = NULL;
    return base__fail(err, CORM_NOT_FOUND, "there is no tenant '%s'", tenant);
}
