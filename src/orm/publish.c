// SPDX-License-Identifier: MIT
/* publish.c -- what the mapper tells its events: rows written, by a hook behind all others; models loaded, notices, its own life.
 *
 * Values are as people may see them: masked columns masked, hidden ones left out. Any thread. */
#include "corm/event.h"

#include "orm/hook.h"

static const struct {
    corm_action action;
    const char *type;
} types[] = {
    { CORM_ON_INSERT, "row.inserted" }, { CORM_ON_SAVE, "row.saved" },
    { CORM_ON_UPDATE, "row.updated" },  { CORM_ON_UPSERT, "row.upserted" },
    { CORM_ON_DELETE, "row.deleted" },  { CORM_ON_RESTORE, "row.restored" },
};

static const char *type_of(corm_action action) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].action == action) return types[i].type;
    }
    return NULL;
}

/* ---- rows ---- */

typedef struct fields {
    base_arena        arena;
    corm_event_field *items;
    uint32_t          count;
} fields;

static corm_status add_field(fields *self, const orm_field *field, const void *row,
                             corm_error *err) {
    corm_value value;
    base_buf   text = { 0 };
    CORM_TRY(orm__member_get(field, row, false, &self->arena, &value, err));
    if (value.kind == CORM_UNSET) return CORM_OK;
    corm_event_field *item = &self->items[self->count++];
    *item = (corm_event_field){ field->name.data, NULL };
    if (value.kind == CORM_NULL) return CORM_OK;
    orm__put_shown(field, &value, &text);
    if (!text.failed) item->value = base__arena_str(&self->arena, base__buf_str(&text)).data;
    base__buf_free(&text);
    return item->value ? CORM_OK : base__fail_memory(err);
}

static corm_status make_fields(const orm_model *model, const void *row, fields *self,
                               corm_error *err) {
    self->items = BASE_NEW_ARRAY(&self->arena, corm_event_field, model->count + 1);
    if (!self->items) return base__fail_memory(err);
    self->items[self->count++] = (corm_event_field){ "table", model->path.data };
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->fields[i].spec->shown == CORM_HIDDEN) continue;
        CORM_TRY(add_field(self, &model->fields[i], row, err));
    }
    return CORM_OK;
}

static corm_status publish_row(const corm_hook_call *call, const char *type, corm_error *err) {
    orm_model *model;
    fields     data = { .count = 0 };
    CORM_TRY(orm__model(call->db, call->model, &model, err));
    corm_status status = make_fields(model, call->row, &data, err);
    if (status == CORM_OK) {
        const corm_event event = { .type = type,
                                   .source = "mapper",
                                   .subject = model->path.data,
                                   .data = data.items,
                                   .data_count = data.count,
                                   .object = call->row };
        status = corm_events_publish(call->db->events, &event, err);
    }
    base__arena_free(&data.arena);
    return status;
}

static corm_status tell(corm_hook_call *call, void *context, corm_error *err) {
    const char *type = type_of(call->action);
    (void)context;
    if (call->status != CORM_OK || !type) return CORM_OK;
    return corm_events_wanted(call->db->events, type) ? publish_row(call, type, err) : CORM_OK;
}

/* ---- the rest ---- */

/* Nobody waits for it: what cannot be told is not. */
void orm__tell(const corm_db *db, const char *type, const char *subject, const char *name,
               const char *value) {
    const corm_event_field field = { name, value };
    const corm_event       event = { .type = type,
                                     .source = "mapper",
                                     .subject = subject,
                                     .data = &field,
                                     .data_count = name != NULL };
    corm_error             unused;
    if (!corm_events_wanted(db->events, type)) return;
    corm_status status = corm_events_publish(db->events, &event, &unused);
    (void)status;
}

/* Behind all other after functions. */
corm_status orm__publish_to(corm_db *db, corm_events *events, corm_error *err) {
    const corm_model_hook hook = {
        .name = "corm.events", .on = CORM_ON_WRITE, .after = tell, .order = INT32_MIN
    };
    db->events = events;
    return corm_hook_add(db, NULL, &hook, err);
}

corm_events *corm_db_events(corm_db *db) {
    return db->events;
}
