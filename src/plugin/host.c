// SPDX-License-Identifier: MIT
/* host.c -- what a plugin sees of the program, and what it has added to it, which is taken back when it ends. One thread. */
#include "base/fail.h"
#include "plugin/core.h"

corm_db *corm_plugin_db(corm_plugin_host *host) {
    return host->set->db;
}

corm_session *corm_plugin_session(corm_plugin_host *host) {
    return corm_db_session(host->set->db);
}

corm_events *corm_plugin_events(corm_plugin_host *host) {
    return host->set->events;
}

const corm_feature_options *corm_plugin_options(corm_plugin_host *host) {
    return &host->options;
}

static bool depends_on(const corm_plugin *plugin, const char *name) {
    for (int i = 0; i < CORM_MAX_DEPENDENCIES && plugin->dependencies[i].name; i++) {
        if (strcmp(plugin->dependencies[i].name, name) == 0) return true;
    }
    return false;
}

void *corm_plugin_dependency(corm_plugin_host *host, const char *name) {
    corm_plugin_host *other = depends_on(host->plugin, name) ? plugin__find(host->set, name) : NULL;
    return other && other->started ? other->state : NULL;
}

const char *corm_feature_setting(const corm_feature_options *options, const char *name,
                                 const char *otherwise) {
    for (uint32_t i = 0; options && i < options->config_count; i++) {
        if (strcmp(options->config[i].name, name) == 0) return options->config[i].value;
    }
    return otherwise;
}

/* ---- parts ---- */

/* Before anything is added, so that what was added can be taken back. */
static corm_status new_part(corm_plugin_host *host, const char *name, plugin_part **part,
                            const char **copy, corm_error *err) {
    *part = BASE_NEW(&host->arena, plugin_part);
    *copy = base__arena_str(&host->arena, corm_str_of(name ? name : "")).data;
    return *part && *copy ? CORM_OK : base__fail_memory(err);
}

static void keep(corm_plugin_host *host, plugin_part *part) {
    part->next = host->parts;
    host->parts = part;
}

corm_status corm_plugin_add_hook(corm_plugin_host *host, const corm_model *model,
                                 const corm_model_hook *hook, corm_error *err) {
    plugin_part *part;
    const char  *name;
    CORM_TRY(new_part(host, hook->name, &part, &name, err));
    CORM_TRY(corm_hook_add(host->set->db, model, hook, err));
    part->model = model;
    part->hook = name;
    keep(host, part);
    return CORM_OK;
}

corm_status corm_plugin_add_middleware(corm_plugin_host *host, const corm_middleware *middleware,
                                       corm_error *err) {
    plugin_part *part;
    const char  *name;
    CORM_TRY(new_part(host, middleware->name, &part, &name, err));
    CORM_TRY(corm_middleware_add(corm_plugin_session(host), middleware, err));
    part->middleware = name;
    keep(host, part);
    return CORM_OK;
}

corm_status corm_plugin_subscribe(corm_plugin_host *host, const char *pattern,
                                  corm_event_handler handler, void *context,
                                  const corm_subscribe_options *options, corm_error *err) {
    plugin_part *part;
    const char  *unused;
    CORM_TRY(new_part(host, NULL, &part, &unused, err));
    CORM_TRY(corm_events_subscribe(host->set->events, pattern, handler, context, options,
                                   &part->subscription, err));
    keep(host, part);
    return CORM_OK;
}

/* What somebody has taken back already is not there any more. */
static void undo(corm_plugin_host *host, const plugin_part *part) {
    corm_error  err;
    corm_status status = CORM_OK;
    if (part->hook) status = corm_hook_remove(host->set->db, part->model, part->hook, &err);
    if (part->middleware) {
        status = corm_middleware_remove(corm_plugin_session(host), part->middleware, &err);
    }
    (void)status;
    corm_unsubscribe(part->subscription);
}

void plugin__undo_parts(corm_plugin_host *host) {
    for (; host->parts; host->parts = host->parts->next) undo(host, host->parts);
}
