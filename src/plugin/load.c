// SPDX-License-Identifier: MIT
/* load.c -- plugins of shared objects, which stay loaded until the process ends: a db may know models of theirs, and a hook that
 * was taken back may still run. */
#include <dlfcn.h>
#include <unistd.h>

#include "base/fail.h"
#include "plugin/core.h"

void plugin__unload(void *library) {
    if (library) dlclose(library);
}

static corm_status look_up(void *library, const char *path, const corm_plugin **out,
                           corm_error *err) {
    const corm_plugin *const *exported = dlsym(library, CORM_PLUGIN_SYMBOL);
    if (exported && *exported) {
        *out = *exported;
        return CORM_OK;
    }
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "'%s' is no plugin: it does not export " CORM_PLUGIN_SYMBOL, path);
}

corm_status plugin__load(const char *path, void **library, const corm_plugin **out,
                         corm_error *err) {
    if (access(path, R_OK) != 0) {
        return base__fail(err, CORM_NOT_FOUND, "there is no plugin '%s' that can be read", path);
    }
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!*library) {
        const char *why = dlerror();
        return base__fail(err, CORM_IO, "plugin '%s' cannot be loaded: %s", path,
                          why ? why : "unknown");
    }
    corm_status status = look_up(*library, path, out, err);
    if (status != CORM_OK) plugin__unload(*library);
    return status;
}
