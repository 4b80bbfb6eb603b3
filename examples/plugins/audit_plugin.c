// SPDX-License-Identifier: MIT
/* A plugin of its own shared object: it keeps, in a table of its own, who was changed. Its section of the configuration says how the
 * table is called. */
#include <corm/corm.h>
#include <stdio.h>

typedef struct audit {
    corm_db   *db;
    uint64_t   entries;
    corm_model model;
} audit;

typedef struct entry {
    char      subject[64];
    corm_uuid at;
    char      what[32];
} entry;

#define COL(member) CORM_COLUMN(entry, member)
static const corm_model entries = {
    .row_size = sizeof(entry),
    .fields = {
        { COL(subject), .key = CORM_PARTITION },
        { COL(at), .key = CORM_CLUSTERING, .cql = "timeuuid", .generate = CORM_NEW_TIMEUUID },
        { COL(what) },
    },
};
#undef COL

/* Called behind each write of a row; its own rows are no news. */
static corm_status note(corm_hook_call *call, void *context, corm_error *err) {
    audit *self = context;
    entry  row = { .what = "" };
    if (call->model == &self->model || call->status != CORM_OK) return CORM_OK;
    snprintf(row.subject, sizeof row.subject, "%s", call->model->table);
    snprintf(row.what, sizeof row.what, "%s", corm_action_name(call->action));
    self->entries++;
    return corm_insert(self->db, &self->model, &row, { .error = err });
}

static corm_status begin(corm_plugin_host *host, void **state, corm_error *err) {
    static audit
        only; /* the db knows its model until it is closed, as long as which a shared object lives */
    audit                *self = &only;
    const corm_model_hook hook = {
        .name = "audit", .on = CORM_ON_WRITE, .after = note, .context = self
    };
    self->db = corm_plugin_db(host);
    self->model = entries;
    self->model.table = corm_feature_setting(corm_plugin_options(host), "table", "audit");
    *state = self;
    corm_status status = corm_load(self->db, &self->model, err);
    if (status == CORM_OK) status = corm_plugin_add_hook(host, NULL, &hook, err);
    return status;
}

static void end(corm_plugin_host *host, void *state) {
    (void)host;
    printf("audit: %llu entries\n", (unsigned long long)((audit *)state)->entries);
}

static corm_feature_result call(void *state, const char *what, void *argument) {
    audit              *self = state;
    corm_feature_result result = { .status = CORM_OK, .data = &self->entries };
    (void)argument;
    result.metadata[result.metadata_count++] = (corm_setting){ "asked", what };
    result.metadata[result.metadata_count++] = (corm_setting){ "table", self->model.table };
    return result;
}

static const corm_plugin plugin = {
    .abi = CORM_PLUGIN_ABI,
    .name = "audit",
    .version = "1.0.0",
    .dependencies = { { "clock", ">=1.0 <2.0", false } },
    .initialize = begin,
    .cleanup = end,
    .call = call,
};
CORM_PLUGIN_EXPORT(plugin)
