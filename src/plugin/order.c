// SPDX-License-Identifier: MIT
/* order.c -- each plugin behind what it depends on; otherwise in the order of adding. Depth first; a plugin that is met while it is
 * being visited closes a circle. One thread. */
#include "base/buf.h"
#include "base/fail.h"
#include "plugin/core.h"

enum { NEW, VISITED, DONE };

typedef corm_status begin_function(corm_plugin_host *host, corm_error *err);

/* The plugins that are being visited, from the first to the newest. */
typedef struct path {
    struct path      *before;
    corm_plugin_host *host;
} path;

static void put_circle(const path *at, const corm_plugin_host *from, base_buf *out) {
    if (at->host != from) put_circle(at->before, from, out);
    base__buf_puts(out, at->host->plugin->name);
    base__buf_puts(out, " -> ");
}

static corm_status circle(const path *at, const corm_plugin_host *from, corm_error *err) {
    base_buf text = { 0 };
    put_circle(at, from, &text);
    base__buf_puts(&text, from->plugin->name);
    const char *names = base__buf_cstr(&text);
    corm_status status =
        names ? base__fail(err, CORM_INVALID, "plugins depend on each other in a circle: %s", names)
              : base__fail_memory(err);
    base__buf_free(&text);
    return status;
}

static corm_status find(const corm_plugin_host *host, const corm_dependency *need,
                        corm_plugin_host **out, corm_error *err) {
    const char *name = host->plugin->name;
    *out = plugin__find(host->set, need->name);
    if (!*out && need->optional) return CORM_OK;
    if (!*out) {
        return base__fail(err, CORM_NOT_FOUND, "plugin '%s' needs '%s', which is not there", name,
                          need->name);
    }
    if (plugin__fits((*out)->plugin->version, need->versions)) return CORM_OK;
    return base__fail(err, CORM_VERSION, "plugin '%s' needs '%s' in version %s, and it has %s",
                      name, need->name, need->versions, (*out)->plugin->version);
}

static corm_status visit(corm_plugin_host *host, path *before, begin_function *begin,
                         corm_error *err) {
    path here = { before, host };
    if (host->mark == DONE) return CORM_OK;
    if (host->mark == VISITED) return circle(before, host, err);
    host->mark = VISITED;
    for (int i = 0; i < CORM_MAX_DEPENDENCIES && host->plugin->dependencies[i].name; i++) {
        corm_plugin_host *needed;
        CORM_TRY(find(host, &host->plugin->dependencies[i], &needed, err));
        if (needed) CORM_TRY(visit(needed, &here, begin, err));
    }
    host->mark = DONE;
    return host->started ? CORM_OK : begin(host, err);
}

/* Whether all can begin is known before any does. */
static corm_status nothing(corm_plugin_host *host, corm_error *err) {
    (void)host, (void)err;
    return CORM_OK;
}

static corm_status visit_all(corm_plugins *set, begin_function *begin, corm_error *err) {
    for (corm_plugin_host *h = set->first; h; h = h->next) h->mark = NEW;
    for (corm_plugin_host *h = set->first; h; h = h->next) {
        if (!h->options.disabled) CORM_TRY(visit(h, NULL, begin, err));
    }
    return CORM_OK;
}

corm_status plugin__in_order(corm_plugins *set, begin_function *begin, corm_error *err) {
    CORM_TRY(visit_all(set, nothing, err));
    return visit_all(set, begin, err);
}
