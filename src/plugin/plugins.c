// SPDX-License-Identifier: MIT
/* plugins.c -- a set of plugins over a db: added, started in order with a way back, ended in reverse.
 *
 * Owns the hosts, the shared objects, and events where the db has none. One thread at a time. */
#include <stdlib.h>

#include "base/fail.h"
#include "plugin/core.h"

corm_plugin_host *plugin__find(const corm_plugins *set, const char *name) {
    for (corm_plugin_host *h = set->first; h; h = h->next) {
        if (!h->options.disabled && strcmp(h->plugin->name, name) == 0) return h;
    }
    return NULL;
}

corm_status corm_plugins_open(corm_plugins **out, corm_db *db, corm_error *err) {
    *out = NULL;
    corm_plugins *set = calloc(1, sizeof *set);
    if (!set) return base__fail_memory(err);
    set->db = db;
    set->events = corm_db_events(db);
    if (!set->events) {
        corm_status status = corm_events_open(&set->events, err);
        if (status != CORM_OK) {
            free(set);
            return status;
        }
        set->owns_events = true;
    }
    *out = set;
    return CORM_OK;
}

/* ---- adding ---- */

static corm_status check_dependencies(const corm_plugin *plugin, corm_error *err) {
    for (int i = 0; i < CORM_MAX_DEPENDENCIES && plugin->dependencies[i].name; i++) {
        const char *range = plugin->dependencies[i].versions;
        if (!range || plugin__is_range(range)) continue;
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "plugin '%s' needs '%s' in version '%s', which is no range of versions",
                          plugin->name, plugin->dependencies[i].name, range);
    }
    return CORM_OK;
}

static corm_status check(const corm_plugin *plugin, corm_error *err) {
    if (!plugin) return base__fail(err, CORM_INVALID_ARGUMENT, "there is no plugin");
    if (plugin->abi != CORM_PLUGIN_ABI) {
        return base__fail(err, CORM_VERSION,
                          "a plugin was built for ABI %u, and this library has %d", plugin->abi,
                          CORM_PLUGIN_ABI);
    }
    if (!plugin->name || !*plugin->name || !plugin->initialize) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "a plugin needs a name and an initialize function");
    }
    if (!plugin__is_version(plugin->version)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "plugin '%s': '%s' is no version",
                          plugin->name, plugin->version ? plugin->version : "");
    }
    return check_dependencies(plugin, err);
}

static corm_status copy_options(corm_plugin_host *host, const corm_feature_options *options,
                                corm_error *err) {
    if (!options) return CORM_OK;
    host->options = *options;
    corm_setting *settings = BASE_NEW_ARRAY(&host->arena, corm_setting, options->config_count);
    if (!settings) return base__fail_memory(err);
    for (uint32_t i = 0; i < options->config_count; i++) {
        const corm_setting *given = &options->config[i];
        settings[i].name = base__arena_str(&host->arena, corm_str_of(given->name)).data;
        settings[i].value = base__arena_str(&host->arena, corm_str_of(given->value)).data;
        if (!settings[i].name || !settings[i].value) return base__fail_memory(err);
    }
    host->options.config = settings;
    return CORM_OK;
}

static void free_host(corm_plugin_host *host) {
    plugin__unload(host->library);
    base__arena_free(&host->arena);
    free(host);
}

static corm_status add(corm_plugins *set, const corm_plugin *plugin, void *library,
                       const corm_feature_options *options, corm_error *err) {
    CORM_TRY(check(plugin, err));
    if (plugin__find(set, plugin->name)) {
        return base__fail(err, CORM_ALREADY_EXISTS, "there is a plugin '%s' already", plugin->name);
    }
    corm_plugin_host *host = calloc(1, sizeof *host);
    if (!host) return base__fail_memory(err);
    host->set = set;
    host->plugin = plugin;
    corm_status status = copy_options(host, options, err);
    if (status != CORM_OK) {
        free_host(host);
        return status;
    }
    host->library = library;
    corm_plugin_host **link = &set->first;
    while (*link) link = &(*link)->next;
    *link = host;
    return CORM_OK;
}

corm_status corm_plugins_add(corm_plugins *plugins, const corm_plugin *plugin,
                             const corm_feature_options *options, corm_error *err) {
    return add(plugins, plugin, NULL, options, err);
}

corm_status corm_plugins_load(corm_plugins *plugins, const char *path,
                              const corm_feature_options *options, corm_error *err) {
    void              *library;
    const corm_plugin *plugin;
    CORM_TRY(plugin__load(path, &library, &plugin, err));
    corm_status status = add(plugins, plugin, library, options, err);
    if (status != CORM_OK) plugin__unload(library);
    return status;
}

/* ---- starting and ending ---- */

static corm_status begin(corm_plugin_host *host, corm_error *err) {
    corm_error  own = { 0 };
    corm_status status = host->plugin->initialize(host, &host->state, &own);
    if (status == CORM_OK) {
        host->started = true;
        host->started_before = host->set->last_started;
        host->set->last_started = host;
        return CORM_OK;
    }
    plugin__undo_parts(host);
    return base__fail(err, status, "plugin '%s' cannot begin: %s", host->plugin->name,
                      own.message[0] ? own.message : corm_status_text(status));
}

static void end(corm_plugin_host *host) {
    host->set->last_started = host->started_before;
    host->started = false;
    if (host->plugin->cleanup) host->plugin->cleanup(host, host->state);
    plugin__undo_parts(host);
    host->state = NULL;
}

corm_status corm_plugins_start(corm_plugins *plugins, corm_error *err) {
    const corm_plugin_host *before = plugins->last_started;
    corm_status             status = plugin__in_order(plugins, begin, err);
    while (status != CORM_OK && plugins->last_started != before) end(plugins->last_started);
    return status;
}

bool corm_plugins_has(const corm_plugins *plugins, const char *name, const char **version) {
    const corm_plugin_host *host = plugin__find(plugins, name);
    bool                    has = host && host->started;
    if (version) *version = has ? host->plugin->version : NULL;
    return has;
}

corm_feature_result corm_plugins_call(corm_plugins *plugins, const char *name, const char *what,
                                      void *argument) {
    const corm_plugin_host *host = plugin__find(plugins, name);
    corm_feature_result     result = { .status = CORM_OK };
    if (!host || !host->started) {
        result.status = base__fail(&result.error, CORM_NOT_FOUND, "no plugin '%s' has begun", name);
    } else if (!host->plugin->call) {
        result.status =
            base__fail(&result.error, CORM_UNSUPPORTED, "plugin '%s' answers no calls", name);
    } else {
        result = host->plugin->call(host->state, what, argument);
    }
    return result;
}

void corm_plugins_close(corm_plugins *plugins) {
    if (!plugins) return;
    while (plugins->last_started) end(plugins->last_started);
    while (plugins->first) {
        corm_plugin_host *host = plugins->first;
        plugins->first = host->next;
        free_host(host);
    }
    if (plugins->owns_events) corm_events_close(plugins->events);
    free(plugins);
}
