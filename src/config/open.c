// SPDX-License-Identifier: MIT
/* open.c -- what comes of a configuration: a db with middleware, plugins; and how it is shown, without its secrets. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "config/core.h"

/* ---- opening ---- */

static void release_all(const corm_middleware *list) {
    for (; list->name; list++) {
        if (list->release) list->release(list->context);
    }
}

corm_status corm_config_open(corm_db **out, const corm_config *config, corm_error *err) {
    corm_middleware list[4] = { { .name = NULL } };
    corm_db_options options = config->db;
    uint32_t        count = 0;
    *out = NULL;
    if (!config->uri) return base__fail(err, CORM_INVALID_ARGUMENT, "no uri is configured");
    if (config->correlation) list[count++] = corm_correlation_middleware(NULL);
    if (config->log_enabled) list[count++] = corm_log_middleware(&config->log);
    if (config->guard_enabled) list[count++] = corm_guard_middleware(&config->guard);
    options.session.middleware = list; /* also when it is empty: plugins may add to it */
    options.error = err;
    corm_status status = corm_db_open(out, config->uri, &options);
    if (status != CORM_OK) release_all(list);
    return status;
}

static bool is_library(const char *name, corm_str *plugin) {
    const char *rest = strncmp(name, "plugins.", 8) == 0 ? name + 8 : NULL;
    const char *dot = rest ? strchr(rest, '.') : NULL;
    if (!dot || strcmp(dot, ".library") != 0) return false;
    *plugin = (corm_str){ rest, (size_t)(dot - rest) };
    return true;
}

corm_status corm_config_load_plugins(const corm_config *config, corm_plugins *plugins,
                                     corm_error *err) {
    for (const config_extra *e = config->extras; e; e = e->next) {
        corm_feature_options options;
        corm_str             plugin;
        char                 name[128];
        if (!is_library(e->name, &plugin)) continue;
        snprintf(name, sizeof name, "%.*s", (int)plugin.len, plugin.data);
        if (!corm_config_plugin(config, name, &options) || options.disabled) continue;
        CORM_TRY(corm_plugins_load(plugins, e->value.text, &options, err));
    }
    return CORM_OK;
}

/* ---- showing ---- */

static void put_value(const config_key *key, const config_value *value, base_buf *out) {
    base_arena arena = { 0 };
    base__buf_printf(out, "%s = ", key->name);
    if (key->kind == CONFIG_URI) {
        const char *shown = session__uri_shown(&arena, value->text);
        base__buf_puts(out, shown ? shown : "***");
    } else {
        base__buf_puts(out, key->is_secret ? "***" : value->text);
    }
    base__buf_printf(out, "  # %s\n", value->place);
    base__arena_free(&arena);
}

static void put_extra(const config_extra *extra, base_buf *out) {
    const char *text = config__sounds_secret(extra->name) ? "***" : extra->value.text;
    base__buf_printf(out, "%s = %s  # %s\n", extra->name, text, extra->value.place);
}

corm_status corm_config_show(const corm_config *config, bool all, char **out, corm_error *err) {
    base_buf text = { 0 };
    *out = NULL;
    for (size_t i = 0; config__key(i); i++) {
        const config_key *key = config__key(i);
        if (config->values[i].text) {
            put_value(key, &config->values[i], &text);
        } else if (all) {
            base__buf_printf(&text, "# %s: %s\n", key->name, key->otherwise);
        }
    }
    for (const config_extra *e = config->extras; e; e = e->next) put_extra(e, &text);
    if (!base__buf_cstr(&text)) {
        base__buf_free(&text);
        return base__fail_memory(err);
    }
    *out = (char *)text.data;
    return CORM_OK;
}
